"""Which children run, on disk: where a child can outlive us, the next start finds and ends it."""

import contextlib
import json
from collections.abc import Callable
from pathlib import Path

import psutil

from deploy.local.process import Child, Program

SAME_SECONDS = 0.1  # a pid is used again and again; together with its start it is not


class ChildRecords:
    """One small file per child in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def remember(self, child: Child) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            started = psutil.Process(child.pid).create_time()
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file(child.program.name).write_text(
                json.dumps({"pid": child.pid, "started": started})
            )

    def forget(self, name: str) -> None:
        self._file(name).unlink(missing_ok=True)

    def end_leftover(self, program: Program, *, say: Callable[[str], None]) -> None:
        """Blocking. A child of a run that was killed goes, if the pid still is that child's."""
        process = self.find(program.name)
        if process is None:
            return
        say(f"{program.name} of an earlier run is still there (pid {process.pid}): ending it")
        process.send_signal(program.orphan_signal)
        with contextlib.suppress(psutil.TimeoutExpired):
            process.wait(program.stop_seconds)
            return
        process.kill()
        process.wait(5)

    def find(self, name: str) -> psutil.Process | None:
        """The child of this name, if it runs."""
        try:
            record = json.loads(self._file(name).read_text())
            process = psutil.Process(record["pid"])
            is_same = abs(process.create_time() - record["started"]) < SAME_SECONDS
            return process if is_same and process.status() != psutil.STATUS_ZOMBIE else None
        except (FileNotFoundError, ValueError, KeyError, psutil.NoSuchProcess):
            return None

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.json"
