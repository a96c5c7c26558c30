"""Messages of the workflows that look after all recipients: launch, inbox, sweep."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchOrder:
    """Start every pending recipient of a campaign, `rate` a second to begin with."""

    company_id: UUID
    campaign_id: UUID
    rate: int = 200

    @property
    def workflow_id(self) -> str:
        return f"launch/{self.company_id}/{self.campaign_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchPage:
    """What a turn of the launcher did. `rate`: with which the next one begins.

    `is_last`: nobody is pending who could be started now, or nobody wants it now.
    """

    started: int
    is_last: bool
    rate: int | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalOrder:
    """Play a campaign forward, as the row of the job says."""

    company_id: UUID
    job_id: UUID

    @property
    def workflow_id(self) -> str:
        return f"rehearsal/{self.company_id}/{self.job_id}"

    @property
    def result_url(self) -> str:
        return f"/api/tasks/{self.job_id}/rehearsal"


@dataclass(frozen=True, slots=True, kw_only=True)
class WakingOrder:
    """Tell everybody whom a waking's row names to look again, `rate` a second at the most."""

    company_id: UUID
    waking_id: UUID
    rate: int = 50

    @property
    def workflow_id(self) -> str:
        return f"waking/{self.company_id}/{self.waking_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WakingPage:
    """What one page did. `is_last`: everybody was told."""

    told: int
    is_last: bool
