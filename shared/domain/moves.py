"""What a recipient is due next, and when. Pure: no clock, no database, no Temporal."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.domain.branches import Facts, Guard, judge_all
from shared.domain.calendar import jitter
from shared.domain.channels import Channel
from shared.domain.labels import label_of, question_in_words, title_of
from shared.domain.recipient import (
    ActivityName,
    EndReason,
    Finished,
    HoldReason,
    Outcome,
    Parked,
    Planned,
    Progress,
    Step,
    UnderWay,
)
from shared.domain.windows import Opening, first_open, whole_second

# An action this late counts as late: the steps behind it shift with it.
ON_TIME = timedelta(minutes=5)
# Over so much open time, at the most, is spread what a pause has held up.
LONGEST_SPREAD = timedelta(hours=8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Undecided:
    """Which way it goes is open until an instant, and what the decision waits for."""

    step: Step
    guard: Guard
    until: datetime


def next_move(steps: tuple[Step, ...], progress: Progress, now: datetime) -> Outcome:
    """Decide what comes next. An end outranks a wait, and a wait outranks a hold."""
    if progress.ended:
        return Finished(reason=progress.ended)
    if progress.under_way:
        return _see_to(progress.under_way, steps)
    match next_step(steps, progress, now):
        case None:
            return Finished(reason=EndReason.COMPLETED)
        case Undecided() as open_:
            return Planned(
                activity=ActivityName.RECIPIENT_PLAN,
                step_id=None,
                at=whole_second(open_.until),
                label=question_of(open_, steps),
            )
        case Step() as step:
            at = planned_at(step, progress, now)
            held = progress.held or progress.station_of(step).held
            if held and at <= now:
                return Parked(reason=held)
            return Planned(
                activity=step.activity, step_id=step.id, at=at, label=label_of(step, steps)
            )


def _see_to(under_way: UnderWay, steps: tuple[Step, ...]) -> Outcome:
    """A call is asked for; a person says by themselves what came of their part."""
    if under_way.check_at is None:
        return Parked(reason=HoldReason.TODO)
    step = next((step for step in steps if step.id == under_way.step_id), None)
    label = label_of(replace(step, activity=ActivityName.BLAND_COLLECT), steps) if step else ""
    return Planned(
        activity=ActivityName.BLAND_COLLECT,
        step_id=under_way.step_id,
        at=whole_second(under_way.check_at),
        label=label or f"a step that was removed, {ActivityName.BLAND_COLLECT}",
    )


def next_step(
    steps: tuple[Step, ...], progress: Progress, now: datetime
) -> Step | Undecided | None:
    """The first undone step behind the last settled one whose guards hold.

    A step put in before the last settled one is not done any more.
    """
    facts = facts_of(steps, progress)
    for step in steps[_place(steps, progress) :]:
        if step.id in progress.done:
            continue
        verdict, guard = judge_all(step.guards, facts, now)
        if guard is None:
            return step
        if verdict.holds is None and verdict.at is not None:
            return Undecided(step=step, guard=guard, until=verdict.at)
    return None


def facts_of(steps: tuple[Step, ...], progress: Progress) -> Facts:
    """What the guards of these steps are judged by."""
    taken = {
        guard.decision_id: guard.is_met
        for step in steps
        if step.id in progress.done
        for guard in step.guards
    }
    return Facts(
        outcomes=progress.outcomes, done_at=progress.done_at, lead=progress.lead, taken=taken
    )


def planned_at(step: Step, progress: Progress, now: datetime) -> datetime:
    """When the step will be done: in its windows, and in the slot that the account has for it."""
    at = behind_pause(step, progress, due_at(step, progress, now))
    if progress.slot and progress.slot_step_id == step.id:
        at = max(at, progress.slot.at)
    windows = windows_of(step, progress)
    if not windows:
        return at
    seed = seed_of(step, progress)
    at = first_open(windows, at, seed)
    if at > now or all(window.is_open(now) for window in windows):
        return at
    # It was open when it was due, and nobody came.
    return first_open(windows, now, seed)


def behind_pause(step: Step, progress: Progress, at: datetime) -> datetime:
    """What came due while the campaign was paused does not come all at once when it goes on.

    It is spread over as much open time as the pause has lasted, up to a working day.
    """
    pause, window = progress.pause, progress.window
    if pause is None or window is None or step.id == progress.hurried_step_id:
        return at
    seed = seed_of(step, progress)
    if window.first_open(at, seed) >= pause.ended_at:
        return at
    spread = min(pause.ended_at - pause.began_at, LONGEST_SPREAD) // timedelta(seconds=1)
    return window.open_for(pause.ended_at, jitter(f"{seed}/{pause.ended_at}", spread))


def windows_of(step: Step, progress: Progress) -> tuple[Opening, ...]:
    """All that have to be open: the campaign's, and for a call what the law allows."""
    calling = progress.calling if step.channel is Channel.CALL else None
    return tuple(window for window in (progress.window, calling) if window is not None)


def seed_of(step: Step, progress: Progress) -> str:
    return f"{progress.seed}/{step.id}"


def due_at(step: Step, progress: Progress, now: datetime) -> datetime:
    """When the step may be done: whole seconds, rounded up, so that no wait is cut short.

    Behind a decision that had a deadline, the wait counts from when it fell. For a step that
    somebody wants at once the wait is left out, and nothing else.
    """
    since = progress.anchor_at or progress.started_at
    if step.guards:
        verdict, _ = judge_all(step.guards, facts_of((), progress), now)
        since = max(since, verdict.at) if verdict.holds and verdict.at else since
    due = progress.calendar.add_business_days(since, step.wait_business_days)
    due += timedelta(seconds=step.wait_seconds)
    if step.on_date:
        due = max(due, progress.calendar.start_of(step.on_date))
    if progress.hurried_at and step.id == progress.hurried_step_id:
        due = min(due, progress.hurried_at)
    free_at = progress.station_of(step).free_at
    return whole_second(max([due, *filter(None, (progress.not_before, free_at))]))


def anchor(*, planned_at: datetime, done_at: datetime) -> datetime:
    """What the next wait counts from: the plan when it was kept, so that nothing drifts."""
    return planned_at if done_at - planned_at <= ON_TIME else done_at


def question_of(undecided: Undecided, steps: tuple[Step, ...]) -> str:
    """What the recipient waits to hear, for people."""
    asked = question_in_words(undecided.guard.condition, steps)
    return f"before {title_of(undecided.step)}: {asked}"


def passed_over(
    steps: tuple[Step, ...], progress: Progress, now: datetime
) -> tuple[tuple[Step, Guard], ...]:
    """The steps between the last settled one and the next, each with what keeps it out."""
    facts, found = facts_of(steps, progress), []
    for step in steps[_place(steps, progress) :]:
        if step.id in progress.done:
            continue
        verdict, guard = judge_all(step.guards, facts, now)
        if guard is None or verdict.holds is None:
            break
        found.append((step, guard))
    return tuple(found)


def _place(steps: tuple[Step, ...], progress: Progress) -> int:
    """The index behind the last settled step.

    Was that one removed, it is behind the last one done before it that is still there, and behind
    what directly follows there and was passed over already.
    """
    trail, index = progress.trail, {step.id: i for i, step in enumerate(steps)}
    if not trail:
        return 0
    if trail[-1] in index:
        return index[trail[-1]] + 1
    left = (index[it] + 1 for it in reversed(trail) if it in index and it in progress.done)
    place = next(left, 0)
    while place < len(steps) and steps[place].id in trail:
        place += 1
    return place
