"""The ledger: who is in which campaign, what was done, and what came back."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, Fenced, company_key, same_company
from shared.domain.inbound import ClassSource, InboundKind, ReplyClass
from shared.domain.recipient import ActivityName, EndReason, HoldReason

# The provider_id of what a dry run has recorded as sent.
DRY_RUN = "dry run"


class ActionStatus(StrEnum):
    RESERVED = "reserved"
    SENT = "sent"
    REFUSED = "refused"
    UNCONFIRMED = "unconfirmed"
    ABANDONED = "abandoned"
    SKIPPED = "skipped"
    # Handed over, and not over: a call under way, a to-do with a person.
    PLACED = "placed"


class RecipientRow(Fenced, Base):
    """One lead in one campaign. Locking this row is how attempts and replies take turns.

    `started_at`: its waits count from here. `launched_at`: Temporal has acknowledged its workflow.
    `next_*`, `parked_at`, `hold_reason`: what the last decision answered. `ended_at`: nothing may
    be sent any more. `closed_at`: its workflow knows. `hurried_*`: somebody wants this step now.
    `account_id`: the mailbox that it stays on. `next_account_id`: what the next step goes through;
    `slot_*`: what that account has booked for the step, if it has limits.
    """

    __tablename__ = "recipients"
    __table_args__ = (
        company_key(),
        same_company("campaign_id", "campaigns"),
        same_company("lead_id", "leads"),
        UniqueConstraint("company_id", "campaign_id", "lead_id"),
        Index(None, "company_id", "lead_id"),
        Index(
            "ix_recipients_pending",
            "company_id",
            "campaign_id",
            "id",
            postgresql_where=text("launched_at is null and ended_at is null"),
        ),
        Index(
            "ix_recipients_open",
            "company_id",
            "campaign_id",
            postgresql_where=text("ended_at is null"),
        ),
        Index(
            "ix_recipients_due",
            "next_at",
            postgresql_where=text("launched_at is not null and closed_at is null"),
        ),
        Index(
            "ix_recipients_slots",
            "company_id",
            "next_account_id",
            "slot_at",
            postgresql_where=text("slot_at is not null and ended_at is null"),
        ),
        Index(
            "ix_recipients_parked",
            "company_id",
            "campaign_id",
            postgresql_where=text("parked_at is not null and ended_at is null"),
        ),
    )

    campaign_id: Mapped[UUID]
    lead_id: Mapped[UUID]
    account_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    started_at: Mapped[datetime | None]
    launched_at: Mapped[datetime | None]
    current_step: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    last_action_at: Mapped[datetime | None]
    next_activity: Mapped[ActivityName | None]
    next_step_id: Mapped[UUID | None]
    next_at: Mapped[datetime | None]
    parked_at: Mapped[datetime | None]
    hold_reason: Mapped[HoldReason | None]
    paused_at: Mapped[datetime | None]
    away_until: Mapped[datetime | None]
    hurried_step_id: Mapped[UUID | None]
    hurried_at: Mapped[datetime | None]
    next_account_id: Mapped[UUID | None]
    slot_at: Mapped[datetime | None]
    slot_step_id: Mapped[UUID | None]
    slot_words: Mapped[str | None]
    pinned_version_id: Mapped[UUID | None]
    reply_class: Mapped[ReplyClass | None]
    end_reason: Mapped[EndReason | None]
    ended_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]


class ActionRow(Fenced, Base):
    """One attempt to reach one recipient at one step. The unique key makes it at most one.

    `planned_at`: when it was due. `attempted_at`: when it was reserved. `confirmed_at`: the last
    check before the call. `settled_at`: when its end was known. `check_at`: when what was handed
    over is asked for. `outcomes`: what came of it, and when. `account_id` None: a person does it.
    """

    __tablename__ = "actions"
    __table_args__ = (
        same_company("recipient_id", "recipients", on_delete="CASCADE"),
        UniqueConstraint("company_id", "recipient_id", "step_id"),
        Index(None, "company_id", "account_id", "thread_id"),
        Index(None, "company_id", "account_id", "attempted_at"),
        Index(None, "company_id", "attempted_at", "id"),
        Index(None, "company_id", "message_id"),
        Index(
            "ix_actions_calls",
            "company_id",
            "provider_id",
            postgresql_where=text("activity = 'bland.call'"),
        ),
        Index(
            "ix_actions_placed",
            "check_at",
            postgresql_where=text("status = 'placed' and check_at is not null"),
        ),
        Index(
            "ix_actions_open",
            "attempted_at",
            postgresql_where=text("status in ('reserved', 'unconfirmed')"),
        ),
    )

    recipient_id: Mapped[UUID]
    campaign_id: Mapped[UUID]
    step_id: Mapped[UUID]
    account_id: Mapped[UUID | None]
    version_id: Mapped[UUID]
    activity: Mapped[ActivityName | None]
    status: Mapped[ActionStatus] = mapped_column(
        default=ActionStatus.RESERVED, server_default=ActionStatus.RESERVED
    )
    round: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    content_hash: Mapped[bytes | None]
    draft_id: Mapped[str | None]
    thread_id: Mapped[str | None]
    provider_id: Mapped[str | None]
    message_id: Mapped[str | None]
    refusal: Mapped[str | None]
    planned_at: Mapped[datetime]
    attempted_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    check_at: Mapped[datetime | None]
    outcomes: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    responded_at: Mapped[datetime | None]


class InboundEventRow(Fenced, Base):
    """What came back, stored once. `signalled_at`: every workflow that it concerns was told.

    `delivery_status`: of a report on a mail of ours (RFC 3463). `class_source`: who says what the
    reply means. `match_tried_at`: nobody's then; it is tried again.
    """

    __tablename__ = "inbound_events"
    __table_args__ = (
        UniqueConstraint(
            "company_id", "account_id", "provider_event_id", postgresql_nulls_not_distinct=True
        ),
        Index(None, "company_id", "recipient_id"),
        Index(
            "ix_inbound_events_unsignalled",
            "stored_at",
            postgresql_where=text("signalled_at is null and recipient_id is not null"),
        ),
        Index(
            "ix_inbound_events_unmatched",
            text("coalesce(match_tried_at, stored_at)"),
            postgresql_where=text("recipient_id is null"),
        ),
        Index(
            "ix_inbound_events_unasked",
            "stored_at",
            postgresql_where=text("class_source = 'rules' and class_asked_at is null"),
        ),
    )

    account_id: Mapped[UUID | None]
    provider: Mapped[str]
    provider_event_id: Mapped[str]
    kind: Mapped[InboundKind]
    recipient_id: Mapped[UUID | None]
    thread_id: Mapped[str | None]
    message_ids: Mapped[list[str]] = mapped_column(default=list, server_default=text("'{}'"))
    address: Mapped[str | None]
    subject: Mapped[str | None]
    text: Mapped[str | None]
    returns_at: Mapped[datetime | None]
    delivery_status: Mapped[str | None]
    reply_class: Mapped[ReplyClass | None]
    class_source: Mapped[ClassSource | None]
    class_asked_at: Mapped[datetime | None]
    match_tried_at: Mapped[datetime | None]
    occurred_at: Mapped[datetime]
    stored_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    signalled_at: Mapped[datetime | None]
