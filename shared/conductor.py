"""What the rest of the product may ask of the running recipients."""

from typing import Protocol

from shared.contracts.imports import ImportOrder
from shared.contracts.operations import LaunchOrder
from shared.contracts.recipient import RecipientRef, RecipientStart, StopSignal, WakeSignal


class Conductor(Protocol):
    """Each call may be repeated: once and often are the same."""

    async def start(self, start: RecipientStart) -> None: ...
    async def stop(self, recipient: RecipientRef, signal: StopSignal) -> None: ...
    async def wake(self, recipient: RecipientRef, signal: WakeSignal) -> None: ...
    async def launch(self, order: LaunchOrder) -> None: ...
    async def start_import(self, order: ImportOrder) -> None: ...
