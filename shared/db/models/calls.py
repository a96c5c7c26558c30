"""Phone calls by an AI agent: what was said, and the keys of the accounts that place them."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Numeric, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, Fenced, same_company
from shared.domain.branches import StepOutcome


class CallRow(Fenced, Base):
    """One call that was placed. `ended_at` None and `collected_at` None: it is under way.

    `provider_id`: the provider's call id. `price` in dollars. `transcript`: who said what, in
    order, as [{speaker, text, said_at}]. `said_never_again`: the lead is not to be contacted.
    """

    __tablename__ = "calls"
    __table_args__ = (
        same_company("recipient_id", "recipients", on_delete="CASCADE"),
        same_company("lead_id", "leads", on_delete="CASCADE"),
        UniqueConstraint("company_id", "provider_id"),
        Index(None, "company_id", "campaign_id", "id"),
        Index(None, "company_id", "recipient_id"),
        Index(None, "company_id", "action_id"),
        Index(None, "company_id", "lead_id"),
    )

    recipient_id: Mapped[UUID]
    campaign_id: Mapped[UUID]
    lead_id: Mapped[UUID]
    action_id: Mapped[UUID]
    step_id: Mapped[UUID]
    account_id: Mapped[UUID | None]
    provider_id: Mapped[str]
    phone: Mapped[str | None]
    outcome: Mapped[StepOutcome | None]
    status: Mapped[str | None]
    answered_by: Mapped[str | None]
    disposition: Mapped[str | None]
    said_never_again: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    summary: Mapped[str | None]
    transcript: Mapped[list[dict[str, Any]]] = mapped_column(
        default=list, server_default=text("'[]'")
    )
    recording_url: Mapped[str | None]
    price: Mapped[Decimal | None] = mapped_column(Numeric(12, 4))
    duration_seconds: Mapped[int | None]
    error: Mapped[str | None]
    placed_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    collected_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class BlandLoginRow(Fenced, Base):
    """How an account of kind `bland` is opened; its sealed key, shown only to its user.

    `webhook_secret`: with which this account's webhooks are signed; None: the installation's.
    """

    __tablename__ = "bland_logins"
    __table_args__ = (
        same_company("account_id", "accounts", on_delete="CASCADE"),
        UniqueConstraint("company_id", "account_id"),
    )

    account_id: Mapped[UUID]
    user_id: Mapped[UUID]
    api_key: Mapped[bytes]
    webhook_secret: Mapped[bytes | None]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
