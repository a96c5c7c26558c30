"""Why a recipient is where it is, in words. Asks the same function that decides."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.domain.channels import Channel
from shared.domain.labels import side_of, title_of
from shared.domain.moves import (
    Undecided,
    behind_pause,
    due_at,
    next_move,
    next_step,
    passed_over,
    question_of,
)
from shared.domain.recipient import (
    FREE,
    Finished,
    HoldReason,
    Outcome,
    Parked,
    Planned,
    Progress,
    Step,
    UnderWay,
)
from shared.domain.slots import Slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """`because` explains the instant; `blocked_by` is what somebody can change."""

    move: Outcome
    because: tuple[str, ...]
    blocked_by: tuple[str, ...]


def explain(
    steps: tuple[Step, ...],
    progress: Progress,
    now: datetime,
    *,
    is_launched: bool = True,
    is_parked: bool = False,
    other_slot: Slot | None = None,
    goes_on_at: datetime | None = None,
) -> Explanation:
    """Say what comes next for a recipient, when, and what holds it.

    `is_parked`: it has stopped to wait until somebody wakes it. `other_slot`: the one that its
    account will give it instead of the one that it has. `goes_on_at`: what an attempt has begun had
    to be left until then.
    """
    move = next_move(steps, progress, now)
    if is_parked and isinstance(move, Planned) and (held := _held(steps, progress, now)):
        move = Parked(reason=held)
    match move:
        case Finished(reason=reason):
            return Explanation(move=move, because=(f"it has ended: {reason}",), blocked_by=())
        case Parked(reason=reason):
            because, blocked = (
                (_waited_for(steps, progress, now),),
                (_hold(reason, steps, progress, now),),
            )
            return Explanation(move=move, because=because, blocked_by=blocked)
        case Planned():
            reasons = [*_reasons(steps, progress, move, now)]
            if other_slot:
                reasons.append(_moved(progress, move, other_slot))
                move = replace(move, at=other_slot.at)
            if goes_on_at and goes_on_at > max(move.at, now):
                reasons.append(f"what was begun is taken up again at {_minute(goes_on_at)}")
                move = replace(move, at=goes_on_at)
            if not is_launched:
                reasons.append("the campaign's launcher has not started it yet")
            return Explanation(
                move=move, because=tuple(reasons), blocked_by=_blocked_by(steps, progress, now)
            )


def _moved(progress: Progress, move: Planned, slot: Slot) -> str:
    """Why it will not be given the slot that it has, if it has one."""
    found = f"{slot.words or 'its account has no room then'}: the next free slot is"
    if progress.slot is None or progress.slot_step_id != move.step_id:
        return f"{found} {_minute(slot.at)}"
    taken = f"its slot at {_minute(progress.slot.at)} goes to a follow-up, which has precedence"
    return f"{taken}; {found} {_minute(slot.at)}"


def _reasons(
    steps: tuple[Step, ...], progress: Progress, move: Planned, now: datetime
) -> tuple[str, ...]:
    reasons = [
        _waited_for(steps, progress, now),
        *_way(steps, progress, now),
        *_held_back(steps, progress, move, now),
    ]
    if progress.not_before and progress.not_before >= move.at:
        reasons.append(f"the lead is away until {_minute(progress.not_before)}")
    step = next((step for step in steps if step.id == move.step_id), None)
    station = progress.station_of(step) if step else FREE
    if station.free_at and station.free_at >= move.at:
        why = f": {station.why}" if station.why else ""
        reasons.append(f"the account may not send before {_minute(station.free_at)}{why}")
    return tuple(reasons)


def _way(steps: tuple[Step, ...], progress: Progress, now: datetime) -> Iterator[str]:
    """Which decisions have led here, and what they have left out."""
    step = next_step(steps, progress, now)
    if progress.under_way or not isinstance(step, Step):
        return
    for guard in step.guards:
        yield f"it is on the way of those with: {side_of(guard, steps)}"
    for other, guard in passed_over(steps, progress, now):
        opposite = replace(guard, is_met=not guard.is_met)
        yield f"{title_of(other)} is passed over: {side_of(opposite, steps)}"


def _blocked_by(steps: tuple[Step, ...], progress: Progress, now: datetime) -> tuple[str, ...]:
    held = _held(steps, progress, now)
    return (_hold(held, steps, progress, now),) if held else ()


def _held(steps: tuple[Step, ...], progress: Progress, now: datetime) -> HoldReason | None:
    step = next_step(steps, progress, now)
    station = progress.station_of(step).held if isinstance(step, Step) else None
    return progress.held or station


def _hold(reason: HoldReason, steps: tuple[Step, ...], progress: Progress, now: datetime) -> str:
    step = next_step(steps, progress, now)
    trouble = progress.station_of(step).trouble if isinstance(step, Step) else None
    is_told = reason is HoldReason.ACCOUNT_DOWN and trouble
    return f"{reason}: {trouble}" if is_told else str(reason)


def _held_back(
    steps: tuple[Step, ...], progress: Progress, move: Planned, now: datetime
) -> Iterator[str]:
    """What moves the next step behind its wait: the account's limits, the campaign's hours."""
    step = next((step for step in steps if step.id == move.step_id), None)
    if step is None or progress.under_way:
        return
    at, window, slot = due_at(step, progress, now), progress.window, progress.slot
    if slot and slot.words and progress.slot_step_id == step.id and slot.at > at:
        yield f"{slot.words}: the next free slot is {_minute(slot.at)}"
    calling = progress.calling if step.channel is Channel.CALL else None
    if calling and calling.why_closed(max(at, now)):
        yield f"it is no time for a call where the lead is: it waits for {_minute(move.at)}"
    if window is None:
        return
    turn = behind_pause(step, progress, at)
    if turn > at:
        yield f"it came due while the campaign was paused: its turn is {_minute(turn)}"
        at = turn
    asked, opens = max(at, now), move.at
    if why := window.why_closed(asked):
        zone = window.calendar.zone
        closed = f"{asked.astimezone(zone):%A %Y-%m-%d %H:%M} in {zone.key} is {why}"
        yield f"{closed}: it waits for {_minute(opens)}"
    elif opens > asked and not slot:
        yield f"those who wait for an opening are spread: its turn is {_minute(opens)}"


def _waited_for(steps: tuple[Step, ...], progress: Progress, now: datetime) -> str:
    if progress.under_way:
        return _under_way(steps, progress.under_way)
    step = next_step(steps, progress, now)
    if step is None:
        return "no step is left"
    if isinstance(step, Undecided):
        return question_of(step, steps)
    if progress.hurried_at and step.id == progress.hurried_step_id:
        return f"step {step.position} was asked for at once ({_minute(progress.hurried_at)})"
    since = "the last action" if progress.anchor_at else "the start"
    start = _minute(progress.anchor_at or progress.started_at)
    wait = _span(step.wait_seconds)
    if step.wait_business_days:
        more = f" and {wait}" if step.wait_seconds else ""
        wait = f"{step.wait_business_days} business days{more}"
    until = f", and for {step.on_date}" if step.on_date else ""
    return f"step {step.position} waits {wait} after {since} ({start}){until}"


def _under_way(steps: tuple[Step, ...], under_way: UnderWay) -> str:
    step = next((step for step in steps if step.id == under_way.step_id), None)
    title = title_of(step) if step else "a step that was removed"
    if under_way.check_at is None:
        return f"{title} is a person's to do: they say what came of it"
    asked = _minute(under_way.check_at)
    return f"{title} is under way: what came of it is asked for at {asked}"


def _span(seconds: int) -> str:
    return str(timedelta(seconds=seconds))


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}Z"
