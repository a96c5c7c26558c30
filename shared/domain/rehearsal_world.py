"""A campaign played forward: the next event, what it does, and what comes of that.

Whoever has the earliest (instant, recipient id) is next. Activities take no time here, and their
clock shows whole seconds; every decision is made by the functions that the real ones ask.
"""

from dataclasses import replace
from datetime import datetime
from heapq import heappop, heappush

from shared.domain.booking import put_in_slot
from shared.domain.branches import StepOutcome
from shared.domain.channels import Channel
from shared.domain.inbound import InboundKind, effect_of
from shared.domain.moves import anchor, due_at, next_move
from shared.domain.pacing import JUDGED
from shared.domain.recipient import (
    ActivityName,
    EndReason,
    Finished,
    HoldReason,
    Outcome,
    Parked,
    Planned,
    Step,
    UnderWay,
    is_end_replaced,
)
from shared.domain.rehearsal_diary import Diary
from shared.domain.rehearsal_life import Life, Stage, is_due
from shared.domain.rehearsal_log import Log
from shared.domain.rehearsal_past import take_up
from shared.domain.rehearsal_people import Done, People, Reaction
from shared.domain.rehearsal_scene import LONGEST, Past, Scene, outcomes_asked_for
from shared.domain.slots import Slot

# What comes back at the same instant as a plan was there first.
_REACTION, _PLAN = 0, 1
_Event = tuple[datetime, int, int, int, Reaction | None]


class World:
    """`lives`: everybody, in the order of their ids. `freed_at`: when a slot was last given up."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        people = sorted(scene.people, key=lambda person: person.id)
        self.lives = [Life(place, person) for place, person in enumerate(people)]
        self.desks = [desk for sender in scene.senders for desk in sender.diaries()]
        self.stage = Stage(self.desks)
        self.log = Log()
        self.freed_at: datetime | None = None
        self._people = People(scene.behaviour, scene.seed)
        self._events: list[_Event] = []
        self._count = 0
        self._has_guards = any(step.guards for step in scene.steps)
        self._asked_for = outcomes_asked_for(scene.steps)
        self._channels = sorted({step.channel for step in scene.steps})
        ids = tuple(step.id for step in scene.steps)
        self._trails = {id_: ids[:number] for number, id_ in enumerate(ids, start=1)}
        for life in self.lives:
            if life.person.past is not None:
                self._go_on(life, life.person.past, scene.begins_at)

    def next_at(self) -> datetime | None:
        return self._events[0][0] if self._events else None

    def play_one(self) -> None:
        """The next event."""
        at, place, rank, serial, reaction = heappop(self._events)
        life = self.lives[place]
        if rank == _REACTION:
            assert reaction is not None  # noqa: S101 - it is pushed with one
            self._come_back(life, reaction)
        elif serial == life.serial:
            self._come_due(life, at)

    def start(self, life: Life, plan: Planned, slot: Slot | None, now: datetime) -> None:
        """The launcher has made the first plan."""
        assert life.started_at is not None  # noqa: S101 - the launcher has set it
        self._write(life, plan, slot, now)
        for reaction in self._people.react_to_start(life.person.name, life.started_at):
            self._push(life, reaction.at, reaction)

    def _go_on(self, life: Life, past: Past, now: datetime) -> None:
        """It was started before: from where it stands."""
        life.mailbox = self.stage.mailbox_with(life.person.sender_id)
        life.steps = self.stage.steps_of(life, self.scene.steps)
        reactions = take_up(life, past, self._people, now)
        life.ended = past.progress.ended
        outcome = self.decide(life, now)
        self._write(life, outcome, self.stage.slot_left(life, outcome), now)
        for reaction in reactions:
            self._push(life, reaction.at, reaction)

    def decide(self, life: Life, now: datetime) -> Outcome:
        stations = self.stage.stations_of(life, self._channels)
        progress = life.to_progress(stations, has_guards=self._has_guards)
        return next_move(life.steps, progress, now)

    def note_wait(self, life: Life, plan: Planned, now: datetime) -> None:
        """Remember it when the campaign's hours have moved a plan."""
        window = life.window_for(step := life.step_of(plan.step_id))
        if window is not None:
            progress = life.to_progress({}, has_guards=self._has_guards)
            due = due_at(step, replace(progress, slot=None), now)
            self.log.note_wait(window, plan, max(now, due))

    def _come_due(self, life: Life, now: datetime) -> None:
        plan = life.plan
        assert plan is not None  # noqa: S101 - its timer has this plan's serial
        life.free_slot()
        if plan.activity is ActivityName.RECIPIENT_PLAN:
            self._look_again(life, now)
            return
        if plan.activity is ActivityName.BLAND_COLLECT:
            self._hang_up(life, now)
            return
        outcome = self.decide(life, now)
        if not is_due(outcome, plan, now):
            self._write(life, outcome, life.kept_slot(outcome), now)
            return
        assert isinstance(outcome, Planned)  # noqa: S101 - it is due
        step = life.step_of(outcome.step_id)
        if step.channel in life.person.denied and step.activity is not ActivityName.TASK_OPEN:
            self._skip(life, step, outcome.at, now)
            return
        desk = self.stage.desk_for(life, step)
        if desk is not None and desk.limits:
            moved = self._ask_for_permission(life, step, desk, outcome, now=now)
            if moved is not None:
                self._write(life, *moved, now)
                return
        if step.id in life.person.gaps:
            self._write(life, Parked(reason=HoldReason.CONTENT), None, now)
            return
        self._perform(life, step, desk, outcome, now=now)

    def _skip(self, life: Life, step: Step, planned_at: datetime, now: datetime) -> None:
        """The lead cannot be reached in this channel; the sequence goes on."""
        is_call = step.channel is Channel.CALL
        outcome = StepOutcome.REFUSED if is_call else StepOutcome.SKIPPED
        life.outcomes.setdefault(step.id, {})[outcome] = now
        self.log.note(life, outcome.value, now, step=step)
        self._settle(life, step, planned_at, now)

    def _ask_for_permission(
        self, life: Life, step: Step, desk: Diary, plan: Planned, *, now: datetime
    ) -> tuple[Planned, Slot] | None:
        """None: now is fine. Otherwise the next slot."""
        wish = life.wish_for(step.id, desk, self.scene.campaign_id)
        if desk.is_permitted(wish, now):
            return None
        holds = [*desk.holds_for(wish), *desk.permits_for(wish)]
        window = life.window_for(step)
        moved, slot = put_in_slot(plan, holds, window=window, seed=wish.seed, now=now)
        self.log.note_collision(desk, plan, slot)
        return moved, slot

    def _perform(
        self, life: Life, step: Step, desk: Diary | None, plan: Planned, *, now: datetime
    ) -> None:
        """The step reaches the person, or somebody of ours who does it by hand."""
        done = Done(
            person_id=life.person.id,
            name=life.person.name,
            step_id=step.id,
            step=step.position,
            channel=step.channel,
            at=now,
        )
        if step.activity is ActivityName.TASK_OPEN:
            self.log.note(life, "to do", now, step=step)
            at = self._people.todo_done_at(done)
            self._hand_over(life, step, plan, check_at=None, now=now)
            self._push(life, at, Reaction(at=at, outcome=StepOutcome.DONE, step_id=step.id))
            return
        life.is_contacted = True
        if desk is not None:
            desk.do(now)
            life.begun.add(desk.sender.id)
            life.last_reached = (desk, now)
        if step.channel is Channel.CALL:
            self.log.note(life, "called", now, step=step, desk=desk)
            outcome, over_at = self._people.call_ends(done)
            life.outcomes.setdefault(step.id, {})[outcome] = over_at
            self._hand_over(life, step, plan, check_at=over_at, now=now)
        else:
            self.log.note(life, "sent", now, step=step, desk=desk)
            self._settle(life, step, plan.at, now)
        for reaction in self._people.react(done):
            self._push(life, reaction.at, reaction)

    def _hand_over(
        self, life: Life, step: Step, plan: Planned, *, check_at: datetime | None, now: datetime
    ) -> None:
        life.under_way = UnderWay(step_id=step.id, check_at=check_at)
        life.handed_over_at = plan.at
        self._write(life, self.decide(life, now), None, now)

    def _hang_up(self, life: Life, now: datetime) -> None:
        """The call is over, and what came of it is known."""
        assert life.under_way is not None and life.handed_over_at is not None  # noqa: S101, PT018 - it was called
        step = life.step_of(life.under_way.step_id)
        for outcome in life.outcomes[step.id]:
            self.log.note(life, outcome.value, now, step=step)
        life.under_way = None
        self._settle(life, step, life.handed_over_at, now)

    def _settle(self, life: Life, step: Step, planned_at: datetime, now: datetime) -> None:
        life.done |= {step.id}
        life.done_at[step.id] = now
        life.trail = self._trails[step.id]
        life.anchor_at = anchor(planned_at=planned_at, done_at=now)
        self._look_again(life, now)

    def _look_again(self, life: Life, now: datetime) -> None:
        """What comes next, whatever slot was booked: there may be an earlier one now."""
        life.slot = life.slot_step_id = None
        outcome = self.decide(life, now)
        slot = None
        if isinstance(outcome, Planned) and outcome.step_id and life.under_way is None:
            self.note_wait(life, outcome, now)
            step = life.step_of(outcome.step_id)
            desk = self.stage.desk_for(life, step)
            if desk is not None and desk.limits:
                wish = life.wish_for(step.id, desk, self.scene.campaign_id)
                holds, window = desk.holds_for(wish), life.window_for(step)
                plan = outcome
                outcome, slot = put_in_slot(plan, holds, window=window, seed=wish.seed, now=now)
                self.log.note_collision(desk, plan, slot)
        self._write(life, outcome, slot, now)

    def _come_back(self, life: Life, reaction: Reaction) -> None:
        if reaction.kind is not None:
            self._hear(life, reaction, reaction.kind)
        elif reaction.outcome is not None and life.ended is None:
            self._learn(life, reaction, reaction.outcome)

    def _hear(self, life: Life, reaction: Reaction, kind: InboundKind) -> None:
        effect = effect_of(kind)
        if effect.ends and is_end_replaced(life.ended, effect.ends):
            self.log.note(life, kind.value, reaction.at)
            life.free_slot()
            life.serial += 1
            life.plan, life.parked = None, None
            life.ended, life.ended_at = effect.ends, reaction.at
            self.freed_at = reaction.at
            if effect.ends in JUDGED and life.last_reached:
                desk, at = life.last_reached
                is_complaint = effect.ends is EndReason.COMPLAINT
                desk.judge(reaction.at, reached_at=at, is_complaint=is_complaint)
        elif effect.wakes and life.ended is None:
            if reaction.returns_at is not None:
                life.not_before = max(life.not_before or reaction.returns_at, reaction.returns_at)
            self.log.note(life, kind.value, reaction.at, until=reaction.returns_at)
            life.free_slot()
            self._look_again(life, reaction.at)

    def _learn(self, life: Life, reaction: Reaction, outcome: StepOutcome) -> None:
        """What came of a step; who waits to hear of it looks again."""
        step_id, now = reaction.step_id, reaction.at
        if step_id is None:
            return
        step = life.step_of(step_id)
        life.outcomes.setdefault(step_id, {}).setdefault(outcome, now)
        self.log.note(life, outcome.value, now, step=step)
        if life.under_way is not None and life.under_way.step_id == step_id:
            assert life.handed_over_at is not None  # noqa: S101 - it was handed over
            life.under_way = None
            self._settle(life, step, life.handed_over_at, now)
        elif (step_id, outcome) in self._asked_for:
            life.free_slot()
            self._look_again(life, now)

    def _write(self, life: Life, outcome: Outcome, slot: Slot | None, now: datetime) -> None:
        life.serial += 1
        life.plan = life.parked = life.slot = life.slot_step_id = None
        match outcome:
            case Planned():
                life.plan = outcome
                if slot is not None and outcome.step_id is not None:
                    life.slot, life.slot_step_id = slot, outcome.step_id
                    desk = self.stage.desk_for(life, life.step_of(outcome.step_id))
                    assert desk is not None  # noqa: S101 - whoever has a slot has an account
                    is_first = not life.is_contacted
                    desk.book(slot.at, is_first=is_first)
                    life.booked = (desk, slot.at, is_first)
                self._push(life, max(outcome.at, now), None)
            case Parked():
                life.parked = outcome.reason
            case Finished():
                life.ended, life.ended_at = outcome.reason, now

    def _push(self, life: Life, at: datetime, reaction: Reaction | None) -> None:
        if at - self.scene.begins_at <= LONGEST:
            self._count += 1
            rank = _PLAN if reaction is None else _REACTION
            number = life.serial if reaction is None else self._count
            heappush(self._events, (at, life.place, rank, number, reaction))
