"""Rehearsals that are too big for a request: what was asked, and the report."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, func
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, Fenced, same_company


class RehearsalRow(Fenced, Base):
    """`wish`: seed, beginning and behaviour, as `domain.behaviour_json` writes it. `report`: JSON
    as it was written, so that the same rehearsal is the same bytes; None until it is made."""

    __tablename__ = "rehearsals"
    __table_args__ = (
        same_company("job_id", "jobs", on_delete="CASCADE"),
        same_company("campaign_id", "campaigns", on_delete="CASCADE"),
        Index(None, "company_id", "job_id", unique=True),
        Index(None, "company_id", "campaign_id"),
    )

    job_id: Mapped[UUID]
    campaign_id: Mapped[UUID]
    wish: Mapped[dict[str, Any]]
    report: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
