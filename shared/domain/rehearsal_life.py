"""One recipient in a rehearsal: what the rows of the database would say of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from shared.domain.branches import StepOutcome
from shared.domain.channels import (
    BY_HAND_WITHOUT_ACCOUNT,
    KINDS_OF,
    MAIL_KINDS,
    AccountKind,
    Channel,
)
from shared.domain.recipient import (
    FREE,
    ActivityName,
    EndReason,
    HoldReason,
    Outcome,
    Planned,
    Progress,
    Station,
    Step,
    UnderWay,
)
from shared.domain.rehearsal_diary import Diary
from shared.domain.rehearsal_scene import Person
from shared.domain.slots import Slot, Wish
from shared.domain.windows import Opening, joined

_MAIL_BY = {AccountKind.GMAIL: ActivityName.GMAIL_SEND, AccountKind.SMTP: ActivityName.SMTP_SEND}


class Life:
    """`place`: in the order of ids. `serial`: of its plan; an older timer says nothing any more."""

    __slots__ = (
        "anchor_at", "begun", "booked", "done", "done_at", "ended", "ended_at", "handed_over_at",
        "is_contacted", "last_reached", "mailbox", "not_before", "outcomes", "parked", "person",
        "place", "plan", "seed", "serial", "slot", "slot_step_id", "started_at", "steps", "trail",
        "under_way",
    )  # fmt: skip

    def __init__(self, place: int, person: Person) -> None:
        self.place, self.person = place, person
        self.seed = str(person.id)
        self.steps: tuple[Step, ...] = ()
        self.mailbox: Diary | None = None
        self.started_at: datetime | None = None
        self.done: frozenset[UUID] = frozenset()
        self.done_at: dict[UUID, datetime] = {}
        self.outcomes: dict[UUID, dict[StepOutcome, datetime]] = {}
        self.trail: tuple[UUID, ...] = ()
        self.anchor_at: datetime | None = None
        self.not_before: datetime | None = None
        self.under_way: UnderWay | None = None
        self.handed_over_at: datetime | None = None
        self.plan: Planned | None = None
        self.serial = 0
        self.slot: Slot | None = None
        self.slot_step_id: UUID | None = None
        self.booked: tuple[Diary, datetime, bool] | None = None
        self.parked: HoldReason | None = None
        self.ended: EndReason | None = None
        self.ended_at: datetime | None = None
        self.is_contacted = False
        self.begun: set[UUID] = set()
        # The last mail that went out: from where, and when.
        self.last_reached: tuple[Diary, datetime] | None = None

    def to_progress(self, stations: Mapping[Channel, Station], *, has_guards: bool) -> Progress:
        """As `Situation.to_progress` reads it from the rows."""
        person = self.person
        assert self.started_at is not None  # noqa: S101 - only who has started is asked
        past = person.past.progress if person.past else None
        return Progress(
            held=past.held if past else None,
            pause=past.pause if past else None,
            hurried_step_id=past.hurried_step_id if past else None,
            hurried_at=past.hurried_at if past else None,
            started_at=self.started_at,
            done=self.done,
            trail=self.trail,
            anchor_at=self.anchor_at,
            not_before=self.not_before,
            ended=self.ended,
            stations=stations,
            outcomes=self.outcomes if has_guards else {},
            done_at=self.done_at if has_guards else {},
            lead=person.lead if has_guards else {},
            under_way=self.under_way,
            calendar=person.calendar,
            window=person.window,
            calling=person.calling,
            seed=self.seed,
            slot=self.slot,
            slot_step_id=self.slot_step_id,
        )

    def wish_for(self, step_id: UUID, desk: Diary, campaign_id: UUID) -> Wish:
        return Wish(
            campaign_id=campaign_id,
            is_first=desk.sender.id not in self.begun,
            seed=f"{self.seed}/{step_id}",
        )

    @property
    def is_reached(self) -> bool:
        """By an account, or by somebody of ours."""
        return self.is_contacted or any(StepOutcome.DONE in it for it in self.outcomes.values())

    def window_for(self, step: Step) -> Opening | None:
        """All that have to be open for it."""
        person = self.person
        return joined(person.window, person.calling if step.channel is Channel.CALL else None)

    def kept_slot(self, outcome: Outcome) -> Slot | None:
        """The slot that is booked already, while it is for what comes next."""
        is_for_it = isinstance(outcome, Planned) and outcome.step_id == self.slot_step_id
        return self.slot if is_for_it else None

    def free_slot(self) -> None:
        if self.booked is not None:
            desk, at, is_first = self.booked
            desk.free(at, is_first=is_first)
            self.booked = None

    def step_of(self, step_id: UUID | None) -> Step:
        return next(step for step in self.steps if step.id == step_id)


def is_due(outcome: Outcome, plan: Planned, now: datetime) -> bool:
    """Whether a plan is still what is wanted, and wanted now."""
    return (
        isinstance(outcome, Planned)
        and outcome.activity is plan.activity
        and outcome.step_id == plan.step_id
        and outcome.at <= now
    )


class Stage:
    """The accounts, and which of them serves whom."""

    def __init__(self, desks: Sequence[Diary]) -> None:
        self.mailboxes = [desk for desk in desks if desk.sender.kind in MAIL_KINDS]
        self._others = [desk for desk in desks if desk.sender.kind not in MAIL_KINDS]
        self._steps: dict[AccountKind | None, tuple[Step, ...]] = {}

    def mailbox_with(self, sender_id: UUID | None) -> Diary | None:
        """The one that somebody goes on with, or the one that takes its place."""
        found = (desk for desk in self.mailboxes if desk.sender.id == sender_id)
        return next(found, next(iter(self.mailboxes), None))

    def slot_left(self, life: Life, outcome: Outcome) -> Slot | None:
        """What was booked for it, unless the account is gone that it was booked with."""
        slot = life.kept_slot(outcome)
        if slot is None or not isinstance(outcome, Planned) or outcome.step_id is None:
            return None
        return slot if self.desk_for(life, life.step_of(outcome.step_id)) else None

    def desk_of(self, life: Life, channel: Channel) -> Diary | None:
        """As `Situation.account_of`."""
        if channel is Channel.EMAIL:
            return life.mailbox
        fitting = [
            desk
            for desk in self._others
            if desk.sender.kind in KINDS_OF[channel] and desk.channel in (None, channel)
        ]
        begun = next((desk for desk in fitting if desk.sender.id in life.begun), None)
        return begun or (fitting[life.person.id.int % len(fitting)] if fitting else None)

    def desk_for(self, life: Life, step: Step) -> Diary | None:
        if step.activity is ActivityName.TASK_OPEN:
            return None
        return self.desk_of(life, step.channel)

    def stations_of(self, life: Life, channels: Sequence[Channel]) -> dict[Channel, Station]:
        return {channel: self._station(life, channel) for channel in channels}

    def _station(self, life: Life, channel: Channel) -> Station:
        desk = self.desk_of(life, channel)
        if desk is not None:
            is_down = desk.trouble is not None
            held = HoldReason.ACCOUNT_DOWN if is_down else None
            return Station(held=held, trouble=desk.trouble) if is_down else FREE
        if channel is Channel.EMAIL:
            return Station(held=HoldReason.NO_ACCOUNT)
        return Station(held=HoldReason.NO_LINE) if channel is Channel.CALL else FREE

    def steps_of(self, life: Life, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        """With the activity that the kind of each step's account asks for."""
        kind = life.mailbox.sender.kind if life.mailbox else None
        if kind not in self._steps:
            self._steps[kind] = tuple(
                replace(step, activity=self._activity_of(life, step)) for step in steps
            )
        return self._steps[kind]

    def _activity_of(self, life: Life, step: Step) -> ActivityName:
        if step.is_by_hand or step.channel is Channel.TASK:
            return ActivityName.TASK_OPEN
        if step.channel is Channel.EMAIL:
            return _MAIL_BY[life.mailbox.sender.kind] if life.mailbox else ActivityName.GMAIL_SEND
        if step.channel in BY_HAND_WITHOUT_ACCOUNT and self.desk_of(life, step.channel) is None:
            return ActivityName.TASK_OPEN
        return step.activity
