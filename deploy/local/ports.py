"""Ports of the loopback address that stay the same from one start to the next."""

import contextlib
import json
import random
import socket
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

# Below what Linux and macOS hand out to outgoing connections, so nobody takes one by accident.
RANGE = range(20000, 32000)
PATIENCE_SECONDS = 5.0  # a server that was just killed may still hold its ports


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((host, port))
            tried.listen()
        except OSError:
            return False
    return True


def free_port(
    *, preferred: int | None = None, host: str = "127.0.0.1", taken: Iterable[int] = ()
) -> int:
    """`preferred` if nobody has it, else any."""
    if preferred and preferred not in taken and is_free(preferred, host):
        return preferred
    candidates = random.sample(RANGE, 200)
    return next(port for port in candidates if port not in taken and is_free(port, host))


def remembered_ports(
    file: Path, names: Iterable[str], *, preferred: Mapping[str, int] | None = None
) -> dict[str, int]:
    """A port for each name: the one in `file` where it is free, and `file` says what it was."""
    before = _read(file)
    deadline = time.monotonic() + PATIENCE_SECONDS
    chosen: dict[str, int] = {}
    for name in names:
        port = before.get(name)
        while port and not is_free(port) and time.monotonic() < deadline:
            time.sleep(0.05)
        wanted = port or (preferred or {}).get(name)
        chosen[name] = free_port(preferred=wanted, taken=chosen.values())
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(before | chosen, indent=1))
    return chosen


def _read(file: Path) -> dict[str, int]:
    with contextlib.suppress(FileNotFoundError, ValueError):
        found = json.loads(file.read_text())
        return {str(name): int(port) for name, port in found.items()}
    return {}
