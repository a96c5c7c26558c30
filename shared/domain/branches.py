"""Which way a recipient goes: conditions on what came of earlier steps, and on the lead.

A tree of conditions is kept flat: each step carries the guards that stand above it, and all of
them have to hold. Pure: what is known comes in as `Facts`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID


class StepOutcome(StrEnum):
    """What can come of a step, beside an answer, which ends the recipient."""

    CONNECTED = "connected"
    ANSWERED = "answered"
    VOICEMAIL = "voicemail"
    NO_ANSWER = "no_answer"
    OPENED = "opened"
    CLICKED = "clicked"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    REFUSED = "refused"


class LeadTest(StrEnum):
    """How a lead's field is compared. Texts without regard to case, numbers as numbers."""

    IS = "is"
    IS_NOT = "is_not"
    CONTAINS = "contains"
    ONE_OF = "one_of"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    IS_SET = "is_set"
    IS_NOT_SET = "is_not_set"


# Of these a step has one at most, and it stays.
ENDINGS = frozenset(
    {
        StepOutcome.ANSWERED,
        StepOutcome.VOICEMAIL,
        StepOutcome.NO_ANSWER,
        StepOutcome.DONE,
        StepOutcome.SKIPPED,
        StepOutcome.FAILED,
        StepOutcome.REFUSED,
    }
)
# Whatever was not done has no other outcome later.
NEVER_DONE = frozenset({StepOutcome.SKIPPED, StepOutcome.FAILED, StepOutcome.REFUSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeIs:
    """`within_seconds`: after the step was done; until then the decision is open.

    Without it, what is known when the step behind it is due decides.
    """

    step_id: UUID
    outcome: StepOutcome
    within_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadIs:
    """`field`: a column of the lead, or `custom.` and a name."""

    field: str
    test: LeadTest
    value: str | int | tuple[str, ...] | None = None


Condition = OutcomeIs | LeadIs


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """One side of a decision: its steps are done when the condition `is_met`, or when it is not."""

    decision_id: UUID
    condition: Condition
    is_met: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What conditions ask for. `done_at`: of settled steps. `taken`: decisions that have fallen,
    because a step of one side is done."""

    outcomes: Mapping[UUID, Mapping[StepOutcome, datetime]] = field(default_factory=dict)
    done_at: Mapping[UUID, datetime] = field(default_factory=dict)
    lead: Mapping[str, Any] = field(default_factory=dict)
    taken: Mapping[UUID, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`holds` None: open until `at`. Otherwise `at` is when it fell, if that is known."""

    holds: bool | None
    at: datetime | None = None


def judge(guard: Guard, facts: Facts, now: datetime) -> Verdict:
    """Whether the steps behind the guard are done."""
    condition = guard.condition
    if isinstance(condition, LeadIs):
        found = Verdict(holds=fits(condition, facts.lead))
    else:
        found = _judge_outcome(condition, facts, now)
    if guard.decision_id in facts.taken:
        # A fact that comes late does not lead back to the other side.
        return Verdict(holds=facts.taken[guard.decision_id] is guard.is_met, at=found.at)
    if found.holds is None:
        return found
    return Verdict(holds=found.holds is guard.is_met, at=found.at)


def judge_all(guards: Iterable[Guard], facts: Facts, now: datetime) -> tuple[Verdict, Guard | None]:
    """All of them together, and the one that decides: the first that does not hold."""
    fell_at: datetime | None = None
    for guard in guards:
        verdict = judge(guard, facts, now)
        if not verdict.holds:
            return verdict, guard
        # Only a decision with a deadline is an event of its own, from which a wait counts.
        if verdict.at and isinstance(guard.condition, OutcomeIs) and guard.condition.within_seconds:
            fell_at = max(fell_at, verdict.at) if fell_at else verdict.at
    return Verdict(holds=True, at=fell_at), None


def fits(condition: LeadIs, lead: Mapping[str, Any]) -> bool:
    value = _value_of(condition.field, lead)
    wanted = condition.value
    match condition.test:
        case LeadTest.IS_SET:
            return value not in (None, "", [], {})
        case LeadTest.IS_NOT_SET:
            return value in (None, "", [], {})
        case LeadTest.IS:
            return _plain(value) == _plain(wanted)
        case LeadTest.IS_NOT:
            return _plain(value) != _plain(wanted)
        case LeadTest.ONE_OF:
            choices = wanted if isinstance(wanted, tuple) else (wanted,)
            return _plain(value) in {_plain(choice) for choice in choices}
        case LeadTest.CONTAINS:
            parts = value if isinstance(value, list) else [value]
            return any(_plain(wanted) in _plain(part) for part in parts if part is not None)
        case LeadTest.AT_LEAST | LeadTest.AT_MOST:
            number, bound = _number(value), _number(wanted)
            if number is None or bound is None:
                return False
            return number >= bound if condition.test is LeadTest.AT_LEAST else number <= bound


def _judge_outcome(condition: OutcomeIs, facts: Facts, now: datetime) -> Verdict:
    known = facts.outcomes.get(condition.step_id, {})
    done_at, came_at = facts.done_at.get(condition.step_id), known.get(condition.outcome)
    deadline = None
    if condition.within_seconds is not None and done_at is not None:
        deadline = done_at + timedelta(seconds=condition.within_seconds)
    if came_at is not None and (deadline is None or came_at <= deadline):
        return Verdict(holds=True, at=came_at)
    ruled_out = _ruled_out_at(condition.outcome, known)
    if done_at is None or ruled_out is not None:
        return Verdict(holds=False, at=ruled_out)
    if deadline is None:
        return Verdict(holds=False)
    return Verdict(holds=False if now >= deadline else None, at=deadline)


def _ruled_out_at(wanted: StepOutcome, known: Mapping[StepOutcome, datetime]) -> datetime | None:
    """When another outcome came that leaves no room for the wanted one."""
    others = ENDINGS if wanted in ENDINGS else NEVER_DONE
    return min((at for outcome, at in known.items() if outcome in others), default=None)


def _value_of(name: str, lead: Mapping[str, Any]) -> Any:
    if name.startswith("custom."):
        return (lead.get("custom") or {}).get(name.removeprefix("custom."))
    return lead.get(name)


def _plain(value: object) -> str:
    return "" if value is None else str(value).strip().casefold()


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None
