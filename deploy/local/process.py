"""A child process: how it is started, when it is ready, how it is stopped."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Container, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from shared.errors import DrumbeatError

LEASH = Path(__file__).with_name("leash.py")
LOG_BYTES = 20_000_000
POLL_SECONDS = 0.02


class DidNotStart(DrumbeatError):
    """A program ended before it was ready, or was not ready in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The system user that a program runs as."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to run. `environment` comes on top of ours, without the names in `unset`."""

    name: str
    command: tuple[str, ...]
    log: Path
    is_ready: Callable[[], Awaitable[bool]]
    before_start: Callable[[], None] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    cwd: Path | None = None
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGKILL
    stop_seconds: float = 10
    ready_seconds: float = 60


class Child:
    """A running program. It leads a session of its own, so Ctrl-C reaches only us."""

    def __init__(self, program: Program, process: asyncio.subprocess.Process) -> None:
        self.program = program
        self.pid = process.pid
        self._process = process

    @classmethod
    async def spawn(cls, program: Program) -> "Child":
        if program.before_start is not None:
            await asyncio.to_thread(program.before_start)
        _make_room(program.log)
        with program.log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *leashed(program.command, account=program.account, number=program.orphan_signal),
                env=child_environment(program.environment, unset=program.unset),
                cwd=program.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return cls(program, process)

    async def until_ready(self) -> None:
        """Return when it answers. Raises DidNotStart with the end of its log."""
        deadline = time.monotonic() + self.program.ready_seconds
        while not await self.program.is_ready():
            if self._process.returncode is not None:
                raise DidNotStart(self._report(f"ended with code {self._process.returncode}"))
            if time.monotonic() > deadline:
                raise DidNotStart(
                    self._report(f"was not ready after {self.program.ready_seconds:.0f} s")
                )
            await asyncio.sleep(POLL_SECONDS)

    async def wait(self) -> int:
        return await self._process.wait()

    async def stop(self) -> None:
        """Ask, wait for as long as the program may take, then kill what is left of its group."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(self.program.stop_signal)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), self.program.stop_seconds)
        self.kill()
        await self._process.wait()

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def _report(self, what: str) -> str:
        lines = self.program.log.read_text(errors="replace").splitlines()[-15:]
        tail = "".join(f"\n    {line[:500]}" for line in lines)
        return f"{self.program.name} {what}. The end of {self.program.log}:{tail}"


def leashed(
    command: tuple[str, ...], *, account: Account | None = None, number: int = signal.SIGKILL
) -> list[str]:
    """The same command, run as `account`, that gets the signal `number` when we die.

    Linux watches the thread that started it: with any but the main one, which lives as long
    as we do, the signal would come too early, so it is left out.
    """
    is_main = threading.current_thread() is threading.main_thread()
    options = [f"--parent={os.getpid()}", f"--signal={int(number) if is_main else 0}"]
    if account is not None:
        options.append(f"--user={account.uid}:{account.gid}")
    return [sys.executable, "-I", "-S", str(LEASH), *options, "--", *command]


def child_environment(added: Mapping[str, str], *, unset: Container[str] = ()) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in unset}
    return kept | dict(added)


def _make_room(log: Path) -> None:
    """One older log is kept; none of the programs we start turns over its own."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_name(log.name + ".1"))
