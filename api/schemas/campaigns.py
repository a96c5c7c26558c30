"""Bodies of /api/campaigns and of the steps inside."""

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    Field,
    model_validator,
)

from api.schemas.fields import Answer, Body, Flag, NotNull, Short, TimeZone, Words, wrong
from api.schemas.pacing import Limits, Window
from api.schemas.paging import ArrayLimit, Cursor
from api.schemas.statistics import CampaignCounts, CampaignStats
from api.schemas.steps import StepAnswer, Subject
from shared.db.models.campaigns import CampaignStatus, CampaignType


def _off_is_none(value: Any) -> Any:
    return None if value is False or value in ([], {}) else value


def _none_is_off(value: Any) -> Any:
    return value or False


def _once_each(ids: list[UUID]) -> list[UUID]:
    return list(dict.fromkeys(ids))


AccountIds = Annotated[
    list[UUID],
    Field(
        max_length=100,
        description="Who sends: several share the recipients evenly, none means the primary one.",
    ),
    AfterValidator(_once_each),
]


class StopRules(Body):
    """An unsubscription, a bounce or a complaint always stops everything."""

    reply: Flag = Field(True, description="An answer ends the recipient.")
    other_campaigns: Flag = Field(
        True, description="It ends the lead's recipients in other campaigns as well."
    )
    colleagues: Flag | None = Field(
        None, description="It holds the recipients at the same domain; null: as the company has it."
    )


class RulingFields(Body):
    """How it is stopped, edited and tried out."""

    stop_rules: Annotated[StopRules | None, BeforeValidator(_off_is_none)] = None
    draft_edits: Annotated[Flag | None, BeforeValidator(_none_is_off)] = Field(
        None, description="Edits of the steps wait for publish, instead of reaching all at once."
    )
    dry_run: Annotated[Flag | None, BeforeValidator(_none_is_off)] = Field(
        None,
        description="Every action is recorded as sent, with the provider_id `dry run`, and nothing"
        " leaves. Limits of accounts do not apply to it. Only a draft can be changed.",
    )


class PacedFields(RulingFields):
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
    script: Words | None = Field(None, description="Text of step 1, a call without a delay.")

    @model_validator(mode="after")
    def _fits_its_type(self) -> "NewCompanyCampaign":
        if self.template and self.type is CampaignType.CALL:
            raise wrong("A campaign of calls has a script, not a template")
        if self.script and self.type in (CampaignType.EMAIL, CampaignType.LINKEDIN):
            raise wrong("A script is what a call says: use the type call or multi")
        if self.script and self.template:
            raise wrong("Step 1 is one or the other: give a template or a script")
        return self


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
    stop_rules: dict[str, Any]
    draft_edits: bool
    dry_run: bool
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
        "stop_rules",
        "draft_edits",
        "dry_run",
    }

    name: Annotated[Short | None, NotNull] = Field(None, examples=["Summer"])
    type: Annotated[CampaignType | None, NotNull] = None
    account_ids: AccountIds | None = None
    product_id: UUID | None = None


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
