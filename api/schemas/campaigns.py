"""Bodies of /api/campaigns and of the steps inside."""

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator

from api.schemas.fields import Answer, Body, NotNull, Short, Words, wrong
from api.schemas.statistics import CampaignCounts, CampaignStats
from shared.db.models.campaigns import CampaignStatus, CampaignType, Channel

PLANNED_CHANNELS = frozenset({"linkedin_message", "linkedin_connection", "call", "task"})
LATER = frozenset(
    {
        "product_id",
        "window",
        "limits",
        "stop_rules",
        "time_zone",
        "track_opens",
        "track_clicks",
        "draft_edits",
        "dry_run",
    }
)
AccountIds = Annotated[
    list[UUID], Field(description="The account that sends; without one the primary account does.")
]
Subject = Annotated[Short, Field(max_length=300, examples=["A question, {{ lead.first_name }}"])]
Days = Annotated[int, Field(ge=0, le=3_650)]
Hours = Annotated[int, Field(ge=0, le=87_600)]
Minutes = Annotated[int, Field(ge=0, le=1_000_000)]
Seconds = Annotated[int, Field(ge=0, le=100_000_000)]


def _one_account(ids: list[UUID] | None) -> list[UUID] | None:
    if ids and len(ids) > 1:
        raise wrong("Several accounts in one campaign are not available yet: name one")
    return ids


class NewCampaign(Body):
    not_yet: ClassVar = LATER

    name: Short = Field(examples=["Spring"])
    type: CampaignType = Field(examples=["email"])
    account_ids: AccountIds | None = None

    _accounts = field_validator("account_ids")(_one_account)


class CampaignAnswer(Answer):
    id: UUID
    name: str
    type: CampaignType
    status: CampaignStatus
    account_ids: list[UUID]
    created_by: UUID | None
    created_at: datetime
    updated_at: datetime
    activated_at: datetime | None
    completed_at: datetime | None
    stats: CampaignCounts


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
    created_at: datetime


class Results(BaseModel):
    messages_sent: int
    channels_used: dict[str, int]


class WholeCampaignAnswer(CampaignAnswer):
    stats: CampaignStats
    sequences: list[StepAnswer]
    results: Results


class CampaignChange(Body):
    """What is left out stays as it is. The status changes through activate, pause and so on."""

    read_only: ClassVar = frozenset(WholeCampaignAnswer.model_fields.keys()) - {
        "name",
        "type",
        "account_ids",
    }
    not_yet: ClassVar = LATER

    name: Annotated[Short | None, NotNull] = Field(None, examples=["Summer"])
    type: Annotated[CampaignType | None, NotNull] = None
    account_ids: AccountIds | None = None

    _accounts = field_validator("account_ids")(_one_account)


def _known_channel(channel: Any) -> Any:
    if channel in PLANNED_CHANNELS:
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

    _channel = field_validator("channel", mode="before")(_known_channel)


class NewOrder(Body):
    order: Annotated[list[int | UUID], Field(min_length=1, max_length=1_000)] = Field(
        examples=[[2, 1, 3]], description="Every step once: its number or its id."
    )
