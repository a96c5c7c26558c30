"""Why a recipient is where it is, in words. Asks the same function that decides."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.recipient import (
    Finished,
    HoldReason,
    Outcome,
    Parked,
    Planned,
    Progress,
    Step,
    due_at,
    next_move,
    next_step,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """`because` explains the instant; `blocked_by` is what somebody can change."""

    move: Outcome
    because: tuple[str, ...]
    blocked_by: tuple[str, ...]


def explain(
    steps: tuple[Step, ...], progress: Progress, now: datetime, *, is_launched: bool = True
) -> Explanation:
    """Say what comes next for a recipient, when, and what holds it."""
    move = next_move(steps, progress, now)
    match move:
        case Finished(reason=reason):
            return Explanation(move=move, because=(f"it has ended: {reason}",), blocked_by=())
        case Parked(reason=reason):
            because, blocked = (_waited_for(steps, progress),), (_hold(reason, progress),)
            return Explanation(move=move, because=because, blocked_by=blocked)
        case Planned():
            return Explanation(
                move=move,
                because=_reasons(steps, progress, move, now, is_launched=is_launched),
                blocked_by=(_hold(progress.held, progress),) if progress.held else (),
            )


def _reasons(
    steps: tuple[Step, ...], progress: Progress, move: Planned, now: datetime, *, is_launched: bool
) -> tuple[str, ...]:
    reasons = [_waited_for(steps, progress), *_held_back(steps, progress, move, now)]
    if progress.not_before and progress.not_before >= move.at:
        reasons.append(f"the lead is away until {_minute(progress.not_before)}")
    if progress.account_free_at and progress.account_free_at >= move.at:
        reasons.append(f"the account may not send before {_minute(progress.account_free_at)}")
    if not is_launched:
        reasons.append("the campaign's launcher has not started it yet")
    return tuple(reasons)


def _hold(reason: HoldReason, progress: Progress) -> str:
    is_told = reason is HoldReason.ACCOUNT_DOWN and progress.trouble
    return f"{reason}: {progress.trouble}" if is_told else str(reason)


def _held_back(
    steps: tuple[Step, ...], progress: Progress, move: Planned, now: datetime
) -> Iterator[str]:
    """What moves the next step behind its wait: the account's limits, the campaign's hours."""
    step = next(step for step in steps if step.id == move.step_id)
    at, window, slot = due_at(step, progress), progress.window, progress.slot
    if slot and slot.words and progress.slot_step_id == step.id and slot.at > at:
        yield f"{slot.words}: the next free slot is {_minute(slot.at)}"
    if window is None:
        return
    asked, opens = max(at, now), move.at
    if why := window.why_closed(asked):
        zone = window.calendar.zone
        closed = f"{asked.astimezone(zone):%A %Y-%m-%d %H:%M} in {zone.key} is {why}"
        yield f"{closed}: it waits for {_minute(opens)}"
    elif opens > asked and not slot:
        yield f"those who wait for an opening are spread: its turn is {_minute(opens)}"


def _waited_for(steps: tuple[Step, ...], progress: Progress) -> str:
    step = next_step(steps, progress)
    if step is None:
        return "no step is left"
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


def _span(seconds: int) -> str:
    return str(timedelta(seconds=seconds))


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}Z"
