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
    """Shares of what was sent, 0 to 1; null while nothing was sent, or it is not tracked."""

    opened: float | None
    opened_with_machines: float | None
    clicked: float | None
    clicked_with_machines: float | None
    replied: float | None
    bounced: float | None
    unsubscribed: float | None


class VisitorCounts(BaseModel):
    """Mails by who has opened them, or clicked in them; one mail may count for several.

    `image_proxy`: a mailbox provider fetched the picture, mostly for a person who has opened the
    mail. `prefetch`: fetched in advance, read or not. `scanner`: something looked for bad links.
    """

    person: int = 0
    image_proxy: int = 0
    prefetch: int = 0
    scanner: int = 0


class ChannelCounts(BaseModel):
    """`opened`, `clicked`: mails, by persons; `..._with_machines`: by anybody.

    They are null where the campaign does not track them. `failed`: refused.
    """

    sent: int = 0
    opened: int | None = None
    opened_with_machines: int | None = None
    opened_by: VisitorCounts | None = None
    clicked: int | None = None
    clicked_with_machines: int | None = None
    clicked_by: VisitorCounts | None = None
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
