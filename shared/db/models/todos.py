"""What people do by hand: steps that no account does, and whatever they note for each other."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, Owned, same_company
from shared.domain.branches import StepOutcome
from shared.domain.channels import Channel


class TodoStatus(StrEnum):
    OPEN = "open"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    CANCELLED = "cancelled"


class TodoRow(Owned, Base):
    """A step in a person's hands (with `action_id`), or what a person has noted (without).

    `round`: of the action; begun anew, it is another to-do. `text`: what to copy, filled in when
    the step was opened. `reason`: why it was cancelled. `assignee_id`: a member's user; nobody's
    when they leave. `outcome`: what came of it beside done, skipped or failed.
    """

    __tablename__ = "todos"
    __table_args__ = (
        same_company("recipient_id", "recipients", on_delete="CASCADE"),
        same_company("lead_id", "leads", on_delete="CASCADE"),
        ForeignKeyConstraint(
            ["company_id", "assignee_id"],
            ["memberships.company_id", "memberships.user_id"],
            ondelete="SET NULL (assignee_id)",
        ),
        UniqueConstraint("company_id", "action_id", "round"),
        Index(None, "company_id", "due_at", "id"),
        Index(
            "ix_todos_open", "company_id", "due_at", "id", postgresql_where=text("status = 'open'")
        ),
        Index(None, "company_id", "recipient_id"),
        Index(None, "company_id", "lead_id"),
        Index(None, "company_id", "assignee_id"),
    )

    recipient_id: Mapped[UUID | None]
    campaign_id: Mapped[UUID | None]
    action_id: Mapped[UUID | None]
    round: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    step_id: Mapped[UUID | None]
    lead_id: Mapped[UUID | None]
    channel: Mapped[Channel] = mapped_column(default=Channel.TASK, server_default=Channel.TASK)
    title: Mapped[str]
    text: Mapped[str | None]
    assignee_id: Mapped[UUID | None]
    due_at: Mapped[datetime | None]
    status: Mapped[TodoStatus] = mapped_column(
        default=TodoStatus.OPEN, server_default=TodoStatus.OPEN
    )
    outcome: Mapped[StepOutcome | None]
    note: Mapped[str | None]
    reason: Mapped[str | None]
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    settled_by: Mapped[UUID | None]
    settled_at: Mapped[datetime | None]
