"""Bodies of /api/todos."""

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.fields import Body, Instant, Long, NotNull, Short
from shared.db.models import TodoStatus
from shared.domain.branches import StepOutcome
from shared.domain.channels import Channel

_NEW: dict[str, Any] = {"title": "Send Ada the floor plan", "due_at": "2026-03-02T10:00:00Z"}
_DONE: dict[str, Any] = {"note": "She has accepted at once", "outcome": "connected"}
Assignee = Annotated[
    UUID | None, Field(description="A member's user_id; null: whoever comes first.")
]


class TodoLead(BaseModel):
    """Whom it is about, as the lead is now: where to find the profile, whom to call."""

    id: UUID
    name: str | None
    email: str | None
    phone: str | None
    linkedin_url: str | None
    company_name: str | None


class TodoAnswer(BaseModel):
    """`action_id` null: no step of a campaign, but what a person has noted."""

    id: UUID
    status: TodoStatus
    is_overdue: bool = Field(description="Open, and its date is past.")
    is_held: bool = Field(description="Open, but its recipient or campaign is paused: let it be.")
    channel: Channel
    title: str = Field(examples=["Invite Ada Lovelace on LinkedIn"])
    text: str | None = Field(description="What to copy, filled in for this lead.")
    due_at: datetime | None
    assignee_id: UUID | None
    lead: TodoLead | None
    campaign_id: UUID | None
    recipient_id: UUID | None
    action_id: UUID | None
    step_id: UUID | None
    outcome: StepOutcome | None = Field(
        description="What came of it, beside done, skipped or failed."
    )
    note: str | None
    reason: str | None = Field(description="Why it was cancelled, such as `replied`.")
    created_by: UUID | None
    created_at: datetime
    settled_by: UUID | None
    settled_at: datetime | None


class NewTodo(Body):
    """What a person notes for themselves or for a colleague; no campaign waits for it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_NEW]})

    title: Short
    text: Long | None = None
    lead_id: UUID | None = None
    due_at: Instant | None = None
    assignee_id: Assignee = None


class TodoChange(Body):
    """What is left out stays as it is. A step's words are its campaign's."""

    read_only: ClassVar = frozenset(TodoAnswer.model_fields) - {
        *("title", "text", "due_at", "assignee_id")
    }

    title: Annotated[Short | None, NotNull] = Field(None, examples=["Send Ada the floor plan"])
    text: Long | None = None
    due_at: Instant | None = None
    assignee_id: Assignee = None


class TodoNote(Body):
    note: Long | None = Field(None, examples=["The profile is gone"])


class TodoDone(TodoNote):
    """`outcome`: for an invitation on LinkedIn `connected`, also later, when it was accepted; for
    a call `answered`, `voicemail` or `no_answer`. A branch of the campaign may ask for it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_DONE]})

    outcome: StepOutcome | None = None
