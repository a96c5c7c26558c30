"""Keeps programs running: in order up, in reverse order down, and up again when one dies."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from deploy.local.process import Child, DidNotStart, Program
from deploy.local.progress import say
from deploy.local.records import ChildRecords

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
STEADY_SECONDS = 30  # who ran this long starts again at the first pause


class Supervisor:
    """`records` is the folder in which our children are remembered."""

    def __init__(self, *, records: Path, say: Callable[[str], None] = say) -> None:
        self._say = say
        self._records = ChildRecords(records)
        self._children: dict[str, Child] = {}
        self._watchers: dict[str, asyncio.Task[None]] = {}

    async def __aenter__(self) -> "Supervisor":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self, program: Program) -> None:
        """Return when it is ready. Raises DidNotStart; from then on its deaths are mended."""
        await asyncio.to_thread(self._records.end_leftover, program, say=self._say)
        child = await self._spawn(program)
        await child.until_ready()
        self._watchers[program.name] = asyncio.create_task(self._watch(child))

    async def stop(self) -> None:
        """Nothing that was started is left when this returns, also when it is cancelled."""
        try:
            for name in reversed(list(self._children)):
                await self._stop_one(name)
        finally:
            for child in self._children.values():
                child.kill()

    def pid(self, name: str) -> int:
        return self._children[name].pid

    async def _stop_one(self, name: str) -> None:
        watcher = self._watchers.pop(name, None)
        if watcher is not None:
            watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watcher
        await self._children[name].stop()
        del self._children[name]
        self._records.forget(name)

    async def _spawn(self, program: Program) -> Child:
        child = await Child.spawn(program)
        self._children[program.name] = child
        self._records.remember(child)
        return child

    async def _watch(self, child: Child) -> None:
        program, pause = child.program, FIRST_PAUSE_SECONDS
        while True:
            started_at = time.monotonic()
            code = await child.wait()
            if time.monotonic() - started_at > STEADY_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            self._say(f"{program.name} {_ending(code)}; starting it again in {pause:.1f} s")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            child.kill()
            child = await self._again(program)

    async def _again(self, program: Program) -> Child:
        """The new child, ready or not: what failed for now may work at the next try."""
        while True:
            try:
                child = await self._spawn(program)
            except (OSError, DidNotStart) as error:
                self._say(f"{program.name} cannot be started: {error}")
                await asyncio.sleep(LONGEST_PAUSE_SECONDS)
                continue
            try:
                await child.until_ready()
                self._say(f"{program.name} is back")
            except DidNotStart as error:
                self._say(str(error))
                await child.stop()
            return child


def _ending(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with code {code}"
