"""What a provider told us, in our words. Webhooks, polls and other people's jobs end up here."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.domain.inbound import InboundKind


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundEvent:
    """`provider_event_id` is unique per company and account; a repeat is the same event.

    At least one of `recipient_id`, `thread_id`, `message_ids` (the Message-IDs that it answers,
    nearest first) and `address` says whose it is. `returns_at`: when a lead who is away is back.
    `delivery_status`: what a report on a mail of ours says (RFC 3463).
    `is_kept_unmatched`: stored although it is nobody's; private mail in a mailbox is not.
    """

    company_id: UUID
    account_id: UUID | None
    provider: str
    provider_event_id: str
    kind: InboundKind
    occurred_at: datetime
    recipient_id: UUID | None = None
    thread_id: str | None = None
    message_ids: tuple[str, ...] = ()
    address: str | None = None
    subject: str | None = None
    text: str | None = None
    returns_at: datetime | None = None
    delivery_status: str | None = None
    is_kept_unmatched: bool = True
