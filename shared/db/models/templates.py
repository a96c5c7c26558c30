"""Texts that people keep for their steps, and mails that they have sent to themselves."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, func
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, Fenced, Owned, same_company


class TemplateRow(Owned, Base):
    """A text to begin a step with: a step keeps its own copy."""

    __tablename__ = "templates"
    __table_args__ = (Index(None, "company_id", "created_at"),)

    name: Mapped[str]
    subject: Mapped[str | None]
    message_template: Mapped[str]
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class SampleStatus(StrEnum):
    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


class SampleMailRow(Fenced, Base):
    """A step's mail to one lead, sent to somebody else for a look at it.

    `sending`: the provider was asked. What breaks off there is not tried again.
    """

    __tablename__ = "sample_mails"
    __table_args__ = (
        same_company("campaign_id", "campaigns", on_delete="CASCADE"),
        same_company("lead_id", "leads", on_delete="CASCADE"),
        Index(None, "company_id", "campaign_id"),
        Index(None, "company_id", "lead_id"),
    )

    campaign_id: Mapped[UUID]
    lead_id: Mapped[UUID]
    step_id: Mapped[UUID]
    to_address: Mapped[str]
    status: Mapped[SampleStatus] = mapped_column(
        default=SampleStatus.PENDING, server_default=SampleStatus.PENDING
    )
    error: Mapped[str | None]
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    settled_at: Mapped[datetime | None]
