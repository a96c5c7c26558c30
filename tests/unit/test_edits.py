"""Edits while recipients are on their way: nothing is done twice, nothing ahead is left out."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.branches import Guard, LeadIs, LeadTest
from shared.domain.edits import Effect, ahead_of, effect_of, replanned
from shared.domain.moves import next_step
from shared.domain.recipient import ActivityName, EndReason, Progress, Step
from tests.factories import NOON

DAY = 86_400
IN_BERLIN = LeadIs(field="city", test=LeadTest.IS, value="Berlin")


def make_step(number: int, **more: object) -> Step:
    values: dict[str, object] = {"wait_seconds": DAY, "position": number}
    return Step(
        id=UUID(int=number),
        activity=ActivityName.GMAIL_SEND,
        **values | more,  # type: ignore[arg-type] # the fields of a Step
    )


def numbered(*numbers: int) -> tuple[Step, ...]:
    return tuple(make_step(number) for number in numbers)


@dataclass
class Life:
    """One recipient under a campaign that changes. `version`: the one it last did a step in."""

    steps: tuple[Step, ...]
    sent: list[UUID] = field(default_factory=list)
    trail: tuple[UUID, ...] = ()
    lead: dict[str, str] = field(default_factory=dict)

    def progress(self) -> Progress:
        return Progress(
            started_at=NOON,
            done=frozenset(self.sent),
            trail=self.trail,
            anchor_at=NOON if self.sent else None,
            lead=self.lead,
        )

    def do_next(self) -> bool:
        step = next_step(self.steps, self.progress(), NOON)
        if step is None:
            return False
        assert isinstance(step, Step)
        self.sent.append(step.id)
        ids = [it.id for it in self.steps]
        self.trail = tuple(ids[: ids.index(step.id) + 1])
        return True

    def has_to_come(self) -> set[UUID]:
        """By the rule, told once more: what stands behind the last step that was done.

        When that one was removed: what was not before it already, behind the one done before.
        """
        ids = [step.id for step in self.steps]
        if not self.sent:
            return set(ids)
        if self.sent[-1] in ids:
            return set(ids[ids.index(self.sent[-1]) + 1 :]) - set(self.sent)
        done = [ids.index(it) for it in self.trail if it in ids and it in self.sent]
        behind = done[-1] + 1 if done else 0
        return set(ids[behind:]) - set(self.sent) - set(self.trail)


def edited(steps: tuple[Step, ...], data: st.DataObject, unused: list[int]) -> tuple[Step, ...]:
    """One edit of a random kind at a random place."""
    changed, draw = list(steps), data.draw
    kind = draw(st.sampled_from(["add", "remove", "reorder", "wait", "branch"]))
    match kind:
        case "add" if unused:
            place = draw(st.integers(0, len(changed)))
            changed.insert(place, make_step(unused.pop()))
        case "remove" if len(changed) > 1:
            changed.pop(draw(st.integers(0, len(changed) - 1)))
        case "reorder":
            changed = draw(st.permutations(changed))
        case "wait":
            place = draw(st.integers(0, len(changed) - 1))
            wait = draw(st.integers(0, 9)) * DAY
            changed[place] = replace(changed[place], wait_seconds=wait)
        case "branch":
            place = draw(st.integers(0, len(changed) - 1))
            is_met = draw(st.booleans())
            guard = Guard(decision_id=UUID(int=9), condition=IN_BERLIN, is_met=is_met)
            guards = draw(st.sampled_from([(), (guard,)]))
            changed[place] = replace(changed[place], guards=guards)
    return tuple(replace(step, position=n) for n, step in enumerate(changed, start=1))


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_edits_at_any_time_repeat_nothing_and_leave_nothing_out(data: st.DataObject) -> None:
    unused = list(range(30, 10, -1))
    life = Life(steps=numbered(1, 2, 3, 4))
    life.lead = data.draw(st.sampled_from([{}, {"city": "Berlin"}]))
    for _ in range(data.draw(st.integers(1, 12))):
        if data.draw(st.booleans()):
            life.do_next()
        else:
            life.steps = edited(life.steps, data, unused)
    to_come = life.has_to_come()
    while life.do_next():
        pass

    assert len(life.sent) == len(set(life.sent))
    missed = to_come - set(life.sent)
    # Only a decision can pass over what stands ahead.
    assert all(step.guards for step in life.steps if step.id in missed)


def test_what_was_passed_over_does_not_hide_what_is_ahead() -> None:
    """2 was put in behind our back; 3 was done and is removed; 2 is moved behind 4."""
    life = Life(steps=numbered(1, 3, 4))
    life.do_next()
    life.do_next()
    life.trail = tuple(step.id for step in numbered(1, 2, 3))
    life.steps = numbered(1, 4, 2)

    assert next_step(life.steps, life.progress(), NOON) == life.steps[1]


def test_a_step_put_in_before_the_place_is_not_done() -> None:
    life = Life(steps=numbered(1, 2, 3))
    life.do_next()
    life.do_next()
    life.steps = numbered(1, 9, 2, 3)

    life.do_next()

    assert life.sent == [UUID(int=1), UUID(int=2), UUID(int=3)]


@given(st.data())
def test_who_is_not_replanned_keeps_the_plan(data: st.DataObject) -> None:
    """The reverse of what is told: nobody outside of it could have heard of anything."""
    unused = list(range(30, 10, -1))
    before = numbered(1, 2, 3, 4, 5)
    done = data.draw(st.integers(0, 4))
    life = Life(steps=before)
    for _ in range(done):
        life.do_next()
    after = before
    for _ in range(data.draw(st.integers(1, 3))):
        after = edited(after, data, unused)
    waits_for = before[done]

    new = next_step(after, life.progress(), NOON)

    if waits_for.id not in replanned(before, after):
        assert isinstance(new, Step)
        assert replace(new, position=0) == replace(waits_for, position=0)


def effect(
    before: tuple[Step, ...], after: tuple[Step, ...], *, done: int, **more: object
) -> Effect:
    life = Life(steps=before)
    for _ in range(done):
        life.do_next()
    return effect_of(before, after, life.progress(), NOON, **more)  # type: ignore[arg-type] # rewritten


def test_the_effects_of_an_edit_are_told_apart() -> None:
    steps = numbered(1, 2, 3)
    sooner = (steps[0], replace(steps[1], wait_seconds=0), steps[2])
    later = (steps[0], replace(steps[1], wait_seconds=2 * DAY), steps[2])

    assert effect(steps, steps, done=1) == Effect()
    assert effect(steps, sooner, done=1) == Effect(earlier=True)
    assert effect(steps, later, done=1) == Effect(later=True)
    assert effect(steps, sooner, done=2) == Effect()
    assert effect(steps, numbered(1, 2), done=2) == Effect(ends=True)
    assert effect(steps, numbered(1, 3), done=1) == Effect(skips=True)
    assert effect(steps, numbered(1, 3, 2), done=2) == Effect(ends=True)
    assert effect(steps, steps, done=1, rewritten=frozenset({steps[1].id})).new_text
    assert not effect(steps, steps, done=2, rewritten=frozenset({steps[1].id})).is_any


def test_who_has_ended_is_not_affected() -> None:
    progress = Progress(started_at=NOON, ended=EndReason.REPLIED)

    assert not effect_of(numbered(1, 2), numbered(2), progress, NOON).is_any


def test_what_is_ahead_is_told_whichever_way_a_decision_goes() -> None:
    guard = Guard(decision_id=UUID(int=9), condition=IN_BERLIN)
    steps = (make_step(1), make_step(2, guards=(guard,)), make_step(3))

    ahead = ahead_of(steps, Progress(started_at=NOON - timedelta(days=1)), NOON)

    assert ahead == tuple(step.id for step in steps)
