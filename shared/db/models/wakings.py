"""Wakings: what many recipients are still to be told, so that no request has to tell them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Index, UniqueConstraint, Uuid, func, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, Fenced, company_key, same_company


class WakingRow(Fenced, Base):
    """Everybody in a campaign, or at an account, whom a change may let go on.

    `wakes_parked`: those that it held. `wakes_waiting`: those whose plan it may bring forward;
    `step_ids`: only those who wait for one of these. `place`: whom it has come to. Asked for again
    it begins anew, `asked_at` tells which time. `done_at`: everybody was told.
    """

    __tablename__ = "wakings"
    __table_args__ = (
        company_key(),
        same_company("campaign_id", "campaigns", on_delete="CASCADE"),
        same_company("account_id", "accounts", on_delete="CASCADE"),
        UniqueConstraint(
            "company_id", "campaign_id", "account_id", postgresql_nulls_not_distinct=True
        ),
        Index("ix_wakings_open", "asked_at", postgresql_where=text("done_at is null")),
    )

    campaign_id: Mapped[UUID | None]
    account_id: Mapped[UUID | None]
    wakes_parked: Mapped[bool]
    wakes_waiting: Mapped[bool]
    step_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid()))
    place: Mapped[UUID | None]
    told: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    asked_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    done_at: Mapped[datetime | None]
