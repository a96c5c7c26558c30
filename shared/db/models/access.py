"""Who did what, and what was asked for twice."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, Fenced


class AuditRow(Fenced, Base):
    """One row that somebody has written. Triggers make them (`shared.db.fences.audit`).

    `actor`: `user:<id>` or `key:<id>`. `before`, `after`: the row, in a change only what differs.
    It points at nothing, so that it outlives what it tells about.
    """

    __tablename__ = "audit_log"
    __table_args__ = (Index(None, "company_id", "id"), Index(None, "company_id", "subject_id"))

    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    subject_id: Mapped[UUID | None]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


class IdempotencyKeyRow(Base):
    """A write that may be asked for again. Outside the fence: a person may have no company yet.

    It is found by a keyed hash of caller, address and key, and `answer` is sealed. `effect_at` is
    written in the effect's own transaction; without it nothing has happened yet.
    """

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index(None, "expires_at"), Index(None, "company_id"))

    scope_hash: Mapped[str] = mapped_column(unique=True)
    fingerprint: Mapped[str]
    company_id: Mapped[UUID | None]
    claimed_at: Mapped[datetime]
    effect_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    answer: Mapped[bytes | None]
    expires_at: Mapped[datetime]
