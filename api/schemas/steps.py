"""Bodies of a campaign's steps, whichever channel they go through."""

from datetime import date, datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import ConfigDict, Field

from api.schemas.calls import CallOptions
from api.schemas.conditions import Key, When
from api.schemas.fields import Answer, Body, Flag, NotNull, Short, Words
from api.schemas.pacing import BusinessDays, OnDate
from shared.domain.channels import Channel

Subject = Annotated[Short, Field(max_length=300, examples=["A question, {{ lead.first_name }}"])]
Days = Annotated[int, Field(ge=0, le=3_650)]
Hours = Annotated[int, Field(ge=0, le=87_600)]
Minutes = Annotated[int, Field(ge=0, le=1_000_000)]
Seconds = Annotated[int, Field(ge=0, le=100_000_000)]


class TaskOptions(Body):
    """Of what a person does."""

    assignee_id: UUID | None = Field(
        None, description="A member; without one the mailbox's owner, else anybody."
    )
    due_days: Annotated[int, Field(ge=0, le=365)] | None = Field(
        None, description="Days until it is overdue."
    )


class StepFields(Body):
    """The delays add up; they count from the step before."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "channel": "email",
                    "subject": "A question, {{ lead.first_name }}",
                    "message_template": "Hello {{ lead.first_name }}, ...",
                    "delay_days": 3,
                }
            ]
        }
    )

    subject: Subject | None = Field(
        None, description="A template. A follow-up without one goes into the thread before it."
    )


class ChannelFields(Body):
    """What only some channels know: refused where it means nothing."""

    by_hand: Flag = Field(False, description="A person does it, with a to-do.")
    inmail: Flag = Field(False, description="Of a linkedin_message: to whom is not connected.")
    call: CallOptions | None = Field(None, description="Of a call: how the agent talks.")
    task: TaskOptions | None = Field(None, description="Of a task, and of what is done by hand.")


class WaitFields(Body):
    delay_days: Days = 0
    delay_hours: Hours = 0
    delay_minutes: Minutes = 0
    delay_seconds: Seconds = 0
    delay_business_days: BusinessDays = 0
    on_date: OnDate = None


class NewStep(WaitFields, ChannelFields, StepFields):
    read_only: ClassVar = frozenset({"id", "campaign_id", "created_at"})

    channel: Channel
    message_template: Words = Field(
        description="The mail, the message, what the caller says, or what is to be done."
    )
    key: Key | None = Field(None, description="Its name in the campaign; without one it gets one.")
    when: When | None = None
    step_number: Annotated[int, Field(ge=1, le=1_000)] | None = Field(
        None, description="Where to put it in; without one it becomes the last step."
    )


class StepChange(StepFields):
    """What is left out stays as it is. The order changes through reorder."""

    read_only: ClassVar = frozenset({"id", "campaign_id", "created_at", "step_number"})

    channel: Annotated[Channel | None, NotNull] = None
    message_template: Annotated[Words | None, NotNull] = None
    delay_days: Annotated[Days | None, NotNull] = None
    delay_hours: Annotated[Hours | None, NotNull] = None
    delay_minutes: Annotated[Minutes | None, NotNull] = None
    delay_seconds: Annotated[Seconds | None, NotNull] = None
    delay_business_days: Annotated[BusinessDays | None, NotNull] = None
    on_date: OnDate = None
    key: Annotated[Key | None, NotNull] = None
    when: When | None = None
    by_hand: Annotated[Flag | None, NotNull] = None
    inmail: Annotated[Flag | None, NotNull] = None
    call: CallOptions | None = None
    task: TaskOptions | None = None


class StepAnswer(Answer):
    """`step_number` runs 1..n; `id` and `key` stay when it changes."""

    id: UUID
    campaign_id: UUID
    step_number: int
    key: str
    channel: Channel
    subject: str | None
    message_template: str
    delay_days: int
    delay_hours: int
    delay_minutes: int
    delay_seconds: int
    delay_business_days: int
    on_date: date | None
    when: list[dict[str, Any]] = Field(
        description="The conditions above it, as they are written; steps are named by their ids."
    )
    by_hand: bool
    inmail: bool
    call: CallOptions | None = None
    task: TaskOptions | None
    created_at: datetime


class NewOrder(Body):
    order: Annotated[list[int | UUID], Field(min_length=1, max_length=1_000)] = Field(
        examples=[[2, 1, 3]], description="Every step once: its number or its id."
    )
