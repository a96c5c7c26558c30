"""Counts of a campaign."""

from uuid import UUID

from pydantic import BaseModel


class CampaignCounts(BaseModel):
    """Recipients by status; those that were removed do not count."""

    total_recipients: int = 0
    pending: int = 0
    in_progress: int = 0
    completed: int = 0
    responded: int = 0
    failed: int = 0


class Rates(BaseModel):
    """Shares of what was sent, 0 to 1; null while nothing was sent."""

    replied: float | None
    bounced: float | None
    unsubscribed: float | None


class ChannelCounts(BaseModel):
    """`opened` and `clicked` are null: this campaign does not track them. `failed`: refused."""

    sent: int = 0
    opened: int | None = None
    clicked: int | None = None
    failed: int = 0
    skipped: int = 0
    replied: int = 0
    bounced: int = 0
    unsubscribed: int = 0


class StepCounts(ChannelCounts):
    step_id: UUID
    step_number: int
    rates: Rates


class CampaignStats(CampaignCounts):
    steps: list[StepCounts]
    channels: dict[str, ChannelCounts]
