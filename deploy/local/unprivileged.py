"""A system user for programs that refuse to run as root."""

import contextlib
import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

from deploy.local.process import Account

NAME = "pgserver"  # the name under which the package with the binaries makes one too


def account_for(folder: Path) -> Account | None:
    """Who has to run a program that keeps `folder`; None: we ourselves, not being root."""
    if os.geteuid() != 0:
        return None
    if folder.exists() and folder.stat().st_uid != 0:
        return _account(pwd.getpwuid(folder.stat().st_uid))
    with contextlib.suppress(KeyError):
        return _account(pwd.getpwnam(NAME))
    if useradd := shutil.which("useradd"):
        subprocess.run([useradd, "--system", NAME], check=False, capture_output=True)  # noqa: S603  # our own words
        with contextlib.suppress(KeyError):
            return _account(pwd.getpwnam(NAME))
    return _account(pwd.getpwnam("nobody"))


def let_through(account: Account, path: Path, *, say: Callable[[str], None]) -> None:
    """Let `account` pass through every folder above `path`, without a right to list them."""
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH and folder.stat().st_uid != account.uid:
            say(f"Postgres may not run as root: {account.name} now may pass through {folder}")
            folder.chmod(mode | stat.S_IXOTH)


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)
