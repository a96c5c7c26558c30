"""A process of its own that runs a piece of code until it is killed."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


class Holder:
    """It runs `code` with `arguments`, and tells what it has to tell a line at a time."""

    def __init__(
        self, code: str, *arguments: object, environment: Mapping[str, str] | None = None
    ) -> None:
        command = [sys.executable, "-c", code, *map(str, arguments)]
        self.process = subprocess.Popen(  # noqa: S603  # our own code
            command, stdout=subprocess.PIPE, text=True, env=environment
        )
        self.pid = self.process.pid

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def holding(code: str, *arguments: object) -> Iterator[Holder]:
    holder = Holder(code, *arguments)
    try:
        yield holder
    finally:
        holder.kill()
        assert holder.process.stdout is not None
        holder.process.stdout.close()


def names_in(folder: Path, pattern: str = "*") -> list[str]:
    return sorted(file.name for file in folder.glob(pattern))
