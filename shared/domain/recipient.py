"""What a recipient is due next, and why. Pure: no clock, no database, no Temporal.

Temporal keeps the three outcomes in history for months: add fields with a default,
never rename or remove one. Their `kind` is what tells them apart after JSON.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Literal
from uuid import UUID

from shared.domain.calendar import ANYWHERE, Calendar
from shared.domain.slots import Slot
from shared.domain.windows import Window, whole_second

# An action this late counts as late: the steps behind it shift with it.
ON_TIME = timedelta(minutes=5)


class ActivityName(StrEnum):
    """What a plan can name: one per provider action, so that a history reads as a story."""

    RECIPIENT_PLAN = "recipient.plan"
    GMAIL_SEND = "gmail.send"
    SMTP_SEND = "smtp.send"


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
    """Its waits add up: business days first, then seconds. `on_date`: not before that day."""

    id: UUID
    position: int
    activity: ActivityName
    wait_seconds: int
    wait_business_days: int = 0
    on_date: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Everything known of one recipient when the next move is decided.

    `trail`: the steps up to the last settled one, in the order of the version that it was
    done in. `anchor_at`: what the next wait counts from, once a step is settled.
    `not_before`: the lead is away until then. `account_free_at`: the account is held until then.
    `trouble`: what is wrong with the account that holds it, for people.
    `hurried_step_id`: somebody asked at `hurried_at` for this step without its wait.
    `calendar`: the lead's days. `window`: None: any time is right. `seed`: spreads its plans.
    `slot`: what the account has booked for `slot_step_id`.
    """

    started_at: datetime
    done: frozenset[UUID] = frozenset()
    trail: tuple[UUID, ...] = ()
    anchor_at: datetime | None = None
    not_before: datetime | None = None
    account_free_at: datetime | None = None
    ended: EndReason | None = None
    held: HoldReason | None = None
    trouble: str | None = None
    hurried_step_id: UUID | None = None
    hurried_at: datetime | None = None
    calendar: Calendar = ANYWHERE
    window: Window | None = None
    seed: str = ""
    slot: Slot | None = None
    slot_step_id: UUID | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    reason: EndReason
    kind: Literal["finished"] = "finished"


Outcome = Planned | Parked | Finished


def next_move(steps: tuple[Step, ...], progress: Progress, now: datetime) -> Outcome:
    """Decide what comes next. An end outranks a wait, and a wait outranks a hold."""
    if progress.ended:
        return Finished(reason=progress.ended)
    step = next_step(steps, progress)
    if step is None:
        return Finished(reason=EndReason.COMPLETED)

    at = planned_at(step, progress, now)
    if progress.held and at <= now:
        return Parked(reason=progress.held)
    return Planned(activity=step.activity, step_id=step.id, at=at, label=label_of(step, steps))


def next_step(steps: tuple[Step, ...], progress: Progress) -> Step | None:
    """The first undone step behind the last settled one; a step put in before it is not sent."""
    place = _place(steps, progress.trail)
    return next((step for step in steps[place:] if step.id not in progress.done), None)


def planned_at(step: Step, progress: Progress, now: datetime) -> datetime:
    """When the step will be done: in the window, and in the slot that the account has for it."""
    at, window = due_at(step, progress), progress.window
    if progress.slot and progress.slot_step_id == step.id:
        at = max(at, progress.slot.at)
    if window is None:
        return at
    seed = seed_of(step, progress)
    at = window.first_open(at, seed)
    # It was open when it was due, and nobody came.
    return at if at > now or window.is_open(now) else window.first_open(now, seed)


def seed_of(step: Step, progress: Progress) -> str:
    return f"{progress.seed}/{step.id}"


def due_at(step: Step, progress: Progress) -> datetime:
    """When the step may be done: whole seconds, rounded up, so that no wait is cut short.

    For a step that somebody wants at once the wait is left out, and nothing else.
    """
    since = progress.anchor_at or progress.started_at
    due = progress.calendar.add_business_days(since, step.wait_business_days)
    due += timedelta(seconds=step.wait_seconds)
    if step.on_date:
        due = max(due, progress.calendar.start_of(step.on_date))
    if progress.hurried_at and step.id == progress.hurried_step_id:
        due = min(due, progress.hurried_at)
    return whole_second(max([due, *filter(None, (progress.not_before, progress.account_free_at))]))


def anchor(*, planned_at: datetime, done_at: datetime) -> datetime:
    """What the next wait counts from: the plan when it was kept, so that nothing drifts."""
    return planned_at if done_at - planned_at <= ON_TIME else done_at


def label_of(step: Step, steps: tuple[Step, ...]) -> str:
    return f"step {step.position} of {len(steps)}, {step.activity}"


def is_end_replaced(current: EndReason | None, new: EndReason) -> bool:
    """Whether `new` is written over `current`: the first reason stays, but for `completed`."""
    if current is None:
        return True
    return current is EndReason.COMPLETED and new in OUTRANKS_COMPLETED


def recipient_status(*, ended: EndReason | None, is_started: bool) -> RecipientStatus:
    if ended:
        return STATUS_OF_END[ended]
    return RecipientStatus.IN_PROGRESS if is_started else RecipientStatus.PENDING


def _place(steps: tuple[Step, ...], trail: tuple[UUID, ...]) -> int:
    """The index behind the last step of the trail that is still there."""
    index = {step.id: i for i, step in enumerate(steps)}
    return next((index[step_id] + 1 for step_id in reversed(trail) if step_id in index), 0)
