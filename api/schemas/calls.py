"""Phone calls: what a step asks of the agent, what was said, and the accounts that call."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator

from api.schemas.accounts import Password
from api.schemas.fields import Answer, Body, Flag, Like, Short, storable, wrong
from shared.content import check_template
from shared.domain.branches import StepOutcome
from shared.errors import Invalid


def _readable(template: str) -> str:
    try:
        check_template(template, field="call")
    except Invalid as error:
        raise wrong(str(error)) from None
    return template


Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000),
    AfterValidator(storable),
]
Template = Annotated[Line, AfterValidator(_readable)]
# It travels in a header.
ApiKey = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=500),
    Like(r"^[\x21-\x7e]+$", "A key has no spaces and no letters but those of ASCII"),
    Field(json_schema_extra={"format": "password", "writeOnly": True}),
]
PhoneNumber = Annotated[
    str, Like(r"^\+[1-9][0-9]{6,14}$", "Give the number with its country, such as +4930123456")
]
Language = Annotated[
    str, Like(r"^[A-Za-z]{2,5}(-[A-Za-z0-9]{2,4})?$", "Give a language's code, such as de or en-GB")
]


class VoicemailAction(StrEnum):
    HANGUP = "hangup"
    LEAVE_MESSAGE = "leave_message"
    IGNORE = "ignore"


class Voicemail(Body):
    """What the agent does when a machine answers."""

    action: VoicemailAction = VoicemailAction.HANGUP
    message: Template | None = Field(None, description="A template; needed to leave a message.")

    @model_validator(mode="after")
    def _has_message(self) -> "Voicemail":
        if self.action is VoicemailAction.LEAVE_MESSAGE and not self.message:
            raise wrong("To leave a message give a `message`")
        return self


class CallOptions(Body):
    """How an AI agent talks. Its script is the step's `message_template`, or else a pathway's."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "voice": "June",
                    "language": "en-US",
                    "max_duration": 5,
                    "voicemail": {"action": "leave_message", "message": "This is Sam of Acme."},
                }
            ]
        }
    )

    pathway_id: Short | None = Field(
        None,
        description="A pathway of Bland instead of the script. A meeting is booked for the time"
        " that it leaves in its variable meeting_at, in ISO 8601 (and meeting_minutes).",
    )
    pathway_version: Annotated[int, Field(strict=True, ge=0)] | None = None
    voice: Short | None = Field(None, examples=["June"])
    language: Language | None = Field(None, examples=["de"])
    model: Literal["base", "turbo"] | None = None
    first_sentence: Template | None = Field(None, description="A template: what is said first.")
    wait_for_greeting: Flag | None = None
    voicemail: Voicemail | None = Field(None, description="Without it the agent hangs up.")
    max_duration: Annotated[int, Field(strict=True, ge=1, le=720)] | None = Field(
        None, description="Minutes; 10 if left out."
    )
    record: Flag | None = Field(None, description="Off unless asked for: many laws forbid it.")
    from_number: PhoneNumber | None = Field(None, description="A number of yours at Bland.")
    summary_prompt: Line | None = None
    keywords: Annotated[list[Short], Field(max_length=20)] | None = None
    background_track: Literal["office", "cafe", "restaurant", "none"] | None = None
    interruption_threshold: Annotated[int, Field(strict=True, ge=50, le=5_000)] | None = None
    discloses_ai: Flag | None = Field(
        None, description="The call ends unless the agent says that it is one. On if left out."
    )
    lets_opt_out: Flag | None = Field(
        None, description="The call ends when the lead wants no more of them. On if left out."
    )


class UtteranceAnswer(Answer):
    speaker: str = Field(description="user: the lead.", examples=["assistant"])
    text: str
    said_at: datetime | None


class CallAnswer(Answer):
    """One call. `collected_at` null: it is under way."""

    id: UUID
    campaign_id: UUID
    recipient_id: UUID
    lead_id: UUID
    step_id: UUID
    account_id: UUID | None
    provider_id: str = Field(description="Bland's call id.")
    phone: str | None = Field(examples=["+49301234567"])
    outcome: StepOutcome | None
    status: str | None = Field(examples=["completed"])
    answered_by: str | None = Field(examples=["human"])
    disposition: str | None = Field(examples=["INTERESTED"])
    said_never_again: bool = Field(description="The lead is not to be contacted any more.")
    summary: str | None
    recording_url: str | None
    price: Decimal | None = Field(description="In dollars.")
    duration_seconds: int | None
    error: str | None
    placed_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    collected_at: datetime | None


class WholeCallAnswer(CallAnswer):
    transcript: list[UtteranceAnswer]


class BlandPlan(StrEnum):
    START = "start"
    BUILD = "build"
    SCALE = "scale"


class NewPhoneLine(Body):
    """An account at Bland. Its key is tried before it is kept, sealed."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"api_key": "org_0123456789", "plan": "start"}]}
    )

    api_key: ApiKey
    name: Short = Field("Bland", description="Connected again under its name, it is the same one.")
    plan: BlandPlan = Field(BlandPlan.START, description="Its limits are the account's ceiling.")
    webhook_secret: Password | None = Field(
        None, description="With which Bland signs; without it DRUMBEAT_BLAND_WEBHOOK_SECRET is."
    )
    daily_limit: Annotated[int, Field(strict=True, ge=0, le=1_000_000)] | None = Field(
        None, description="Calls in 24 hours; what the plan allows if left out."
    )


class BlandNewsAnswer(Answer):
    is_new: bool = Field(description="False: it was told before, or says nothing to us.")


def transcript_of(stored: list[dict[str, Any]]) -> list[UtteranceAnswer]:
    return [UtteranceAnswer.model_validate(part) for part in stored]
