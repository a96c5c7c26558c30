"""Background work that a person waits for; the API calls it a task."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, Fenced, Owned, company_key, same_company


class JobKind(StrEnum):
    IMPORT = "import"
    RUN = "run"
    LAUNCH = "launch"
    REHEARSAL = "rehearsal"


class JobStatus(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobRow(Owned, Base):
    """`errors`: the first hundred, as the API shows them; `more`: what only this kind has.

    `is_held`: nothing happens until a person has decided, so the sweeper leaves it alone.
    `campaign_id`: the one that a launcher starts; it has one such job at a time.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        company_key(),
        Index(
            "ix_jobs_unfinished",
            "kind",
            "created_at",
            postgresql_where=text("finished_at is null and not is_held"),
        ),
        same_company("campaign_id", "campaigns", on_delete="CASCADE"),
        Index(
            "ix_jobs_launching",
            "company_id",
            "campaign_id",
            unique=True,
            postgresql_where=text("kind = 'launch' and finished_at is null"),
        ),
    )

    kind: Mapped[JobKind]
    campaign_id: Mapped[UUID | None]
    status: Mapped[JobStatus] = mapped_column(
        default=JobStatus.PENDING, server_default=JobStatus.PENDING
    )
    is_held: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    processed: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    total: Mapped[int | None]
    errors: Mapped[list[dict[str, Any]]] = mapped_column(default=list, server_default=text("'[]'"))
    result_url: Mapped[str | None]
    more: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]


class RefusedRowRow(Fenced, Base):
    """A row of an uploaded file that did not become a lead, as it stood there."""

    __tablename__ = "refused_rows"
    __table_args__ = (
        same_company("job_id", "jobs", on_delete="CASCADE"),
        Index(None, "company_id", "job_id", "number", unique=True),
    )

    job_id: Mapped[UUID]
    number: Mapped[int]
    reason: Mapped[str]
    cells: Mapped[list[str]]
