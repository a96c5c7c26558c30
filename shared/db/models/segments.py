"""Filters of leads that somebody has given a name."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, Owned, company_key


class SegmentRow(Owned, Base):
    """`filter`: as the list of leads takes it. Who is in it is found anew each time."""

    __tablename__ = "segments"
    __table_args__ = (company_key(), UniqueConstraint("company_id", "name"))

    name: Mapped[str]
    description: Mapped[str | None]
    filter: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
