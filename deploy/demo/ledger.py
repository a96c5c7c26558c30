"""What Drumbeat says it did, as its API shows it."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

SENT = frozenset({"sent", "responded"})
GIVEN_UP = frozenset({"failed"})
ENDED = frozenset({"completed", "failed", "responded"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerAction:
    """`confirmed_at` is when the last check before the send was passed."""

    step_id: str
    status: str
    executed_at: datetime | None
    confirmed_at: datetime | None

    @property
    def is_sent(self) -> bool:
        return self.status in SENT

    @property
    def is_in_doubt(self) -> bool:
        """It passed its last check, and what came of it is not known yet."""
        return self.status == "scheduled" and self.confirmed_at is not None

    @property
    def is_given_up(self) -> bool:
        return self.status in GIVEN_UP


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRecipient:
    """`detail` is the finer state: why it ended (replied, bounced, ...) or what holds it."""

    id: str
    lead_id: str
    status: str
    detail: str
    ended_at: datetime | None
    actions: tuple[LedgerAction, ...] = ()

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED

    def having(self, actions: list[LedgerAction]) -> Self:
        return replace(self, actions=tuple(actions))
