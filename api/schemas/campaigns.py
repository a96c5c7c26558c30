"""Bodies of /api/campaigns and of the steps inside."""

from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from api.schemas.fields import Answer, Body, Flag, NotNull, Short, TimeZone, Words, wrong
from api.schemas.pacing import BusinessDays, Limits, OnDate, Window
from api.schemas.paging import ArrayLimit, Cursor
from api.schemas.statistics import CampaignCounts, CampaignStats
from shared.db.models.campaigns import CampaignStatus, CampaignType, Channel

PLANNED_CHANNELS = frozenset({"linkedin_message", "linkedin_connection", "call", "task"})


def _only_off(value: Any) -> Any:
    if value in (None, False, [], {}):
        return None
    raise wrong("This is not available yet: leave it out")


def _once_each(ids: list[UUID]) -> list[UUID]:
    return list(dict.fromkeys(ids))


# A field of the contract that this release cannot honour: better refused than ignored.
NotYet = Annotated[
    Literal[False] | None,
    BeforeValidator(_only_off),
    Field(exclude=True, description="Not available yet: only null and false are taken."),
]
AccountIds = Annotated[
    list[UUID],
    Field(
        max_length=100,
        description="Who sends: several share the recipients evenly, none means the primary one.",
    ),
    AfterValidator(_once_each),
]
Subject = Annotated[Short, Field(max_length=300, examples=["A question, {{ lead.first_name }}"])]
Days = Annotated[int, Field(ge=0, le=3_650)]
Hours = Annotated[int, Field(ge=0, le=87_600)]
Minutes = Annotated[int, Field(ge=0, le=1_000_000)]
Seconds = Annotated[int, Field(ge=0, le=100_000_000)]


class LaterFields(Body):
    stop_rules: NotYet = None
    draft_edits: NotYet = None
    dry_run: NotYet = None


class PacedFields(LaterFields):
    """When it sends and how much; without them always, as fast as its accounts may."""

    window: Window = None
    limits: Limits = None
    time_zone: TimeZone | None = Field(
        None, description="Of leads whose own is not known, instead of the company's."
    )
    start_at: AwareDatetime | None = Field(
        None, description="No step is due before this, and no wait begins before it."
    )


class TrackedFields(Body):
    """Off unless asked for: a mail that reports home is trusted less."""

    track_opens: Flag | None = Field(
        None, description="null: off, unless the campaign is run in one go."
    )
    track_clicks: Flag | None = Field(None, description="Links lead through this gateway.")


class NewCampaign(PacedFields, TrackedFields):
    name: Short = Field(examples=["Spring"])
    type: CampaignType = Field(examples=["email"])
    account_ids: AccountIds | None = None
    product_id: UUID | None = Field(None, description="What it is about; a deleted one is a 409.")


class NewCompanyCampaign(NewCampaign):
    """The same campaign, with its first step in one go."""

    template: Words | None = Field(None, description="Text of step 1, a mail without a delay.")
    subject: Subject | None = Field(None, description="Of step 1; without it the name is used.")
    script: Annotated[
        Words | None, Field(description="Text of step 1, a call: not available yet.")
    ] = None

    @model_validator(mode="after")
    def _fits_its_type(self) -> "NewCompanyCampaign":
        if self.template and self.type is CampaignType.CALL:
            raise wrong("A campaign of calls has a script, not a template")
        return self

    @field_validator("script")
    @classmethod
    def _no_calls_yet(cls, script: str | None) -> str | None:
        if script is not None:
            raise wrong("The channel call is not available yet: use a template")
        return script


class CampaignAnswer(Answer):
    id: UUID
    name: str
    type: CampaignType
    status: CampaignStatus
    account_ids: list[UUID]
    product_id: UUID | None
    window: dict[str, Any] | None
    limits: dict[str, Any]
    time_zone: str | None
    start_at: datetime | None
    track_opens: bool | None
    track_clicks: bool | None
    created_by: UUID | None
    created_at: datetime
    updated_at: datetime
    activated_at: datetime | None
    completed_at: datetime | None
    archived_at: datetime | None
    stats: CampaignCounts


class ActivatedAnswer(CampaignAnswer):
    warnings: list[str] = Field(
        description="What does not hinder the campaign, such as leads who lack a value that a"
        " step needs: they wait at that step. Of many leads the first ones are looked at."
    )


class CampaignSelection(Body):
    """Which campaigns, and how many of them."""

    status: CampaignStatus | None = None
    type: CampaignType | None = None
    limit: ArrayLimit = None
    cursor: Cursor = None


class StepAnswer(Answer):
    """`step_number` runs 1..n; `id` stays when it changes."""

    id: UUID
    campaign_id: UUID
    step_number: int
    channel: Channel
    subject: str | None
    message_template: str
    delay_days: int
    delay_hours: int
    delay_minutes: int
    delay_seconds: int
    delay_business_days: int
    on_date: date | None
    created_at: datetime


class Results(BaseModel):
    messages_sent: int
    channels_used: dict[str, int]


class WholeCampaignAnswer(CampaignAnswer):
    stats: CampaignStats
    sequences: list[StepAnswer]
    results: Results


class CampaignChange(PacedFields, TrackedFields):
    """What is left out stays as it is. The status changes through activate, pause and so on."""

    read_only: ClassVar = frozenset({*WholeCampaignAnswer.model_fields, "warnings"}) - {
        "name",
        "type",
        "account_ids",
        "product_id",
        "window",
        "limits",
        "time_zone",
        "start_at",
        "track_opens",
        "track_clicks",
    }

    name: Annotated[Short | None, NotNull] = Field(None, examples=["Summer"])
    type: Annotated[CampaignType | None, NotNull] = None
    account_ids: AccountIds | None = None
    product_id: UUID | None = None


def _known_channel(channel: Any) -> Any:
    if isinstance(channel, str) and channel in PLANNED_CHANNELS:
        raise wrong(f"The channel {channel} is not available yet: use email")
    return channel


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


class NewStep(StepFields):
    read_only: ClassVar = frozenset({"id", "campaign_id", "created_at"})

    channel: Channel
    message_template: Words
    delay_days: Days = 0
    delay_hours: Hours = 0
    delay_minutes: Minutes = 0
    delay_seconds: Seconds = 0
    delay_business_days: BusinessDays = 0
    on_date: OnDate = None
    step_number: Annotated[int, Field(ge=1, le=1_000)] | None = Field(
        None, description="Where to put it in; without one it becomes the last step."
    )

    _channel = field_validator("channel", mode="before")(_known_channel)


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

    _channel = field_validator("channel", mode="before")(_known_channel)


class NewRun(Body):
    """Whom the run reaches: every lead with an address, or those that are named."""

    lead_ids: Annotated[list[UUID], Field(min_length=1, max_length=100_000)] | None = Field(
        None, examples=[["01939b7e-0000-7000-8000-000000000001"]]
    )


class RunAnswer(BaseModel):
    task_id: UUID = Field(description="Read at /api/tasks/{task_id}.")


class Executed(BaseModel):
    recipient_id: UUID
    step: int
    status: str = Field(
        examples=["sent"], description="What is known of it by now: `scheduled` is under way."
    )


class ExecutedAnswer(BaseModel):
    executed: list[Executed]


class NewOrder(Body):
    order: Annotated[list[int | UUID], Field(min_length=1, max_length=1_000)] = Field(
        examples=[[2, 1, 3]], description="Every step once: its number or its id."
    )
