"""Bodies of /api/campaigns/{campaign_id}/recipients."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.schemas.fields import Body, wrong
from api.schemas.leads import LeadSelection
from shared.domain.inbound import ReplyClass
from shared.domain.recipient import RecipientStatus


class NewRecipients(Body):
    """Several leads, or one, or all that match a filter."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"contact_ids": ["01939b7e-0000-7000-8000-000000000001"]},
                {"filter": {"fit_score_min": 70, "seniority": "director", "industry": "software"}},
            ]
        }
    )

    contact_ids: Annotated[list[UUID], Field(min_length=1, max_length=100_000)] | None = None
    contact_id: UUID | None = None
    filter: LeadSelection | None = Field(None, description="`{}` is every lead.")

    @model_validator(mode="after")
    def _is_one_of_them(self) -> "NewRecipients":
        given = (self.contact_ids, self.contact_id, self.filter)
        if len([one for one in given if one is not None]) != 1:
            raise wrong("Give either contact_ids, or contact_id, or filter")
        return self

    @property
    def wanted(self) -> list[UUID] | LeadSelection:
        if self.filter is not None:
            return self.filter
        return [self.contact_id] if self.contact_id else self.contact_ids or []


class RecipientAnswer(BaseModel):
    """`detail`: the finer state behind `status`. `why`: what it waits for, or why it ended."""

    id: UUID
    campaign_id: UUID
    contact_id: UUID
    status: RecipientStatus
    detail: str
    why: str
    reply_class: ReplyClass | None = Field(description="What the last reply means, if it says so.")
    current_step: int = Field(description="Number of the last step done, 0 before the first.")
    next_action_at: datetime | None
    last_action_at: datetime | None
    completed_at: datetime | None
    ended_at: datetime | None
    created_at: datetime
    email: str | None
    first_name: str | None
    last_name: str | None
    name: str | None
    company_name: str | None


class Refusal(BaseModel):
    contact_id: UUID
    reason: str = Field(
        examples=[
            "not found",
            "no email",
            "suppressed",
            "already_contacted",
            "active in another campaign",
        ]
    )


class AddedAnswer(BaseModel):
    """The numbers are of all; at most 500 recipients and 1,000 refusals are listed."""

    added: int
    already: int
    refused_count: int
    refused: list[Refusal]
    recipients: list[RecipientAnswer]
    task_id: UUID | None = Field(description="Where all refusals are read when these are some.")


class Resolution(StrEnum):
    """What a person knows of a mail of which nobody knew whether it was sent."""

    SENT = "sent"
    RESEND = "resend"


class NewResolution(Body):
    outcome: Resolution = Field(examples=["sent"])


class ActionShown(StrEnum):
    SCHEDULED = "scheduled"
    SENT = "sent"
    FAILED = "failed"
    RESPONDED = "responded"


class ActionAnswer(BaseModel):
    """`sequence_id`: the step. `detail`: the finer state behind `status`."""

    id: UUID
    recipient_id: UUID
    sequence_id: UUID
    step_number: int | None = Field(description="Null once the step was removed.")
    status: ActionShown
    detail: str
    scheduled_for: datetime
    executed_at: datetime | None
    confirmed_at: datetime | None
    response_received_at: datetime | None
    error_message: str | None
    provider_id: str | None
    thread_id: str | None
    created_at: datetime | None = Field(description="Null for the next one: it has no row yet.")


class NextMove(BaseModel):
    activity: str
    step: int | None
    at: datetime = Field(description="In UTC. One that has passed is due at once.")


class ExplanationAnswer(BaseModel):
    """From the same function that decides."""

    state: str = Field(examples=["planned", "parked", "finished"])
    next: NextMove | None
    because: list[str] = Field(examples=[["step 2 waits 3 days, 0:00:00 after the last action"]])
    blocked_by: list[str] = Field(examples=[["campaign is paused"]])
