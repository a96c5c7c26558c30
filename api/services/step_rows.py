"""Rows of steps: made of the API's fields, seen as the domain's tree, and kept consistent."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from api.schemas.conditions import LeadGuard, OutcomeGuard, condition_fields, to_condition
from api.services.campaigns import list_steps
from api.trees import DELAYS, free_key, option_fields, to_options
from shared.db.models import StepRow
from shared.domain.branches import Guard, OutcomeIs
from shared.domain.channels import Channel
from shared.domain.definition import Delay, GuardedStep, Node, StepPlan, flatten, renewed, unflatten
from shared.domain.guard_json import guard_from_json, guard_to_json
from shared.errors import Conflict, Invalid

# The fields that are kept among the options, and what they are if nobody says otherwise.
USUAL = {"by_hand": False, "inmail": False, "task": None, "call": None}
_NO_ID = UUID(int=0)
_UNIQUE = "uq_steps_company_id_campaign_id_position, uq_steps_company_id_campaign_id_key"
_LATER = text(f"set constraints {_UNIQUE} deferred")
_NOW = text(f"set constraints {_UNIQUE} immediate")


def guarded(row: StepRow) -> GuardedStep:
    spans = {name: getattr(row, f"delay_{name}") for name in DELAYS}
    step = StepPlan(
        id=row.id,
        key=row.name,
        channel=row.channel,
        message_template=row.message_template,
        subject=row.subject,
        delay=Delay(**spans, on_date=row.on_date),
        options=row.options,
    )
    return GuardedStep(step=step, guards=tuple(map(guard_from_json, row.guards)))


def tree_of(rows: Sequence[StepRow]) -> tuple[Node, ...]:
    return unflatten([guarded(row) for row in rows])


def to_columns(
    fields: Mapping[str, Any], *, steps: Sequence[StepRow], row: StepRow | None = None
) -> dict[str, Any]:
    """Columns of the fields that are given; `row`: the step that they change. Raises Invalid.

    `when` are the bodies themselves, all others are plain values.
    """
    columns = {n: v for n, v in fields.items() if n not in (*USUAL, "when")}
    channel = Channel(columns.get("channel") or (row.channel if row else Channel.EMAIL))
    others = {step.name for step in steps if step is not row}
    if (key := columns.get("key")) in others:
        raise Invalid(f"Another step has the key {key}", field="key")
    if row is None and key is None:
        columns["key"] = free_key(channel, others)
    given = {name: fields[name] for name in USUAL if name in fields}
    if given or (row is not None and channel is not row.channel):
        is_kept = row is not None and channel is row.channel
        kept = option_fields(row.channel, row.options) if row is not None and is_kept else {}
        columns["options"] = to_options(channel, kept | given)
    if "when" in fields:
        guards = [_guard(body, steps) for body in fields["when"] or ()]
        columns["guards"] = [guard_to_json(guard) for guard in guards]
    return columns


def when_fields(row: StepRow) -> list[dict[str, Any]]:
    """The conditions above a step as they are written."""
    return [
        condition_fields(guard.condition, name=str) | ({} if guard.is_met else {"is_met": False})
        for guard in map(guard_from_json, row.guards)
    ]


async def settle_guards(session: AsyncSession, campaign_id: UUID) -> None:
    """Give each decision the id of its place, which an edit may have moved."""
    rows = await list_steps(session, campaign_id)
    steps = renewed([guarded(row) for row in rows], campaign_id=campaign_id)
    for row, step in zip(rows, steps, strict=True):
        stored = [guard_to_json(guard) for guard in step.guards]
        if stored != row.guards:
            row.guards = stored
    await session.flush()


async def write_tree(session: AsyncSession, campaign_id: UUID, nodes: Sequence[Node]) -> None:
    """Make the campaign's rows those of the tree: a step of the same id is the same row."""
    rows = {row.id: row for row in await list_steps(session, campaign_id)}
    flat = flatten(nodes, campaign_id=campaign_id)
    # Numbers and keys may be passed on from row to row.
    await session.execute(_LATER)
    for gone in rows.keys() - {one.step.id for one in flat}:
        await session.delete(rows[gone])
    for position, one in enumerate(flat, start=1):
        row = rows.get(one.step.id)
        if row is None:
            row = StepRow(id=one.step.id, campaign_id=campaign_id)
            session.add(row)
        for name, value in _columns(one, position).items():
            if getattr(row, name) != value:
                setattr(row, name, value)
    await session.flush()
    await session.execute(_NOW)


def _columns(guarded_step: GuardedStep, position: int) -> dict[str, Any]:
    step = guarded_step.step
    spans = {f"delay_{name}": getattr(step.delay, name) for name in DELAYS}
    return {
        "position": position,
        "key": step.key,
        "channel": step.channel,
        "subject": step.subject,
        "message_template": step.message_template,
        **spans,
        "on_date": step.delay.on_date,
        "options": dict(step.options),
        "guards": [guard_to_json(guard) for guard in guarded_step.guards],
    }


def must_not_be_asked_for(row: StepRow, steps: Sequence[StepRow]) -> None:
    """Raises Conflict when a later step depends on what comes of this one."""
    for other in steps:
        for guard in map(guard_from_json, other.guards):
            if isinstance(guard.condition, OutcomeIs) and guard.condition.step_id == row.id:
                raise Conflict(
                    f"Step {other.position} asks what came of step {row.position}:"
                    " change its `when` first"
                )


def _guard(body: OutcomeGuard | LeadGuard, steps: Sequence[StepRow]) -> Guard:
    def find(name: int | str) -> UUID:
        for step in steps:
            if name in (step.position, step.name, str(step.id)):
                return step.id
        raise Invalid(f"The campaign has no step {name}", field="when")

    condition = to_condition(body, find=find)
    return Guard(decision_id=_NO_ID, condition=condition, is_met=body.is_met)
