"""People to reach, and addresses that must never be reached again."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Computed, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, Owned, company_key
from shared.domain.leads import LeadStatus

# What a list can be narrowed by. Row security lets only leakproof comparisons use an index, so
# the small letters are stored.
FOLDED = ("company_name", "role", "seniority", "industry", "city", "country")


WORDS = "lead_words(company_id, email, name, first_name, last_name, company_name)"


def _folded(column: str) -> Mapped[str | None]:
    return mapped_column(Computed(f"lower({column})", persisted=True))


def _listed(column: str) -> Index:
    """In the order of the list, newest last."""
    there = text(f"{column} is not null")
    return Index(f"ix_leads_{column}", "company_id", column, "id", postgresql_where=there)


class LeadRow(Owned, Base):
    """`suppression_keys`: keyed hashes of every address by which this lead can be suppressed."""

    __tablename__ = "leads"
    __table_args__ = (
        company_key(),
        UniqueConstraint("company_id", "email"),
        Index(None, "company_id", "created_at"),
        # For `leads_matching`, which alone may look past row security for it.
        Index("ix_leads_words", text(WORDS), postgresql_using="gin"),
        Index("ix_leads_status", "company_id", "status", "id"),
        *(_listed(f"{name}_folded") for name in FOLDED),
        *(_listed(name) for name in ("linkedin_url", "phone", "fit_score", "budget_max")),
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
    company_name_folded: Mapped[str | None] = _folded("company_name")
    role_folded: Mapped[str | None] = _folded("role")
    seniority_folded: Mapped[str | None] = _folded("seniority")
    industry_folded: Mapped[str | None] = _folded("industry")
    city_folded: Mapped[str | None] = _folded("city")
    country_folded: Mapped[str | None] = _folded("country")
    suppression_keys: Mapped[list[bytes]] = mapped_column(default=list, server_default=text("'{}'"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class SuppressionRow(Owned, Base):
    """Found by `key_hash`; the clear `value` is optional and goes when a lead is erased.

    `kind`: a `SuppressionKind`, or `erased` where an old erasure did not say. `source`: who told.
    """

    __tablename__ = "suppressions"
    __table_args__ = (UniqueConstraint("company_id", "key_hash"), Index(None, "company_id", "id"))

    key_hash: Mapped[bytes]
    kind: Mapped[str]
    value: Mapped[str | None]
    reason: Mapped[str]
    source: Mapped[str] = mapped_column(default="inbound", server_default="inbound")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
