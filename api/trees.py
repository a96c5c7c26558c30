"""A campaign's tree of steps: from bodies to the domain's nodes, and back. No database."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from api.schemas.conditions import condition_fields, to_condition
from api.schemas.definition import AnyNode, BranchNode, StepNode
from api.schemas.steps import ChannelFields, TaskOptions, WaitFields
from shared.domain.channels import Channel
from shared.domain.definition import Branch, Delay, Node, StepPlan, all_steps
from shared.domain.linting import MOST_NESTED
from shared.errors import Invalid

DELAYS = ("days", "hours", "minutes", "seconds", "business_days")
_OF_TASKS = frozenset(TaskOptions.model_fields)
_FLAGS = ("by_hand", "inmail")


def to_nodes(
    bodies: Sequence[AnyNode], *, campaign_id: UUID, known: Mapping[str, UUID] | None = None
) -> tuple[Node, ...]:
    """`known`: the ids of keys that the campaign has already. Raises Invalid."""
    if _depth(bodies) > MOST_NESTED:
        raise Invalid(f"Nest conditions at most {MOST_NESTED} deep: join some", field="steps")
    return _Reader(bodies, campaign_id=campaign_id, known=known or {}).nodes()


def free_key(channel: Channel, taken: Mapping[str, Any] | set[str]) -> str:
    """The channel and the first number that is free."""
    number = 1
    while (key := f"{channel}-{number}") in taken:
        number += 1
    return key


class _Reader:
    def __init__(
        self, bodies: Sequence[AnyNode], *, campaign_id: UUID, known: Mapping[str, UUID]
    ) -> None:
        self._bodies = bodies
        steps = list(_steps(bodies))
        self._keys: dict[int, str] = {}
        self._ids: dict[str, UUID] = {}
        taken = {step.key for step in steps if step.key}
        for step in steps:
            key = step.key or free_key(step.channel, taken)
            if key in self._ids:
                raise Invalid(f"Two steps have the key {key}: give each its own", field="steps")
            taken.add(key)
            self._keys[id(step)] = key
            self._ids[key] = known.get(key) or _new_id(campaign_id, key, {*known.values()})
        self._numbers = dict(enumerate(self._ids.values(), start=1))

    def nodes(self) -> tuple[Node, ...]:
        return self._nodes(self._bodies, "steps")

    def _nodes(self, bodies: Sequence[AnyNode], place: str) -> tuple[Node, ...]:
        return tuple(self._node(body, f"{place}.{index}") for index, body in enumerate(bodies))

    def _node(self, body: AnyNode, place: str) -> Node:
        if isinstance(body, StepNode):
            return self._step(body, place)

        def find(name: int | str) -> UUID:
            return self._find(name, f"{place}.if.step")

        return Branch(
            condition=to_condition(body.condition, find=find),
            then=self._nodes(body.then, f"{place}.then"),
            otherwise=self._nodes(body.otherwise, f"{place}.else"),
        )

    def _step(self, body: StepNode, place: str) -> StepPlan:
        key = self._keys[id(body)]
        return StepPlan(
            id=self._ids[key],
            key=key,
            channel=body.channel,
            message_template=body.message_template,
            subject=body.subject,
            delay=delay_of(body),
            options=to_options(body.channel, channel_fields(body), place=f"{place}."),
        )

    def _find(self, name: int | str, place: str) -> UUID:
        if isinstance(name, int):
            found = self._numbers.get(name)
        else:
            by_id = {str(step_id): step_id for step_id in self._ids.values()}
            found = self._ids.get(name) or by_id.get(name)
        if found is None:
            keys = ", ".join(list(self._ids)[:5])
            raise Invalid(f"There is no step {name}: use a key, such as {keys}", field=place)
        return found


def _new_id(campaign_id: UUID, key: str, taken: set[UUID]) -> UUID:
    """The same for the same key, so that a step that comes back is not done twice."""
    found = uuid5(campaign_id, key)
    while found in taken:
        # Its first bearer goes by another key now.
        found = uuid5(found, key)
    return found


def _depth(bodies: Sequence[AnyNode]) -> int:
    """How many conditions stand above each other; counted level by level."""
    depth, level = 0, list(bodies)
    while level := [it for node in level if isinstance(node, BranchNode) for it in _inside(node)]:
        depth += 1
    return depth


def _inside(branch: BranchNode) -> list[AnyNode]:
    return [*branch.then, *branch.otherwise]


def _steps(bodies: Sequence[AnyNode]) -> Iterator[StepNode]:
    for body in bodies:
        if isinstance(body, BranchNode):
            yield from _steps(body.then)
            yield from _steps(body.otherwise)
        else:
            yield body


def delay_of(body: WaitFields) -> Delay:
    spans = {name: getattr(body, f"delay_{name}") for name in DELAYS}
    return Delay(**spans, on_date=body.on_date)


def channel_fields(body: ChannelFields) -> dict[str, Any]:
    """As `to_options` takes them."""
    return body.model_dump(mode="json", include=set(ChannelFields.model_fields), exclude_none=True)


def to_options(channel: Channel, fields: Mapping[str, Any], *, place: str = "") -> dict[str, Any]:
    """What is stored of the fields that only some channels know. Raises Invalid."""
    by_hand = bool(fields.get("by_hand")) and channel is not Channel.TASK
    if fields.get("inmail") and channel is not Channel.LINKEDIN_MESSAGE:
        raise Invalid("Only a linkedin_message can be an InMail", field=f"{place}inmail")
    if fields.get("call") and channel is not Channel.CALL:
        raise Invalid("Only a call has options of calls", field=f"{place}call")
    if fields.get("task") and not by_hand and channel is not Channel.TASK:
        raise Invalid("Only a task, or what is done by_hand, has these", field=f"{place}task")
    options = {**(fields.get("call") or {}), **(fields.get("task") or {})}
    given = {"by_hand": by_hand, "inmail": bool(fields.get("inmail"))}
    flags = {name: True for name in _FLAGS if given[name]}
    return _given(options) | flags


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Without what says nothing, so that the same is stored whoever has sent it."""
    return {
        name: _given(value) if isinstance(value, Mapping) else value
        for name, value in fields.items()
        if value is not None
    }


def option_fields(channel: Channel, options: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of stored options; what is not there is left out."""
    task = {name: value for name, value in options.items() if name in _OF_TASKS}
    rest = options.keys() - _OF_TASKS - set(_FLAGS)
    call = {name: options[name] for name in options if name in rest}
    fields: dict[str, Any] = {name: True for name in _FLAGS if options.get(name)}
    fields |= {"task": task} if task else {}
    return fields | ({"call": call} if call and channel is Channel.CALL else {})


def tree_fields(nodes: Sequence[Node]) -> list[dict[str, Any]]:
    """The bodies of a tree, without what is usual. Steps are named by their keys."""
    keys = {step.id: step.key for step in all_steps(nodes)}
    return _fields(nodes, keys)


def _fields(nodes: Sequence[Node], keys: Mapping[UUID, str]) -> list[dict[str, Any]]:
    return [
        _branch_fields(node, keys) if isinstance(node, Branch) else step_fields(node)
        for node in nodes
    ]


def _branch_fields(branch: Branch, keys: Mapping[UUID, str]) -> dict[str, Any]:
    def name(step_id: UUID) -> str:
        return keys.get(step_id, str(step_id))

    ways = {"then": branch.then, "else": branch.otherwise}
    shown = {way: _fields(nodes, keys) for way, nodes in ways.items() if nodes}
    return {"if": condition_fields(branch.condition, name=name), **shown}


def step_fields(step: StepPlan) -> dict[str, Any]:
    fields: dict[str, Any] = {"key": step.key, "channel": step.channel.value}
    spans = {f"delay_{name}": getattr(step.delay, name) for name in DELAYS}
    fields |= {name: number for name, number in spans.items() if number}
    if step.delay.on_date:
        fields["on_date"] = step.delay.on_date.isoformat()
    if step.subject is not None:
        fields["subject"] = step.subject
    fields["message_template"] = step.message_template
    return fields | option_fields(step.channel, step.options)
