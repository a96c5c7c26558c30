"""What this machine has and lacks: each check says what it found and how to mend it."""

import base64
import binascii
import os
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deploy.local.lock import FileLock, InUse
from deploy.local.ports import is_free
from deploy.local.reading import read_settings
from deploy.sandbox.node import find_node
from shared.config import Settings
from shared.errors import Misconfigured

OLDEST_PYTHON = (3, 11)
LEAST_FREE_BYTES = 2_000_000_000  # the servers' programs, a build, and room for data
SECRET_LENGTH = 32
KEY_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """`remedy` is empty when nothing has to be done; a check can be all right and have one."""

    name: str
    is_ok: bool
    found: str
    remedy: str = ""


def machine_checks() -> list[Check]:
    """What does not depend on settings."""
    return [_python(), _system(), _node()]


def settings_check() -> tuple[Settings | None, Check]:
    try:
        settings = read_settings()
    except Misconfigured as error:
        remedy = "correct it in the environment or in .env"
        return None, Check(name="settings", is_ok=False, found=str(error), remedy=remedy)
    problems = [text for find in SETTING_PROBLEMS if (text := find(settings))]
    if problems:
        remedy = "correct it, or leave it away: `drumbeat up` makes its own"
        return settings, Check(
            name="settings", is_ok=False, found="; ".join(problems), remedy=remedy
        )
    given = len(settings.model_fields_set)
    return settings, Check(name="settings", is_ok=True, found=f"{given} set, the rest by default")


def folder_checks(settings: Settings) -> list[Check]:
    """Where things are kept and which port the gateway would get."""
    user = _user_of(settings.data_dir)
    return [_data(settings, user), _disk(settings), _port(settings, user)]


def _python() -> Check:
    found = platform.python_version()
    is_ok = sys.version_info >= OLDEST_PYTHON
    remedy = "" if is_ok else "install Python 3.11 or later and run `make` with PYTHON=python3.11"
    return Check(name="python", is_ok=is_ok, found=found, remedy=remedy)


def _system() -> Check:
    found = f"{platform.system()} {platform.machine()}"
    is_ok = platform.system() in {"Linux", "Darwin"}
    remedy = "" if is_ok else "use Linux, macOS or WSL: the local servers talk over Unix sockets"
    return Check(name="system", is_ok=is_ok, found=found, remedy=remedy)


def _node() -> Check:
    try:
        node = find_node()
    except (OSError, StopIteration) as error:
        remedy = "install Node.js 22.15 or later; only `drumbeat demo` and the tests need it"
        return Check(name="node", is_ok=False, found=f"none that works ({error})", remedy=remedy)
    return Check(name="node", is_ok=True, found=str(node.executable))


def _data(settings: Settings, user: int | None) -> Check:
    folder = settings.data_dir.absolute()
    existing = _existing(folder)
    if not os.access(existing, os.W_OK | os.X_OK):
        remedy = "make it writable, or set DRUMBEAT_DATA_DIR to another folder"
        return Check(name="data", is_ok=False, found=f"{existing} is not writable", remedy=remedy)
    state = f", in use by process {user}" if user else ""
    return Check(name="data", is_ok=True, found=f"{folder}{state}")


def _disk(settings: Settings) -> Check:
    folders = (settings.data_dir.absolute(), settings.cache_dir.expanduser())
    free = {folder: shutil.disk_usage(_existing(folder)).free for folder in folders}
    folder, least = min(free.items(), key=lambda item: item[1])
    is_ok = least >= LEAST_FREE_BYTES
    remedy = "" if is_ok else f"free {LEAST_FREE_BYTES // 10**9} GB there, or choose other folders"
    found = f"{least / 10**9:.1f} GB free for {folder}"
    return Check(name="disk", is_ok=is_ok, found=found, remedy=remedy)


def _port(settings: Settings, user: int | None) -> Check:
    """A busy port is no fault: `drumbeat up` takes another one."""
    if settings.port == 0 or is_free(settings.port, settings.host):
        return Check(name="port", is_ok=True, found=f"{settings.port or 'any'} is free")
    if user:
        return Check(name="port", is_ok=True, found=f"{settings.port} is in use, as Drumbeat runs")
    remedy = "another one will be taken; set DRUMBEAT_PORT to choose which"
    return Check(name="port", is_ok=True, found=f"{settings.port} is in use", remedy=remedy)


def _user_of(folder: Path) -> int | None:
    """The process that runs Drumbeat in this folder."""
    file = folder.absolute() / "lock"
    if not file.exists() or not os.access(file, os.W_OK):
        return None
    try:
        with FileLock(file):
            return None
    except InUse as error:
        return error.pid


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


def _secret_key_problem(settings: Settings) -> str | None:
    secret = settings.secret_key
    if secret is None or len(secret.get_secret_value()) >= SECRET_LENGTH:
        return None
    return f"DRUMBEAT_SECRET_KEY is shorter than {SECRET_LENGTH} characters"


def _encryption_keys_problem(settings: Settings) -> str | None:
    if settings.encryption_keys is None:
        return None
    pairs = settings.encryption_keys.get_secret_value().split(",")
    if all(_is_key(*pair.strip().partition(":")) for pair in pairs):
        return None
    return "DRUMBEAT_ENCRYPTION_KEYS is not id:base64key[,id:base64key] with keys of 32 bytes"


def _is_key(identifier: str, sign: str, encoded: str) -> bool:
    try:
        return bool(identifier and sign) and len(base64.b64decode(encoded, validate=True)) == 32
    except binascii.Error:
        return False


def _servers_problem(settings: Settings) -> str | None:
    """Our own secrets are only made for a database of our own making."""
    if settings.migration_database_url and settings.database_url is None:
        return "DRUMBEAT_MIGRATION_DATABASE_URL is set and DATABASE_URL is not"
    return None


SETTING_PROBLEMS: tuple[Callable[[Settings], str | None], ...] = (
    _secret_key_problem,
    _encryption_keys_problem,
    _servers_problem,
)
