"""What differs between two versions of a campaign's steps. Pure: on steps as versions keep them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher, unified_diff
from typing import Any

StoredStep = Mapping[str, Any]

# What a step is, apart from its place and its name.
TEXTS = ("subject", "message_template")
_COMPARED = (
    "channel",
    *TEXTS,
    "wait_seconds",
    "wait_business_days",
    "on_date",
    "options",
    "guards",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """`lines`: of a text, as a unified diff."""

    field: str
    before: Any
    after: Any
    lines: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepChange:
    id: str
    step_number: int
    fields: list[FieldChange]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepMove:
    id: str
    before: int
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionDiff:
    """Numbers of removed steps are those before, all others those after."""

    added: list[StoredStep]
    removed: list[StoredStep]
    moved: list[StepMove]
    changed: list[StepChange]

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.removed or self.moved or self.changed)

    @property
    def rewritten(self) -> frozenset[str]:
        """The steps whose words differ."""
        return frozenset(
            change.id
            for change in self.changed
            if any(field.field in TEXTS for field in change.fields)
        )


def diff_steps(before: Sequence[StoredStep], after: Sequence[StoredStep]) -> VersionDiff:
    old, new = {step["id"]: step for step in before}, {step["id"]: step for step in after}
    return VersionDiff(
        added=[step for step in after if step["id"] not in old],
        removed=[step for step in before if step["id"] not in new],
        moved=list(_moves(old, new)),
        changed=[
            StepChange(id=step_id, step_number=step["position"], fields=fields)
            for step_id, step in new.items()
            if step_id in old and (fields := list(_changes(old[step_id], step)))
        ],
    )


def _moves(old: Mapping[str, StoredStep], new: Mapping[str, StoredStep]) -> Iterator[StepMove]:
    """The fewest steps that have to move to come from one order to the other."""
    was, now = [it for it in old if it in new], [it for it in new if it in old]
    blocks = SequenceMatcher(None, was, now, autojunk=False).get_matching_blocks()
    stays = {it for block in blocks for it in was[block.a : block.a + block.size]}
    for step_id in now:
        if step_id not in stays:
            before, after = old[step_id]["position"], new[step_id]["position"]
            yield StepMove(id=step_id, before=before, after=after)


def _changes(old: StoredStep, new: StoredStep) -> Iterator[FieldChange]:
    for field in _COMPARED:
        # Versions that are older than a field do not have it.
        before, after = old.get(field) or None, new.get(field) or None
        if before != after:
            lines = _lines(before or "", after or "") if field in TEXTS else []
            yield FieldChange(field=field, before=old.get(field), after=new.get(field), lines=lines)


def _lines(before: str, after: str) -> list[str]:
    found = unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1)
    return [line for line in found if not line.startswith(("---", "+++"))]
