"""Messages of the workflows that look after all recipients: launch, inbox, sweep."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchOrder:
    """Start every pending recipient of a campaign, `rate` a second at the most."""

    company_id: UUID
    campaign_id: UUID
    rate: int = 50

    @property
    def workflow_id(self) -> str:
        return f"launch/{self.company_id}/{self.campaign_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchPage:
    """What one page did. `is_last`: nothing is pending, or the campaign is not active."""

    started: int
    is_last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxShard:
    """The accounts whose id falls on `number` of `of` shards."""

    number: int
    of: int

    @property
    def workflow_id(self) -> str:
        return f"inbox/{self.number}-of-{self.of}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxOrder:
    """Read this mailbox at once: its provider says that there is something new."""

    company_id: UUID
    account_id: UUID

    @property
    def workflow_id(self) -> str:
        return f"mailbox/{self.company_id}/{self.account_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepReport:
    """How many were found and mended, per kind."""

    launched: int = 0
    restarted: int = 0
    signalled: int = 0
    woken: int = 0
    settled: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleOrder:
    """Send a step's mail to somebody who wants to look at it, as its row says."""

    company_id: UUID
    sample_id: UUID

    @property
    def workflow_id(self) -> str:
        return f"sample/{self.company_id}/{self.sample_id}"
