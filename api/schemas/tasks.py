"""Bodies of /api/tasks, and of the upload of leads that makes one."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from api.schemas.fields import Answer, Body
from shared.db.models import JobKind, JobStatus
from shared.domain.inbound import ClassSource, ReplyClass

Header = Annotated[str, StringConstraints(min_length=1, max_length=220)]
FieldName = Annotated[str, StringConstraints(max_length=40)]
Mapping = dict[Header, FieldName | None]


class StartedTask(BaseModel):
    """Ask GET /api/tasks/{task_id} how far it is."""

    task_id: UUID


class TaskError(BaseModel):
    """`number`: the row in the file, of which the header is row 1."""

    number: int | None = None
    message: str


class Column(BaseModel):
    """`by`: who has said what the column is; nobody: its cells are kept under `custom`."""

    header: str
    field: str | None = Field(description="Null: the column is left out.")
    by: str = Field(description="name, content, model, you or nobody")


class TaskAnswer(Answer):
    """`errors`: the first hundred. `total` is an estimate until the task has ended."""

    id: UUID
    kind: JobKind
    status: JobStatus
    processed: int = Field(
        description="Import: rows that were read, blank ones left out. Launch: recipients started."
    )
    total: int | None
    errors: list[TaskError]
    result_url: str | None = Field(description="Import: where the refused rows are, if any.")
    created: int | None = Field(None, description="Import: leads that are new.")
    updated: int | None = Field(None, description="Import: rows that changed a lead.")
    skipped: int | None = Field(None, description="Import: rows that were refused.")
    campaign_id: UUID | None = Field(None, description="Launch and run: of which campaign.")
    added: int | None = Field(None, description="Launch and run: recipients that are new.")
    already: int | None = Field(None, description="Launch and run: leads that were in it before.")
    refused: int | None = Field(None, description="Launch and run: leads that cannot be reached.")
    file_name: str | None = None
    mapping: dict[str, str | None] | None = Field(None, description="Header to field.")
    columns: list[Column] | None = Field(None, description="The mapping, and whose it is.")
    waits_for_mapping: bool = Field(
        False, description="POST .../mapping confirms it, as it is or changed."
    )
    created_by: UUID | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    cancelled_at: datetime | None


class ConfirmedMapping(Body):
    """What is left out stays as it was proposed; null leaves a column out."""

    mapping: Mapping = Field(
        default_factory=dict,
        max_length=500,
        examples=[{"E-Mail": "email", "Notes": None, "Hobby": "custom"}],
    )


class TimelineEntry(BaseModel):
    """`what`: an action's channel and status, or the kind of what came back.

    `opened` and `clicked` have the action's id; `text` is where a click went.
    """

    at: datetime
    direction: str = Field(description="out or in")
    what: str = Field(examples=["email sent", "reply"])
    campaign_id: UUID | None
    recipient_id: UUID | None
    id: UUID = Field(description="Of the action or the event.")
    subject: str | None = None
    text: str | None = None
    reply_class: ReplyClass | None = Field(None, description="What a reply means.")
    class_source: ClassSource | None = Field(None, description="Who says so.")
