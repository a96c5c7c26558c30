"""Guards as they are stored in steps and versions. Old versions are read for ever."""

from typing import Any
from uuid import UUID

from shared.domain.branches import Condition, Guard, LeadIs, LeadTest, OutcomeIs, StepOutcome


def guard_to_json(guard: Guard) -> dict[str, Any]:
    return {
        "decision_id": str(guard.decision_id),
        "is_met": guard.is_met,
        "condition": condition_to_json(guard.condition),
    }


def guard_from_json(stored: dict[str, Any]) -> Guard:
    return Guard(
        decision_id=UUID(stored["decision_id"]),
        is_met=stored["is_met"],
        condition=condition_from_json(stored["condition"]),
    )


def condition_to_json(condition: Condition) -> dict[str, Any]:
    if isinstance(condition, OutcomeIs):
        return {
            "step_id": str(condition.step_id),
            "outcome": condition.outcome.value,
            "within_seconds": condition.within_seconds,
        }
    value = list(condition.value) if isinstance(condition.value, tuple) else condition.value
    return {"field": condition.field, "test": condition.test.value, "value": value}


def condition_from_json(stored: dict[str, Any]) -> Condition:
    if "outcome" in stored:
        return OutcomeIs(
            step_id=UUID(stored["step_id"]),
            outcome=StepOutcome(stored["outcome"]),
            within_seconds=stored.get("within_seconds"),
        )
    value = stored.get("value")
    return LeadIs(
        field=stored["field"],
        test=LeadTest(stored["test"]),
        value=tuple(value) if isinstance(value, list) else value,
    )
