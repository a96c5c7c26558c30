"""Somebody whom a rehearsal finds half way: what was done, and what may still come back."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from shared.domain.branches import StepOutcome
from shared.domain.channels import Channel
from shared.domain.recipient import Step
from shared.domain.rehearsal_life import Life
from shared.domain.rehearsal_people import Done, People, Reaction
from shared.domain.rehearsal_scene import Past


def take_up(life: Life, past: Past, people: People, now: datetime) -> list[Reaction]:
    """The life as its rows have it; answers what is still to come back, of what was done."""
    found = past.progress
    life.started_at, life.anchor_at, life.not_before = (
        found.started_at,
        found.anchor_at,
        found.not_before,
    )
    life.done, life.done_at, life.trail = found.done, dict(found.done_at), found.trail
    life.outcomes = {step_id: dict(outcomes) for step_id, outcomes in found.outcomes.items()}
    life.slot, life.slot_step_id = found.slot, found.slot_step_id
    life.begun, life.is_contacted = set(past.begun), bool(past.reached)
    steps = {step.id: step for step in life.steps}
    under_way = found.under_way
    if under_way is not None and under_way.step_id in steps:
        life.under_way, life.handed_over_at = under_way, now
        return [*_still_to_come(life, past, people, now), *_over(life, people, now)]
    return list(_still_to_come(life, past, people, now))


def _still_to_come(life: Life, past: Past, people: People, now: datetime) -> Iterator[Reaction]:
    """What people do about a step they do some time after it: what is overdue never came."""
    name = life.person.name
    reactions = list(people.react_to_start(name, past.progress.started_at))
    for step in life.steps:
        if at := past.reached.get(step.id):
            reactions += people.react(_done(life, step, at))
    for one in reactions:
        is_known = one.step_id is not None and one.outcome in life.outcomes.get(one.step_id, {})
        if one.at > now and not is_known:
            yield one


def _over(life: Life, people: People, now: datetime) -> Iterator[Reaction]:
    """How a call or a to-do that is under way comes to its end."""
    assert life.under_way is not None  # noqa: S101 - it was looked at
    step = life.step_of(life.under_way.step_id)
    done = _done(life, step, now)
    if step.channel is Channel.CALL and life.under_way.check_at is not None:
        outcome, over_at = people.call_ends(done)
        life.outcomes.setdefault(step.id, {}).setdefault(outcome, over_at)
        life.under_way = replace(life.under_way, check_at=over_at)
    else:
        at = people.todo_done_at(done)
        yield Reaction(at=at, outcome=StepOutcome.DONE, step_id=step.id)


def _done(life: Life, step: Step, at: datetime) -> Done:
    return Done(
        person_id=life.person.id,
        name=life.person.name,
        step_id=step.id,
        step=step.position,
        channel=step.channel,
        at=at,
    )
