"""Where a company wants to hear of its events, and what became of each message."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, Fenced, Owned, company_key, same_company


class DeliveryStatus(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class WebhookRow(Owned, Base):
    """`secret` is sealed. `failures`: in a row, since `failing_since`.

    `old_secret`: sealed too, it signs beside the new one until `old_secret_until`.
    `resting_until`: it failed so often that nothing is tried before.
    """

    __tablename__ = "webhooks"
    __table_args__ = (company_key(), Index(None, "company_id", "created_at"))

    url: Mapped[str]
    description: Mapped[str | None]
    events: Mapped[list[str]]
    secret: Mapped[bytes]
    old_secret: Mapped[bytes | None]
    old_secret_until: Mapped[datetime | None]
    is_enabled: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    disabled_reason: Mapped[str | None]
    failures: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    failing_since: Mapped[datetime | None]
    resting_until: Mapped[datetime | None]
    last_attempt_at: Mapped[datetime | None]
    last_success_at: Mapped[datetime | None]
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class WebhookDeliveryRow(Fenced, Base):
    """One event on its way to one webhook; the unique key makes it one message.

    `next_at`: when it is tried. An attempt moves it ahead before it calls, so that one that died
    is made again. `response_*`, `error`: of the last attempt.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        same_company("webhook_id", "webhooks", on_delete="CASCADE"),
        UniqueConstraint("company_id", "webhook_id", "event_id"),
        Index(
            "ix_webhook_deliveries_due",
            "company_id",
            "webhook_id",
            "next_at",
            postgresql_where=text("status = 'pending'"),
        ),
        Index(
            "ix_webhook_deliveries_settled",
            "created_at",
            postgresql_where=text("status <> 'pending'"),
        ),
    )

    webhook_id: Mapped[UUID]
    event_id: Mapped[UUID]
    event: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    occurred_at: Mapped[datetime]
    status: Mapped[DeliveryStatus] = mapped_column(
        default=DeliveryStatus.PENDING, server_default=DeliveryStatus.PENDING
    )
    attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    next_at: Mapped[datetime | None] = mapped_column(server_default=func.now())
    last_attempt_at: Mapped[datetime | None]
    response_status: Mapped[int | None]
    response_body: Mapped[str | None]
    response_ms: Mapped[int | None]
    error: Mapped[str | None]
    delivered_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
