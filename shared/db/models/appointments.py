"""Whose calendar is where, the secrets that open it, and what was agreed with leads."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, Fenced, Owned, company_key, same_company


class CalendarProvider(StrEnum):
    """`link`: no calendar of ours to see, but a page on which leads choose a time."""

    GOOGLE = "google"
    CRONOFY = "cronofy"
    LINK = "link"


class AppointmentStatus(StrEnum):
    """`reserved`: the provider was asked, and its answer is not known yet. `offered`: the lead
    was given a link, and has not chosen."""

    RESERVED = "reserved"
    BOOKED = "booked"
    OFFERED = "offered"
    REFUSED = "refused"


class CalendarRow(Owned, Base):
    """One for each person of a company. `provider_calendar_id`: which of theirs, at Cronofy."""

    __tablename__ = "calendars"
    __table_args__ = (company_key(), UniqueConstraint("company_id", "user_id"))

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    provider: Mapped[CalendarProvider]
    email: Mapped[str | None]
    booking_url: Mapped[str | None]
    provider_calendar_id: Mapped[str | None]
    trouble: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class CalendarTokenRow(Fenced, Base):
    """Sealed, and shown only to the user whose calendar it is (`app.user_id`)."""

    __tablename__ = "calendar_tokens"
    __table_args__ = (
        same_company("calendar_id", "calendars", on_delete="CASCADE"),
        UniqueConstraint("company_id", "calendar_id"),
    )

    calendar_id: Mapped[UUID]
    user_id: Mapped[UUID]
    refresh_token: Mapped[bytes]
    access_token: Mapped[bytes]
    expires_at: Mapped[datetime]


class AppointmentRow(Fenced, Base):
    """Its id is the event's at the provider, so that a repetition is the same event."""

    __tablename__ = "appointments"
    __table_args__ = (
        same_company("calendar_id", "calendars", on_delete="CASCADE"),
        same_company("lead_id", "leads", on_delete="CASCADE"),
        same_company("recipient_id", "recipients", on_delete="CASCADE"),
        Index(None, "company_id", "calendar_id", "starts_at"),
        Index(None, "company_id", "lead_id"),
        Index(None, "company_id", "recipient_id"),
        Index(None, "company_id", "id"),
        Index(
            "ix_appointments_reserved", "created_at", postgresql_where=text("status = 'reserved'")
        ),
    )

    calendar_id: Mapped[UUID]
    user_id: Mapped[UUID]
    lead_id: Mapped[UUID]
    recipient_id: Mapped[UUID | None]
    title: Mapped[str]
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    status: Mapped[AppointmentStatus]
    url: Mapped[str | None]
    refusal: Mapped[str | None]
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    booked_at: Mapped[datetime | None]
