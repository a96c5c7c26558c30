"""Hands the product's signals to the lives that they concern, in place of Temporal."""

from uuid import UUID

from deploy.chaos.life import Life
from shared.contracts.imports import ImportOrder
from shared.contracts.operations import (
    LaunchOrder,
    MailboxOrder,
    RehearsalOrder,
    SampleOrder,
    WakingOrder,
)
from shared.contracts.recipient import RecipientRef, RecipientStart, StopSignal, WakeSignal


class Signals:
    """The conductor of these runs: hands stops and wakes to the lives that they concern."""

    def __init__(self) -> None:
        self.lives: dict[UUID, Life] = {}

    async def start(self, start: RecipientStart) -> None:
        """Every life runs already."""

    async def stop(self, recipient: RecipientRef, signal: StopSignal) -> None:
        if life := self.lives.get(recipient.recipient_id):
            life.stop = life.stop or signal.reason

    async def wake(self, recipient: RecipientRef, signal: WakeSignal) -> None:
        if life := self.lives.get(recipient.recipient_id):
            # Of two at once neither is believed.
            life.woken = WakeSignal(event_id=signal.event_id) if life.woken else signal

    async def wake_many(self, order: WakingOrder) -> None: ...
    async def launch(self, order: LaunchOrder) -> None: ...
    async def start_import(self, order: ImportOrder) -> None: ...
    async def rehearse(self, order: RehearsalOrder) -> None: ...
    async def send_sample(self, order: SampleOrder) -> None: ...
    async def look(self, order: MailboxOrder) -> None: ...
