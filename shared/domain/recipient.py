"""What is known of a recipient, and what can come next. `moves` decides.

Temporal keeps the three outcomes in history for months: add fields with a default,
never rename or remove one. Their `kind` is what tells them apart after JSON.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from shared.domain.branches import Guard, StepOutcome
from shared.domain.calendar import ANYWHERE, Calendar
from shared.domain.channels import Channel
from shared.domain.slots import Slot
from shared.domain.windows import Opening, Window


class ActivityName(StrEnum):
    """What a plan can name: one per provider action, so that a history reads as a story."""

    RECIPIENT_PLAN = "recipient.plan"
    GMAIL_SEND = "gmail.send"
    SMTP_SEND = "smtp.send"
    LINKEDIN_INVITE = "linkedin.invite"
    LINKEDIN_MESSAGE = "linkedin.message"
    BLAND_CALL = "bland.call"
    BLAND_COLLECT = "bland.collect"
    TASK_OPEN = "task.open"


class EndReason(StrEnum):
    COMPLETED = "completed"
    REPLIED = "replied"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINT = "complaint"
    MEETING = "meeting"
    REFUSED = "refused"
    SUPPRESSED = "suppressed"
    REMOVED = "removed"
    CAMPAIGN_ENDED = "campaign ended"


class HoldReason(StrEnum):
    CAMPAIGN_DRAFT = "campaign is not active"
    CAMPAIGN_PAUSED = "campaign is paused"
    RECIPIENT_PAUSED = "recipient is paused"
    NO_ACCOUNT = "no account is connected"
    ACCOUNT_DOWN = "account needs attention"
    UNCONFIRMED = "nobody knows whether it was sent"
    CONTENT = "a template variable has no value"
    TODO = "a person has this step to do"
    NO_LINE = "no phone line is connected"
    STEP = "the step cannot be done as it is written"


class RecipientStatus(StrEnum):
    """What a frontend shows; the finer `EndReason` and `HoldReason` go beside it."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    RESPONDED = "responded"


# `completed` is not final: these say more about the lead, so they replace it.
OUTRANKS_COMPLETED = frozenset(
    {
        EndReason.REPLIED,
        EndReason.UNSUBSCRIBED,
        EndReason.BOUNCED,
        EndReason.COMPLAINT,
        EndReason.MEETING,
    }
)
STATUS_OF_END = {
    EndReason.COMPLETED: RecipientStatus.COMPLETED,
    EndReason.REPLIED: RecipientStatus.RESPONDED,
    EndReason.UNSUBSCRIBED: RecipientStatus.COMPLETED,
    EndReason.BOUNCED: RecipientStatus.FAILED,
    EndReason.COMPLAINT: RecipientStatus.FAILED,
    EndReason.MEETING: RecipientStatus.COMPLETED,
    EndReason.REFUSED: RecipientStatus.FAILED,
    EndReason.SUPPRESSED: RecipientStatus.FAILED,
    EndReason.REMOVED: RecipientStatus.COMPLETED,
    EndReason.CAMPAIGN_ENDED: RecipientStatus.COMPLETED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Its waits add up: business days first, then seconds. `on_date`: not before that day.

    `guards`: the sides of decisions that it stands on; it is passed over unless all hold.
    `is_by_hand`: a person does it, though an account could. `name`: as people call it, if they do.
    """

    id: UUID
    position: int
    activity: ActivityName
    wait_seconds: int
    wait_business_days: int = 0
    on_date: date | None = None
    channel: Channel = Channel.EMAIL
    guards: tuple[Guard, ...] = ()
    is_by_hand: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """How the account for a channel stands. `free_at`: it is held until then, and `why`.

    `trouble`: what is wrong with it, for people.
    """

    free_at: datetime | None = None
    why: str | None = None
    held: HoldReason | None = None
    trouble: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """A step that was handed over and is not over. `check_at` None: somebody will say so."""

    step_id: UUID
    check_at: datetime | None


FREE = Station()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A pause of the campaign that is over."""

    began_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Everything known of one recipient when the next move is decided.

    `trail`: the steps up to the last settled one, in the order of the version that it was
    done in. `anchor_at`: what the next wait counts from, once a step is settled.
    `not_before`: the lead is away until then. `held`: what holds all channels; `stations`: what
    holds one. `outcomes`, `done_at`, `lead`: what conditions ask for.
    `under_way`: the step that is neither ahead nor done.
    `hurried_step_id`: somebody asked at `hurried_at` for this step without its wait.
    `calendar`: the lead's days. `window`: None: any time is right. `seed`: spreads its plans.
    `calling`: when the law lets the lead be called. `slot`: what the account has booked for
    `slot_step_id`.
    """

    started_at: datetime
    done: frozenset[UUID] = frozenset()
    trail: tuple[UUID, ...] = ()
    anchor_at: datetime | None = None
    not_before: datetime | None = None
    ended: EndReason | None = None
    held: HoldReason | None = None
    stations: Mapping[Channel, Station] = field(default_factory=dict)
    outcomes: Mapping[UUID, Mapping[StepOutcome, datetime]] = field(default_factory=dict)
    done_at: Mapping[UUID, datetime] = field(default_factory=dict)
    lead: Mapping[str, Any] = field(default_factory=dict)
    under_way: UnderWay | None = None
    hurried_step_id: UUID | None = None
    hurried_at: datetime | None = None
    calendar: Calendar = ANYWHERE
    window: Window | None = None
    pause: Pause | None = None
    calling: Opening | None = None
    seed: str = ""
    slot: Slot | None = None
    slot_step_id: UUID | None = None

    def station_of(self, step: Step) -> Station:
        if step.activity is ActivityName.TASK_OPEN:
            return FREE
        return self.stations.get(step.channel, FREE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """Which activity to run next, and when."""

    activity: ActivityName
    step_id: UUID | None
    at: datetime
    label: str
    kind: Literal["planned"] = "planned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """Nothing to do until somebody wakes the recipient."""

    reason: HoldReason
    kind: Literal["parked"] = "parked"

    @property
    def is_with_person(self) -> bool:
        """Nothing is amiss; they take their time, and the sweeper is timer enough."""
        return self.reason is HoldReason.TODO


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    reason: EndReason
    kind: Literal["finished"] = "finished"


Outcome = Planned | Parked | Finished


def is_end_replaced(current: EndReason | None, new: EndReason) -> bool:
    """Whether `new` is written over `current`: the first reason stays, but for `completed`."""
    if current is None:
        return True
    return current is EndReason.COMPLETED and new in OUTRANKS_COMPLETED


def recipient_status(*, ended: EndReason | None, is_started: bool) -> RecipientStatus:
    if ended:
        return STATUS_OF_END[ended]
    return RecipientStatus.IN_PROGRESS if is_started else RecipientStatus.PENDING
