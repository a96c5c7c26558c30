"""Stands in for Temporal where a test is not about time: remembers what it was asked to do."""

from shared.contracts.imports import ImportOrder
from shared.contracts.operations import (
    LaunchOrder,
    MailboxOrder,
    RehearsalOrder,
    SampleOrder,
    WakingOrder,
)
from shared.contracts.recipient import RecipientRef, RecipientStart, StopSignal, WakeSignal


class RecordingConductor:
    """`is_down` makes every call fail, as an outage would."""

    def __init__(self) -> None:
        self.started: list[RecipientStart] = []
        self.stops: list[tuple[RecipientRef, StopSignal]] = []
        self.wakes: list[tuple[RecipientRef, WakeSignal]] = []
        self.wakings: list[WakingOrder] = []
        self.launches: list[LaunchOrder] = []
        self.imports: list[ImportOrder] = []
        self.looks: list[MailboxOrder] = []
        self.samples: list[SampleOrder] = []
        self.rehearsals: list[RehearsalOrder] = []
        self.is_down = False

    async def start(self, start: RecipientStart) -> None:
        self._reach()
        self.started.append(start)

    async def stop(self, recipient: RecipientRef, signal: StopSignal) -> None:
        self._reach()
        self.stops.append((recipient, signal))

    async def wake(self, recipient: RecipientRef, signal: WakeSignal) -> None:
        self._reach()
        self.wakes.append((recipient, signal))

    async def wake_many(self, order: WakingOrder) -> None:
        self._reach()
        self.wakings.append(order)

    async def launch(self, order: LaunchOrder) -> None:
        self._reach()
        self.launches.append(order)

    async def start_import(self, order: ImportOrder) -> None:
        self._reach()
        self.imports.append(order)

    async def rehearse(self, order: RehearsalOrder) -> None:
        self._reach()
        self.rehearsals.append(order)

    async def look(self, order: MailboxOrder) -> None:
        self._reach()
        self.looks.append(order)

    async def send_sample(self, order: SampleOrder) -> None:
        self._reach()
        self.samples.append(order)

    def _reach(self) -> None:
        if self.is_down:
            raise ConnectionError("Temporal cannot be reached")
