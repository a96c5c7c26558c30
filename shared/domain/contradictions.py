"""Whether conditions can hold together. Pure, and careful: what it calls impossible is."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain, pairwise

from shared.domain.branches import (
    ENDINGS,
    NEVER_DONE,
    Guard,
    LeadIs,
    LeadTest,
    OutcomeIs,
    StepOutcome,
    fits,
)

# Stands for every text that no condition names.
_ANOTHER = "\x00"
_Side = tuple[LeadIs, bool]


def contradiction(above: Sequence[Guard], new: Guard, *, judged_with: int = 0) -> Guard | None:
    """The guard above that leaves no room for the new one, if there is one.

    `judged_with`: from this one on no step lies between, so that they are judged at one instant.
    """
    if isinstance(new.condition, LeadIs):
        return _among_leads(above, new)
    for place, guard in enumerate(above):
        if _exclude(guard, new, is_at_once=place >= judged_with):
            return guard
    return None


def are_possible(guards: Sequence[Guard]) -> bool:
    """Whether some lead could come to steps that stand behind all of these."""
    return not any(
        contradiction(guards[:place], guard, judged_with=place)
        for place, guard in enumerate(guards)
    )


def _exclude(first: Guard, second: Guard, *, is_at_once: bool) -> bool:
    one, two = first.condition, second.condition
    if not isinstance(one, OutcomeIs) or not isinstance(two, OutcomeIs):
        return False
    if one.step_id != two.step_id:
        return False
    if one.outcome is not two.outcome:
        return first.is_met and second.is_met and _rule_out(one.outcome, two.outcome)
    if first.is_met is second.is_met:
        return False
    met, unmet = (one, two) if first.is_met else (two, one)
    if unmet.within_seconds is None:
        # What is not known yet may become known between two steps, and then stays known.
        return first.is_met or is_at_once
    return met.within_seconds is not None and met.within_seconds <= unmet.within_seconds


def _rule_out(one: StepOutcome, two: StepOutcome) -> bool:
    if one in ENDINGS and two in ENDINGS:
        return True
    return (one in NEVER_DONE and two not in ENDINGS) or (two in NEVER_DONE and one not in ENDINGS)


def _among_leads(above: Sequence[Guard], new: Guard) -> Guard | None:
    """No value of the field satisfies all: tried with every value that could make a difference."""
    *_, (wanted, _) = _about_leads([new])
    same = [guard for guard in above for it, _ in _about_leads([guard]) if it.field == wanted.field]
    if not same:
        return None
    sides = _about_leads([*same, new])
    for value in _values(sides):
        if all(_holds(condition, value) is is_met for condition, is_met in sides):
            return None
    return same[-1]


def _about_leads(guards: Iterable[Guard]) -> list[_Side]:
    return [(it.condition, it.is_met) for it in guards if isinstance(it.condition, LeadIs)]


def _holds(condition: LeadIs, value: object) -> bool:
    return fits(replace(condition, field="value"), {"value": value})


def _values(sides: Sequence[_Side]) -> list[object]:
    named = list(chain.from_iterable(_named(condition) for condition, _ in sides))
    contained = [
        str(condition.value)
        for condition, is_met in sides
        if is_met and condition.test is LeadTest.CONTAINS
    ]
    return [None, _ANOTHER, *named, *_around(named), contained, " ".join(contained)]


def _named(condition: LeadIs) -> tuple[object, ...]:
    return condition.value if isinstance(condition.value, tuple) else (condition.value,)


def _around(values: Iterable[object]) -> list[float]:
    """Between and beside the numbers that conditions name."""
    numbers = sorted({number for value in values if (number := _number(value)) is not None})
    between = [(low + high) / 2 for low, high in pairwise(numbers)]
    return [*between, numbers[0] - 1, numbers[-1] + 1] if numbers else []


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None
