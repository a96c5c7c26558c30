"""People to reach, and addresses that must never be reached again."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, Owned, company_key


class LeadStatus(StrEnum):
    NEW = "new"
    CONTACTED = "contacted"
    REPLIED = "replied"
    INTERESTED = "interested"
    NOT_INTERESTED = "not_interested"
    BOUNCED = "bounced"
    UNSUBSCRIBED = "unsubscribed"


class LeadRow(Owned, Base):
    """`suppression_keys`: keyed hashes of every address by which this lead can be suppressed."""

    __tablename__ = "leads"
    __table_args__ = (
        company_key(),
        UniqueConstraint("company_id", "email"),
        Index(None, "company_id", "created_at"),
    )

    email: Mapped[str | None]
    phone: Mapped[str | None]
    linkedin_url: Mapped[str | None]
    first_name: Mapped[str | None]
    last_name: Mapped[str | None]
    name: Mapped[str | None]
    title: Mapped[str | None]
    role: Mapped[str | None]
    seniority: Mapped[str | None]
    company_name: Mapped[str | None]
    company_website: Mapped[str | None]
    industry: Mapped[str | None]
    city: Mapped[str | None]
    region: Mapped[str | None]
    country: Mapped[str | None]
    time_zone: Mapped[str | None]
    language: Mapped[str | None]
    fit_score: Mapped[int | None]
    budget_min: Mapped[int | None] = mapped_column(BigInteger)
    budget_max: Mapped[int | None] = mapped_column(BigInteger)
    beds: Mapped[int | None]
    areas: Mapped[list[str]] = mapped_column(default=list, server_default=text("'{}'"))
    status: Mapped[LeadStatus] = mapped_column(
        default=LeadStatus.NEW, server_default=LeadStatus.NEW
    )
    location_moves: Mapped[list[dict[str, Any]]] = mapped_column(
        default=list, server_default=text("'[]'")
    )
    job_changes: Mapped[list[dict[str, Any]]] = mapped_column(
        default=list, server_default=text("'[]'")
    )
    source: Mapped[str | None]
    consent: Mapped[str | None]
    custom: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    suppression_keys: Mapped[list[bytes]] = mapped_column(default=list, server_default=text("'{}'"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class SuppressionRow(Owned, Base):
    """Found by `key_hash`; the clear `value` is optional and goes when a lead is erased."""

    __tablename__ = "suppressions"
    __table_args__ = (UniqueConstraint("company_id", "key_hash"),)

    key_hash: Mapped[bytes]
    kind: Mapped[str]
    value: Mapped[str | None]
    reason: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
