"""What the rest of the product may ask of the running recipients."""

from typing import Protocol

from shared.contracts.imports import ImportOrder
from shared.contracts.operations import (
    LaunchOrder,
    MailboxOrder,
    RehearsalOrder,
    SampleOrder,
    WakingOrder,
)
from shared.contracts.recipient import RecipientRef, RecipientStart, StopSignal, WakeSignal
from shared.errors import DrumbeatError


class Overloaded(DrumbeatError):
    """Temporal has more to do than it can: it did not take the call. Ask again, more slowly."""


class Conductor(Protocol):
    """Each call may be repeated: once and often are the same."""

    async def start(self, start: RecipientStart) -> None: ...
    async def stop(self, recipient: RecipientRef, signal: StopSignal) -> None: ...
    async def wake(self, recipient: RecipientRef, signal: WakeSignal) -> None: ...
    async def wake_many(self, order: WakingOrder) -> None: ...
    async def launch(self, order: LaunchOrder) -> None: ...
    async def start_import(self, order: ImportOrder) -> None: ...
    async def rehearse(self, order: RehearsalOrder) -> None: ...
    async def send_sample(self, order: SampleOrder) -> None: ...
    async def look(self, order: MailboxOrder) -> None: ...
