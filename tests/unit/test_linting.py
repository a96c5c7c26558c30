"""What is wrong with steps and conditions, and where."""

from uuid import UUID, uuid5

import pytest

from shared.domain.branches import Condition, LeadIs, LeadTest, OutcomeIs, StepOutcome
from shared.domain.channels import Channel
from shared.domain.definition import Branch, Delay, Node, StepPlan
from shared.domain.linting import Place, ProblemCode, Severity, find_structure_problems

CAMPAIGN = UUID(int=7)
DAY = 86_400


def step(
    name: str,
    channel: Channel = Channel.EMAIL,
    subject: str | None = "Hello",
    delay: Delay | None = None,
) -> StepPlan:
    return StepPlan(
        id=uuid5(CAMPAIGN, name),
        key=name,
        channel=channel,
        message_template=name,
        subject=subject,
        delay=delay or Delay(),
    )


def came(name: str, outcome: StepOutcome, within: int | None = None) -> OutcomeIs:
    return OutcomeIs(step_id=uuid5(CAMPAIGN, name), outcome=outcome, within_seconds=within)


def lead(test: LeadTest, value: str | int | tuple[str, ...] | None = None) -> LeadIs:
    return LeadIs(field="city", test=test, value=value)


def ask(condition: Condition, *then: Node, no: tuple[Node, ...] = ()) -> Branch:
    return Branch(condition=condition, then=then, otherwise=no)


CALL = step("call", Channel.CALL)
INVITE = step("invite", Channel.LINKEDIN_CONNECTION)
MAIL = step("mail")
ANSWERED = came("call", StepOutcome.ANSWERED)
VOICEMAIL = came("call", StepOutcome.VOICEMAIL)
IN_A_DAY = came("invite", StepOutcome.CONNECTED, DAY)
IN_A_WEEK = came("invite", StepOutcome.CONNECTED, 7 * DAY)
EVER = came("invite", StepOutcome.CONNECTED)
END = step("end")


def deep(levels: int) -> Node:
    node: Node = END
    for number in range(levels):
        node = ask(LeadIs(field=f"custom.f{number}", test=LeadTest.IS_SET), node)
    return node


@pytest.mark.parametrize(
    ("nodes", "code", "place"),
    [
        pytest.param([], ProblemCode.NO_STEPS, ("steps",), id="no step"),
        pytest.param([MAIL, MAIL], ProblemCode.KEY_TWICE, ("steps", 0, "key"), id="one key twice"),
        pytest.param(
            [CALL, ask(ANSWERED)], ProblemCode.EMPTY_BRANCH, ("steps", 1), id="a way to nowhere"
        ),
        pytest.param(
            [ask(ANSWERED, END), CALL],
            ProblemCode.LATER_STEP,
            ("steps", 0, "if"),
            id="a step that comes later",
        ),
        pytest.param(
            [CALL, ask(came("other", StepOutcome.ANSWERED), END)],
            ProblemCode.UNKNOWN_STEP,
            ("steps", 1, "if"),
            id="a step that is not there",
        ),
        pytest.param(
            [CALL, ask(came("call", StepOutcome.OPENED), END)],
            ProblemCode.IMPOSSIBLE_OUTCOME,
            ("steps", 1, "if"),
            id="a call is not opened",
        ),
        pytest.param(
            [CALL, ask(ANSWERED, ask(VOICEMAIL, END))],
            ProblemCode.UNREACHABLE,
            ("steps", 1, "then", 0, "then"),
            id="answered, and a voicemail",
        ),
        pytest.param(
            [CALL, ask(ANSWERED, ask(ANSWERED, MAIL, no=(END,)))],
            ProblemCode.UNREACHABLE,
            ("steps", 1, "then", 0, "else"),
            id="the other side of the same",
        ),
        pytest.param(
            [INVITE, ask(IN_A_WEEK, MAIL, no=(ask(IN_A_DAY, END),))],
            ProblemCode.UNREACHABLE,
            ("steps", 1, "else", 0, "then"),
            id="not in a week, but in a day",
        ),
        pytest.param(
            [INVITE, ask(IN_A_DAY, MAIL, no=(ask(came("mail", StepOutcome.OPENED), END),))],
            ProblemCode.UNREACHABLE,
            ("steps", 1, "else", 0, "then"),
            id="a step of the other way",
        ),
        pytest.param(
            [INVITE, ask(EVER, ask(came("invite", StepOutcome.FAILED), END))],
            ProblemCode.UNREACHABLE,
            ("steps", 1, "then", 0, "then"),
            id="connected, and failed",
        ),
        pytest.param(
            [ask(lead(LeadTest.ONE_OF, ("Rome", "Oslo")), ask(lead(LeadTest.IS, "Paris"), END))],
            ProblemCode.UNREACHABLE,
            ("steps", 0, "then", 0, "then"),
            id="one of others",
        ),
        pytest.param(
            [step(f"s{number}") for number in range(1_001)],
            ProblemCode.TOO_MANY_STEPS,
            ("steps",),
            id="too many steps",
        ),
        pytest.param(
            [ask(lead(LeadTest.IS, "Rome"), ask(lead(LeadTest.IS, "Paris"), END))],
            ProblemCode.UNREACHABLE,
            ("steps", 0, "then", 0, "then"),
            id="in two cities",
        ),
        pytest.param(
            [ask(lead(LeadTest.AT_LEAST, 50), ask(lead(LeadTest.AT_MOST, 49), END))],
            ProblemCode.UNREACHABLE,
            ("steps", 0, "then", 0, "then"),
            id="more and less",
        ),
        pytest.param(
            [ask(lead(LeadTest.CONTAINS, ""), END)],
            ProblemCode.INCOMPLETE_CONDITION,
            ("steps", 0, "if"),
            id="compared with nothing",
        ),
        pytest.param(
            [CALL, step("thanks", subject=None)],
            ProblemCode.NO_SUBJECT,
            ("steps", 1, "subject"),
            id="no thread to go into",
        ),
        pytest.param(
            [CALL, ask(ANSWERED, MAIL), step("thanks", subject=None)],
            ProblemCode.NO_SUBJECT,
            ("steps", 2, "subject"),
            id="a thread that only some have",
        ),
        pytest.param(
            [deep(51)], ProblemCode.TOO_DEEP, ("steps", *([0, "then"] * 50), 0), id="too deep"
        ),
    ],
)
def test_what_can_never_work_is_an_error_with_its_place(
    nodes: list[Node], code: ProblemCode, place: Place
) -> None:
    found = [problem for problem in find_structure_problems(nodes) if problem.code is code]

    assert found
    assert found[0].severity is Severity.ERROR
    assert found[0].place == place


@pytest.mark.parametrize(
    "nodes",
    [
        pytest.param([MAIL, step("again", subject=None)], id="a follow-up in the thread"),
        pytest.param(
            [MAIL, CALL, ask(ANSWERED, step("x", subject=None))], id="a follow-up on one way"
        ),
        pytest.param([CALL, ask(ANSWERED, END, no=(ask(VOICEMAIL, MAIL),))], id="either or"),
        pytest.param(
            [INVITE, ask(IN_A_DAY, MAIL, no=(ask(IN_A_WEEK, END),))], id="late, but not too late"
        ),
        pytest.param(
            [INVITE, ask(EVER, MAIL, no=(CALL, ask(EVER, END)))],
            id="not known yet, and known a step later",
        ),
        pytest.param(
            [ask(lead(LeadTest.CONTAINS, "a"), ask(lead(LeadTest.CONTAINS, "b"), END))],
            id="two parts of one text",
        ),
        pytest.param(
            [ask(lead(LeadTest.AT_LEAST, 1), ask(lead(LeadTest.AT_MOST, 2), END))], id="between"
        ),
        pytest.param([deep(50)], id="as deep as it may be"),
        pytest.param(
            [CALL, ask(lead(LeadTest.IS_SET), ask(ANSWERED, ask(lead(LeadTest.IS, "Rome"), END)))],
            id="of the lead and of a call",
        ),
        pytest.param(
            [MAIL, CALL, ask(came("mail", StepOutcome.OPENED), ask(ANSWERED, END))],
            id="what came of two steps",
        ),
    ],
)
def test_what_can_work_is_no_problem(nodes: list[Node]) -> None:
    assert find_structure_problems(nodes) == []
