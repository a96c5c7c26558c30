"""Why a recipient is where it is, in words. Asks the same function that decides."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.recipient import (
    Finished,
    Outcome,
    Parked,
    Planned,
    Progress,
    Step,
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
            because, blocked = (_waited_for(steps, progress),), (str(reason),)
            return Explanation(move=move, because=because, blocked_by=blocked)
        case Planned():
            return Explanation(
                move=move,
                because=_reasons(steps, progress, move, is_launched=is_launched),
                blocked_by=(str(progress.held),) if progress.held else (),
            )


def _reasons(
    steps: tuple[Step, ...], progress: Progress, move: Planned, *, is_launched: bool
) -> tuple[str, ...]:
    reasons = [_waited_for(steps, progress)]
    if progress.not_before and progress.not_before >= move.at:
        reasons.append(f"the lead is away until {_minute(progress.not_before)}")
    if progress.account_free_at and progress.account_free_at >= move.at:
        reasons.append(f"the account may not send before {_minute(progress.account_free_at)}")
    if not is_launched:
        reasons.append("the campaign's launcher has not started it yet")
    return tuple(reasons)


def _waited_for(steps: tuple[Step, ...], progress: Progress) -> str:
    step = next_step(steps, progress)
    if step is None:
        return "no step is left"
    if progress.hurried_at and step.id == progress.hurried_step_id:
        return f"step {step.position} was asked for at once ({_minute(progress.hurried_at)})"
    since = "the last action" if progress.anchor_at else "the start"
    start = _minute(progress.anchor_at or progress.started_at)
    return f"step {step.position} waits {_span(step.wait_seconds)} after {since} ({start})"


def _span(seconds: int) -> str:
    return str(timedelta(seconds=seconds))


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}Z"
