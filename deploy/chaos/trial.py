"""What one attempt goes through: the faults whose moment comes while it runs."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.chaos.faults import DEEDS, WIRE, Fault, Injection
from deploy.chaos.workers import ChaosWorker

# Does what a person does, and says whether there was anything to do it to.
Deed = Callable[[Fault], Awaitable[bool]]


@dataclass(slots=True, kw_only=True)
class Zombie:
    """An attempt that Temporal has given up. It goes on at that moment of a later attempt."""

    attempt: int
    suspension: int
    gate: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True, kw_only=True)
class Trial:
    """Hears of every call and every wait of the attempt with this `number`.

    `is_bounded`: it has no one-time token, so that its call phase must not outlive its limit.
    """

    number: int
    worker: ChaosWorker
    admin: AsyncEngine
    injections: Sequence[Injection]
    zombies: list[Zombie]
    do: Deed
    tell: Callable[[str], None]
    is_bounded: bool = False
    held: asyncio.Event = field(default_factory=asyncio.Event)
    deeds: list[asyncio.Task[None]] = field(default_factory=list)
    commits_before: int = 0

    def __post_init__(self) -> None:
        self.commits_before = self.worker.commits

    async def before(self, operation: str) -> Fault | None:
        return await self._on_wire(operation, is_after=False)

    async def after(self, operation: str) -> Fault | None:
        return await self._on_wire(operation, is_after=True)

    async def on_suspension(self, number: int) -> None:
        self._release(number)
        for injection in self._pending(None):
            if number >= injection.suspension or injection.fault is Fault.KILLED_COMMITTING:
                await self._inject(injection, number)

    async def _on_wire(self, operation: str, *, is_after: bool) -> Fault | None:
        moment = f"{'after' if is_after else 'before'} {operation}"
        for injection in list(self._pending(operation)):
            if injection.is_after is not is_after:
                continue
            if injection.fault in WIRE:
                self._happened(injection, moment)
                return injection.fault
            await self._commit(injection, moment)
        return None

    async def _inject(self, injection: Injection, number: int) -> None:
        moment, worker = f"at wait {number}", self.worker
        match injection.fault:
            case Fault.KILLED:
                self._happened(injection, moment)
                worker.die()
            case Fault.KILLED_COMMITTING:
                commits = worker.commits - self.commits_before
                if worker.is_committing and commits >= injection.suspension:
                    self._happened(injection, f"{moment}, in commit {commits}")
                    worker.die()
            case Fault.BACKEND_TERMINATED:
                if worker.is_in_transaction:
                    self._happened(injection, moment)
                    await worker.lose_backends(self.admin)
            case Fault.ZOMBIE:
                # One that sleeps in a transaction would only make the others wait for its locks.
                if not worker.is_in_transaction:
                    self._happened(injection, moment)
                    await self._sleep(injection)
            case fault if fault in DEEDS:
                if worker.is_in_transaction:
                    # It may have to wait for this very transaction.
                    injection.strike()
                    self.deeds.append(asyncio.create_task(self._commit(injection, moment)))
                else:
                    await self._commit(injection, moment)

    async def _commit(self, injection: Injection, moment: str) -> None:
        injection.strike()
        has_happened = await self.do(injection.fault)
        injection.strike(has_happened=has_happened)
        if has_happened:
            self.tell(f"attempt {self.number}, {moment}: {injection.fault}")

    async def _sleep(self, injection: Injection) -> None:
        # The next attempt, or the one behind it, or the very end, for it may never come.
        later = 1 + injection.suspension % 2
        zombie = Zombie(attempt=self.number + later, suspension=injection.suspension)
        self.zombies.append(zombie)
        self.held.set()
        await zombie.gate.wait()
        self.tell(f"attempt {self.number} goes on as a zombie")
        if self.is_bounded and self.worker.commits > self.commits_before:
            # It has slept for longer than its calls may take.
            raise TimeoutError

    def _release(self, number: int) -> None:
        for zombie in self.zombies:
            if self.number >= zombie.attempt and number >= zombie.suspension:
                zombie.gate.set()

    def _pending(self, operation: str | None) -> Iterator[Injection]:
        for injection in self.injections:
            is_due = not injection.has_happened and self.number >= injection.attempt
            if is_due and injection.operation == operation:
                yield injection

    def _happened(self, injection: Injection, moment: str) -> None:
        injection.strike()
        self.tell(f"attempt {self.number}, {moment}: {injection.fault}")
