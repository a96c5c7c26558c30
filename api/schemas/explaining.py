"""Why nothing is being sent."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from api.schemas.recipients import NextMove


class NextRecipient(NextMove):
    """Who comes next, and why then."""

    recipient_id: UUID
    lead: str | None = Field(description="Its address.", examples=["ada@example.com"])
    because: list[str]
    blocked_by: list[str]


class StandingAnswer(BaseModel):
    """How it stands. `blocked_by` is what somebody can change."""

    state: str = Field(examples=["planned", "parked", "pending", "finished"])
    next: NextRecipient | None
    because: list[str] = Field(
        examples=[["3 are open: 2 have a plan, 1 are held", "sam@example.com: 40 of 40 are used"]]
    )
    blocked_by: list[str] = Field(examples=[["campaign is paused"]])


class NamedStanding(StandingAnswer):
    """`name`: of a recipient its lead's address and its campaign."""

    kind: str = Field(examples=["recipient", "campaign", "account"])
    id: UUID
    name: str


class NamedAnswer(BaseModel):
    explained: list[NamedStanding] = Field(description="Empty: nothing is called so.")


class UsageAnswer(BaseModel):
    """Of one limit within its span: a day is any 24 hours."""

    limit: str = Field(examples=["the account's 40 a day"])
    used: int
    most: int
    free_at: datetime = Field(description="When there is room for one more.")


class AccountStandingAnswer(StandingAnswer):
    limits: list[UsageAnswer]
