"""What has happened, and how often: written by triggers, whoever changes the rows."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, Fenced


class EventRow(Fenced, Base):
    """One thing that happened, for webhooks and live pages. Ids commit out of order.

    `name`: campaign.*, recipient.*, action.*, reply.*, call.*. `fanned_out_at`: every webhook
    that wants it has its delivery.
    """

    __tablename__ = "events"
    __table_args__ = (
        Index(None, "company_id", "created_at"),
        Index("ix_events_new", "created_at", postgresql_where=text("fanned_out_at is null")),
    )

    name: Mapped[str]
    campaign_id: Mapped[UUID | None]
    recipient_id: Mapped[UUID | None]
    action_id: Mapped[UUID | None]
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    fanned_out_at: Mapped[datetime | None]


class CampaignCounterRow(Fenced, Base):
    """A share of how many recipients a campaign has in each status; the shares add up.

    A writer adds to a share that nobody holds and makes one when there is none, so that
    counting never waits. There are as many shares as there have been writers at a time.
    """

    __tablename__ = "campaign_counters"
    __table_args__ = (
        Index(None, "company_id", "campaign_id"),
        # Room for new versions on the same page, so that the index stays as it is.
        {"postgresql_with": {"fillfactor": "50"}},
    )

    campaign_id: Mapped[UUID]
    pending: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    in_progress: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    completed: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    responded: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    failed: Mapped[int] = mapped_column(default=0, server_default=text("0"))


class StepCounterRow(Fenced, Base):
    """A share of what a step has done and what came back for it; the shares add up."""

    __tablename__ = "step_counters"
    __table_args__ = (
        Index(None, "company_id", "campaign_id", "step_id"),
        {"postgresql_with": {"fillfactor": "50"}},
    )

    campaign_id: Mapped[UUID]
    step_id: Mapped[UUID]
    sent: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    failed: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    skipped: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    replied: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    bounced: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    unsubscribed: Mapped[int] = mapped_column(default=0, server_default=text("0"))
