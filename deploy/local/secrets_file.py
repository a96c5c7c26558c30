"""Random secrets of a local start, made once and kept: with new ones nothing sealed opens."""

import base64
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

MAKERS: Mapping[str, Callable[[], str]] = {
    "DRUMBEAT_SECRET_KEY": lambda: secrets.token_urlsafe(48),
    "DRUMBEAT_ENCRYPTION_KEYS": lambda: f"k1:{base64.b64encode(os.urandom(32)).decode()}",
}


def keep_secrets(file: Path) -> dict[str, str]:
    """What `file` holds; what is missing is made and written first. Mode 600."""
    found = _read(file)
    missing = {name: make() for name, make in MAKERS.items() if name not in found}
    if missing:
        _write(file, found | missing)
    return found | missing


def _read(file: Path) -> dict[str, str]:
    if not file.exists():
        return {}
    lines = (line.partition("=") for line in file.read_text(encoding="utf-8").splitlines())
    return {name.strip(): value.strip() for name, sign, value in lines if sign and name[:1] != "#"}


def _write(file: Path, values: Mapping[str, str]) -> None:
    """Whole or not at all: a kill in between must not lose a key that has sealed something."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(file.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    opened = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(opened, "w", encoding="utf-8") as out:
        out.write(
            "# Keep this file with the database: without it nothing in there can be opened.\n"
        )
        out.writelines(f"{name}={value}\n" for name, value in values.items())
        out.flush()
        os.fsync(opened)
    unfinished.replace(file)
