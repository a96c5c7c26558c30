"""Opens and clicks: they decide nothing, so they are kept apart from what came back."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, Fenced, same_company
from shared.domain.tracking import TrackingKind, Visitor


class TrackingEventRow(Fenced, Base):
    """All hits of one kind of visitor on one link of one mail: a flood of them is one row."""

    __tablename__ = "tracking_events"
    __table_args__ = (
        same_company("recipient_id", "recipients", on_delete="CASCADE"),
        UniqueConstraint(
            "company_id", "action_id", "kind", "visitor", "url", postgresql_nulls_not_distinct=True
        ),
        Index(None, "company_id", "campaign_id"),
        Index(None, "company_id", "recipient_id"),
    )

    recipient_id: Mapped[UUID]
    campaign_id: Mapped[UUID]
    step_id: Mapped[UUID]
    action_id: Mapped[UUID]
    kind: Mapped[TrackingKind]
    visitor: Mapped[Visitor]
    url: Mapped[str | None]
    user_agent: Mapped[str | None]
    hits: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
