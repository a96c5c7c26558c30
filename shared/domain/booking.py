"""A plan moved into the slot that its account has for it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from shared.domain.recipient import Planned
from shared.domain.slots import Hold, Slot, next_slot
from shared.domain.windows import Opening, whole_second


def put_in_slot(
    plan: Planned, holds: Sequence[Hold], *, window: Opening | None, seed: str, now: datetime
) -> tuple[Planned, Slot]:
    """The plan in the first slot that no hold forbids, and the slot."""
    earliest = max(plan.at, whole_second(now))
    slot = next_slot(earliest, holds, window=window, seed=seed)
    if slot.at <= earliest:
        return plan, Slot(at=plan.at)
    label = f"{plan.label}: {slot.words}" if slot.words else plan.label
    return replace(plan, at=slot.at, label=label), slot
