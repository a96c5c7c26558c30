"""What a file changes, in words for people. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from api.services.version_diffs import StepChange, StoredStep, VersionDiff

# As fields of the file are called.
_WORDS = {
    "wait_seconds": "the wait",
    "wait_business_days": "business days",
    "guards": "the conditions above it",
    "options": "options of its channel",
}
LONGEST = 60


def setting_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """`before` and `after`: the fields of two files; the steps are compared elsewhere."""
    names = [name for name in {**before, **after} if name != "steps"]
    return [
        f"{name}: {_shown(before.get(name))} -> {_shown(after.get(name))}"
        for name in names
        if before.get(name) != after.get(name)
    ]


def step_changes(diff: VersionDiff) -> list[str]:
    return list(_step_changes(diff))


def _step_changes(diff: VersionDiff) -> Iterator[str]:
    for step in diff.removed:
        yield f"step {_name(step)} is removed (it was step {step['position']})"
    for step in diff.added:
        yield f"step {_name(step)} is added as step {step['position']}, {step['channel']}"
    for move in diff.moved:
        yield f"step {move.before} moves to {move.after}"
    for change in diff.changed:
        yield f"step {change.step_number}: {', '.join(_fields(change))}"


def _fields(change: StepChange) -> Iterator[str]:
    for field in change.fields:
        name = _WORDS.get(field.field, field.field)
        if field.field == "guards":
            yield f"{name} change"
        elif field.lines:
            yield f"{name} is rewritten"
        else:
            yield f"{name} {_shown(field.before)} -> {_shown(field.after)}"


def _name(step: StoredStep) -> str:
    return str(step.get("key") or step["id"])


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
