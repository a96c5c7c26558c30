"""The worker processes of all runs: whoever is free serves the next attempt."""

from collections.abc import Callable

from deploy.chaos.workers import ChaosWorker


class Crew:
    """`hire` makes a new one: when all are busy, and in place of those that died."""

    def __init__(self, hire: Callable[[], ChaosWorker]) -> None:
        self._hire = hire
        self._free: list[ChaosWorker] = []

    def take(self) -> ChaosWorker:
        return self._free.pop() if self._free else self._hire()

    async def give_back(self, worker: ChaosWorker) -> None:
        worker.face(None)
        if worker.is_dead:
            await worker.close()
        else:
            self._free.append(worker)

    async def close(self) -> None:
        while self._free:
            await self._free.pop().close()
