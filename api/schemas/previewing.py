"""Bodies of what a campaign's mails look like before they leave."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from api.schemas.fields import Answer, Body, Email
from shared.db.models import SampleStatus
from shared.domain.channels import Channel


class ToPreview(Body):
    lead_id: UUID | None = Field(
        None,
        description="Without it somebody of the campaign is taken.",
        examples=["01939b7e-0000-7000-8000-000000000001"],
    )


class StepPreview(BaseModel):
    """What the lead gets. `subject` and `text` are null when a value is missing."""

    step_id: UUID
    step_number: int
    key: str
    channel: Channel
    at: datetime | None = Field(description="When it was done, or would be at the earliest.")
    when: list[str] = Field(
        description="The conditions above it, in words.",
        examples=[["step 1 (invite) was not accepted within 5 days"]],
    )
    is_taken: bool | None = Field(
        description="Whether this lead comes to it; null: that depends on what comes of others."
    )
    is_sent: bool
    sender: str | None
    to: str | None
    subject: str | None
    text: str | None
    html: str | None
    missing_variables: list[str] = Field(examples=[["lead.city"]])
    error: str | None


class PreviewAnswer(BaseModel):
    lead_id: UUID
    recipient_id: UUID | None = Field(description="Null when the lead is not in the campaign.")
    steps: list[StepPreview]
    missing_variables: list[str]


class Gap(BaseModel):
    """Leads who would be parked, because a step asks for what they do not have."""

    variable: str = Field(examples=["lead.city"])
    step_numbers: list[int]
    leads: int


class GapsAnswer(BaseModel):
    """`leads_with_gaps`: who lack at least one. An unknown variable has no value for anybody."""

    leads: int
    leads_with_gaps: int
    gaps: list[Gap]


class NewSample(Body):
    to: Email
    lead_id: UUID | None = Field(None, description="Without it somebody of the campaign is taken.")


class SampleAnswer(Answer):
    id: UUID
    campaign_id: UUID
    lead_id: UUID
    step_id: UUID
    to_address: str
    status: SampleStatus
    error: str | None
    created_at: datetime
    settled_at: datetime | None
