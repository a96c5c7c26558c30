"""What is wrong with a campaign's steps before anybody is in it: words, and the place of each.

An error is refused when the campaign is activated; a warning is shown.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from shared.domain.branches import (
    NEVER_DONE,
    Condition,
    Guard,
    LeadIs,
    LeadTest,
    OutcomeIs,
    StepOutcome,
)
from shared.domain.channels import Channel
from shared.domain.contradictions import are_possible, contradiction
from shared.domain.definition import Branch, Node, StepPlan, all_steps

MOST_NESTED = 50
MOST_STEPS = 1_000
_BY_HAND = frozenset({StepOutcome.DONE, StepOutcome.SKIPPED, StepOutcome.FAILED})
OUTCOMES_OF = {
    Channel.EMAIL: frozenset({StepOutcome.OPENED, StepOutcome.CLICKED}) | NEVER_DONE,
    # Where no account is connected they are done by hand.
    Channel.LINKEDIN_CONNECTION: frozenset({StepOutcome.CONNECTED}) | NEVER_DONE | _BY_HAND,
    Channel.LINKEDIN_MESSAGE: NEVER_DONE | _BY_HAND,
    Channel.CALL: frozenset({StepOutcome.ANSWERED, StepOutcome.VOICEMAIL, StepOutcome.NO_ANSWER})
    | NEVER_DONE,
    Channel.TASK: _BY_HAND | NEVER_DONE,
}

_NO_ID = UUID(int=0)

Place = tuple[str | int, ...]


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


class ProblemCode(StrEnum):
    NO_STEPS = "no_steps"
    TOO_MANY_STEPS = "too_many_steps"
    TOO_DEEP = "too_deep"
    KEY_TWICE = "key_twice"
    EMPTY_BRANCH = "empty_branch"
    UNKNOWN_STEP = "unknown_step"
    LATER_STEP = "later_step"
    IMPOSSIBLE_OUTCOME = "impossible_outcome"
    UNREACHABLE = "unreachable"
    INCOMPLETE_CONDITION = "incomplete_condition"
    NO_SUBJECT = "no_subject"
    NOT_TRACKED = "not_tracked"
    CLOSED_DAY = "closed_day"
    PAST_DATE = "past_date"
    OUTSIDE_WINDOW = "outside_window"
    NO_CALLING_HOURS = "no_calling_hours"
    NO_ACCOUNT = "no_account"
    DONE_BY_HAND = "done_by_hand"
    MISSING_ADDRESS = "missing_address"
    MISSING_VARIABLE = "missing_variable"
    BROKEN_TEMPLATE = "broken_template"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """`place`: the way to it in the definition, such as ("steps", 2, "then", 0, "subject")."""

    severity: Severity
    code: ProblemCode
    text: str
    place: Place = ()
    step_number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A node on a walk through the tree. `number`: of the step, or of the next one below.

    `judged_with`: the first guard that no step lies behind. `before`: its neighbour above.
    """

    node: Node
    place: Place
    number: int
    above: tuple[Guard, ...] = ()
    judged_with: int = 0
    before: Node | None = None


def walk(nodes: Sequence[Node]) -> Iterator[Visit]:
    """Every node, in the order of the steps."""
    yield from _walk(nodes, place=("steps",), number=1, above=(), judged_with=0)


def _walk(
    nodes: Sequence[Node], *, place: Place, number: int, above: tuple[Guard, ...], judged_with: int
) -> Iterator[Visit]:
    before: Node | None = None
    for index, node in enumerate(nodes):
        visit = Visit(
            node=node,
            place=(*place, index),
            number=number,
            above=above,
            judged_with=judged_with,
            before=before,
        )
        yield visit
        if isinstance(node, StepPlan):
            judged_with = len(above)
        else:
            yield from _below(visit, node)
        number += count_steps((node,))
        before = node


def _below(visit: Visit, branch: Branch) -> Iterator[Visit]:
    number = visit.number
    for is_met, side in ((True, "then"), (False, "else")):
        yield from _walk(
            branch.side(is_met),
            place=(*visit.place, side),
            number=number,
            above=(*visit.above, guard_of(branch, is_met=is_met)),
            judged_with=visit.judged_with,
        )
        number += count_steps(branch.side(is_met))


def guard_of(branch: Branch, *, is_met: bool) -> Guard:
    """Whose decision it is plays no part here."""
    return Guard(decision_id=_NO_ID, condition=branch.condition, is_met=is_met)


def count_steps(nodes: Sequence[Node]) -> int:
    return sum(1 for _ in all_steps(nodes))


def find_structure_problems(nodes: Sequence[Node]) -> list[Problem]:
    """What is wrong whoever the leads are."""
    steps = list(all_steps(nodes))
    if not steps:
        text = "The campaign has no steps: add one"
        return [error(ProblemCode.NO_STEPS, text, ("steps",))]
    problems = []
    if len(steps) > MOST_STEPS:
        text = f"{len(steps)} steps are too many: {MOST_STEPS} at most"
        problems.append(error(ProblemCode.TOO_MANY_STEPS, text, ("steps",)))
    looking = _Looking(keys=Counter(step.key for step in steps), known={s.id for s in steps})
    for visit in walk(nodes):
        problems.extend(looking.at(visit))
    return problems


@dataclass(slots=True)
class _Looking:
    """`seen`: each step that stands above, where it was met."""

    keys: Mapping[str, int]
    known: set[UUID]
    seen: dict[UUID, Visit] = field(default_factory=dict)

    def at(self, visit: Visit) -> Iterator[Problem]:
        node = visit.node
        if isinstance(node, Branch):
            yield from self._at_branch(visit, node)
            return
        if self.keys[node.key] > 1:
            text = f"Two steps have the key {node.key}: give each its own"
            place = (*visit.place, "key")
            yield error(ProblemCode.KEY_TWICE, text, place, visit.number)
        if node.channel is Channel.EMAIL and not node.subject and not self._has_thread(visit):
            text = (
                f"Step {visit.number} has no subject, and no mail is sent before it for certain"
                " whose thread it could go into: give it a subject"
            )
            place = (*visit.place, "subject")
            yield error(ProblemCode.NO_SUBJECT, text, place, visit.number)
        self.seen[node.id] = visit

    def _has_thread(self, visit: Visit) -> bool:
        """A mail above that everybody has had who comes here."""
        return any(
            isinstance(earlier.node, StepPlan)
            and earlier.node.channel is Channel.EMAIL
            and earlier.above == visit.above[: len(earlier.above)]
            for earlier in self.seen.values()
        )

    def _at_branch(self, visit: Visit, branch: Branch) -> Iterator[Problem]:
        if len(visit.above) >= MOST_NESTED:
            text = f"Conditions are nested more than {MOST_NESTED} deep: join some of them"
            yield error(ProblemCode.TOO_DEEP, text, visit.place)
            return
        if not branch.then and not branch.otherwise:
            text = "This condition leads nowhere: put a step under `then` or `else`, or remove it"
            yield error(ProblemCode.EMPTY_BRANCH, text, visit.place)
            return
        if problem := self._wrong_condition(visit, branch.condition):
            yield problem
            return
        for is_met in (True, False):
            if branch.side(is_met):
                yield from self._unreachable(visit, branch, is_met=is_met)

    def _wrong_condition(self, visit: Visit, condition: Condition) -> Problem | None:
        place = (*visit.place, "if")
        if isinstance(condition, LeadIs):
            is_set = condition.test in (LeadTest.IS_SET, LeadTest.IS_NOT_SET)
            if is_set or condition.value not in (None, "", ()):
                return None
            text = f"The condition on lead.{condition.field} compares with nothing: give a value"
            return error(ProblemCode.INCOMPLETE_CONDITION, text, place)
        if condition.step_id not in self.seen:
            if condition.step_id in self.known:
                text = "The condition asks for a step that comes later: move it behind that step"
                return error(ProblemCode.LATER_STEP, text, place)
            text = "The condition asks for a step that is not there: name one that comes before it"
            return error(ProblemCode.UNKNOWN_STEP, text, place)
        asked = self.seen[condition.step_id].node
        if isinstance(asked, StepPlan) and condition.outcome not in outcomes_of(asked):
            can = ", ".join(sorted(outcomes_of(asked)))
            text = (
                f"Step {self.seen[condition.step_id].number} is {_a(asked.channel)}, which is never"
                f" {condition.outcome}: ask for one of {can}"
            )
            return error(ProblemCode.IMPOSSIBLE_OUTCOME, text, place)
        return None

    def _unreachable(self, visit: Visit, branch: Branch, *, is_met: bool) -> Iterator[Problem]:
        place = (*visit.place, "then" if is_met else "else")
        number = visit.number if is_met else visit.number + count_steps(branch.then)
        guard = guard_of(branch, is_met=is_met)
        if above := contradiction(visit.above, guard, judged_with=visit.judged_with):
            says = "yes" if above.is_met else "no"
            text = (
                f"Nobody comes to step {number}: a condition above it has already been answered"
                f" with {says}, which leaves no room for this one. Remove one of the two"
            )
            yield error(ProblemCode.UNREACHABLE, text, place, number)
        elif is_met and isinstance(branch.condition, OutcomeIs):
            asked = self.seen[branch.condition.step_id]
            if not are_possible((*asked.above, *visit.above)):
                text = (
                    f"Nobody comes to step {number}: it asks what came of step {asked.number},"
                    " which is on the other way. Ask for a step on this way"
                )
                yield error(ProblemCode.UNREACHABLE, text, place, number)


def outcomes_of(step: StepPlan) -> frozenset[StepOutcome]:
    known = OUTCOMES_OF[step.channel]
    return known | _BY_HAND if step.is_by_hand else known


def _a(channel: Channel) -> str:
    words = {
        Channel.EMAIL: "a mail",
        Channel.LINKEDIN_CONNECTION: "a LinkedIn invitation",
        Channel.LINKEDIN_MESSAGE: "a LinkedIn message",
        Channel.CALL: "a call",
        Channel.TASK: "a task",
    }
    return words[channel]


def error(code: ProblemCode, text: str, place: Place, number: int | None = None) -> Problem:
    return Problem(severity=Severity.ERROR, code=code, text=text, place=place, step_number=number)
