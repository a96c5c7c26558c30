"""A campaign as people write it: steps, and conditions with a way for yes and a way for no.

The engine keeps steps in one row, each with the guards above it; `flatten` and `unflatten` go
from one to the other. A decision has no name of its own: its place makes its id.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid5

from shared.domain.branches import Condition, Guard, OutcomeIs
from shared.domain.channels import Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """After the action before. Business days come first, the rest adds up behind them."""

    days: int = 0
    hours: int = 0
    minutes: int = 0
    seconds: int = 0
    business_days: int = 0
    on_date: date | None = None

    @property
    def span(self) -> timedelta:
        """Without the business days, which depend on where the lead is."""
        return timedelta(
            days=self.days, hours=self.hours, minutes=self.minutes, seconds=self.seconds
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPlan:
    """One thing to do. `key`: its name in the campaign. `options`: what its channel knows more."""

    id: UUID
    key: str
    channel: Channel
    message_template: str
    subject: str | None = None
    delay: Delay = Delay()
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_by_hand(self) -> bool:
        return self.channel is Channel.TASK or bool(self.options.get("by_hand"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """`if` in the file: one of two ways, either of which may be empty."""

    condition: Condition
    then: "tuple[Node, ...]" = ()
    otherwise: "tuple[Node, ...]" = ()

    def side(self, is_met: bool) -> "tuple[Node, ...]":
        return self.then if is_met else self.otherwise


Node = StepPlan | Branch


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardedStep:
    """A step in the row, with every decision above it, outermost first."""

    step: StepPlan
    guards: tuple[Guard, ...] = ()


def flatten(nodes: Sequence[Node], *, campaign_id: UUID) -> tuple[GuardedStep, ...]:
    """The steps in order; the way for yes comes before the way for no."""
    return tuple(_flatten(nodes, above=(), parent=campaign_id))


def unflatten(steps: Sequence[GuardedStep]) -> tuple[Node, ...]:
    """The tree of these steps. Neighbours that ask the same share one condition."""
    return _gather(steps, depth=0)


def renewed(steps: Sequence[GuardedStep], *, campaign_id: UUID) -> tuple[GuardedStep, ...]:
    """The same steps, each decision with the id of its place."""
    return flatten(unflatten(steps), campaign_id=campaign_id)


def all_steps(nodes: Iterable[Node]) -> Iterator[StepPlan]:
    for node in nodes:
        if isinstance(node, StepPlan):
            yield node
        else:
            yield from all_steps(node.then)
            yield from all_steps(node.otherwise)


def _flatten(
    nodes: Sequence[Node], *, above: tuple[Guard, ...], parent: UUID
) -> Iterator[GuardedStep]:
    asked: dict[str, int] = {}
    for node in nodes:
        if isinstance(node, StepPlan):
            yield GuardedStep(step=node, guards=above)
            continue
        question = _question(node.condition)
        turn = asked[question] = asked.get(question, 0) + 1
        decision_id = uuid5(parent, f"{question}/{turn}")
        for is_met in (True, False):
            guard = Guard(decision_id=decision_id, condition=node.condition, is_met=is_met)
            # Both ways may ask the same below: their decisions are two.
            below = uuid5(decision_id, str(is_met))
            yield from _flatten(node.side(is_met), above=(*above, guard), parent=below)


def _question(condition: Condition) -> str:
    if isinstance(condition, OutcomeIs):
        return f"{condition.step_id}/{condition.outcome}/{condition.within_seconds}"
    return f"{condition.field}/{condition.test}/{condition.value!r}"


def _gather(steps: Sequence[GuardedStep], *, depth: int) -> tuple[Node, ...]:
    nodes: list[Node] = []
    start = 0
    while start < len(steps):
        if len(steps[start].guards) == depth:
            nodes.append(steps[start].step)
            start += 1
            continue
        condition = steps[start].guards[depth].condition
        turn = _while(steps, start, depth=depth, condition=condition, is_met=True)
        end = _while(steps, turn, depth=depth, condition=condition, is_met=False)
        then = _gather(steps[start:turn], depth=depth + 1)
        otherwise = _gather(steps[turn:end], depth=depth + 1)
        nodes.append(Branch(condition=condition, then=then, otherwise=otherwise))
        start = end
    return tuple(nodes)


def _while(
    steps: Sequence[GuardedStep], start: int, *, depth: int, condition: Condition, is_met: bool
) -> int:
    """The end of the run of steps on this side of this condition."""
    end = start
    while end < len(steps) and len(steps[end].guards) > depth:
        guard = steps[end].guards[depth]
        if guard.condition != condition or guard.is_met is not is_met:
            break
        end += 1
    return end
