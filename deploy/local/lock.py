"""One process at a time per folder: the kernel lets go of the lock when its holder dies."""

import contextlib
import fcntl
import os
from pathlib import Path

from shared.errors import Misconfigured


class InUse(Misconfigured):
    """Somebody else holds the lock; `pid` is theirs where it is known."""

    def __init__(self, message: str, *, pid: int | None) -> None:
        super().__init__(message)
        self.pid = pid


class FileLock:
    """`with FileLock(path):` holds `path`, which stays behind with the pid of its last holder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None

    def acquire(self) -> None:
        """Raises InUse at once when another process, or another lock of ours, has it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _pid_in(file)
            os.close(file)
            who = f"process {holder}" if holder else "another process"
            raise InUse(
                f"{self.path.parent} is in use by {who}: stop it, or set DRUMBEAT_DATA_DIR to "
                "another folder.",
                pid=holder,
            ) from None
        os.ftruncate(file, 0)
        os.write(file, f"{os.getpid()}\n".encode())
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def __enter__(self) -> "FileLock":
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def _pid_in(file: int) -> int | None:
    with contextlib.suppress(ValueError):
        return int(os.pread(file, 20, 0))
    return None
