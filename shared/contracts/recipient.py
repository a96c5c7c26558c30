"""Messages to, from and inside the recipient workflow.

Temporal keeps them in history for months: add fields with a default, never rename
or remove one. They carry ids and small enums, never an address or a text.
"""

from dataclasses import dataclass
from uuid import UUID

from shared.domain.recipient import ActivityName, EndReason, Planned


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientRef:
    """Names one recipient to whoever starts it or signals it."""

    company_id: UUID
    campaign_id: UUID
    recipient_id: UUID

    @property
    def workflow_id(self) -> str:
        return f"recipient/{self.company_id}/{self.recipient_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientStart:
    """`account_id` is only what operators search by; the rows say which account is used."""

    recipient: RecipientRef
    next: Planned
    account_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionOrder:
    company_id: UUID
    recipient_id: UUID
    activity: ActivityName
    step_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseOrder:
    company_id: UUID
    recipient_id: UUID
    reason: EndReason


@dataclass(frozen=True, slots=True, kw_only=True)
class StopSignal:
    event_id: UUID
    reason: EndReason


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeSignal:
    """`next`: what the rows say since the change, by whoever has made it; None: look at them."""

    event_id: UUID
    next: Planned | None = None
