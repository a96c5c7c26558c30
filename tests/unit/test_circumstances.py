"""What a window, accounts and settings make of a campaign's steps."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from shared.domain.branches import StepOutcome
from shared.domain.calendar import Calendar
from shared.domain.channels import AccountKind, Channel
from shared.domain.circumstances import Circumstances, find_problems_around
from shared.domain.definition import Delay, Node, StepPlan
from shared.domain.landing import have_common_hours
from shared.domain.linting import ProblemCode, Severity
from shared.domain.windows import Window, read_hours
from tests.unit.test_linting import ANSWERED, CALL, CAMPAIGN, END, INVITE, MAIL, ask, came, step

SATURDAY, TUESDAY = date(2026, 11, 21), date(2026, 11, 24)
OFFICE = Window(hours=read_hours({day: ["09:00-17:00"] for day in ("monday", "tuesday")}))


@pytest.mark.parametrize(
    ("nodes", "code"),
    [
        pytest.param(
            [MAIL, step("later", delay=Delay(hours=10))],
            ProblemCode.OUTSIDE_WINDOW,
            id="into the night",
        ),
        pytest.param(
            [MAIL, step("later", delay=Delay(days=3))],
            ProblemCode.OUTSIDE_WINDOW,
            id="on a Thursday",
        ),
        pytest.param([MAIL, step("later", delay=Delay(days=7))], None, id="on the same weekday"),
        pytest.param([MAIL, step("later", delay=Delay(hours=7))], None, id="the same afternoon"),
        pytest.param([MAIL, step("later", delay=Delay(business_days=2))], None, id="business days"),
        pytest.param([step("first", delay=Delay(hours=10))], None, id="nothing stands before it"),
        pytest.param([MAIL, step("later", delay=Delay(on_date=TUESDAY))], None, id="an open date"),
    ],
)
def test_a_wait_that_never_ends_within_the_window_is_told(
    nodes: list[Node], code: ProblemCode | None
) -> None:
    found = find_problems_around(nodes, Circumstances(today=SATURDAY, window=OFFICE))

    assert [problem.code for problem in found] == ([code] if code else [])
    assert {problem.severity for problem in found} <= {Severity.WARNING}


def test_business_days_end_on_no_weekend() -> None:
    weekend = Window(hours=read_hours({"saturday": ["09:00-17:00"]}))
    nodes = [MAIL, step("later", delay=Delay(business_days=2))]

    [problem] = find_problems_around(nodes, Circumstances(today=SATURDAY, window=weekend))

    assert "from Monday to Friday" in problem.text


def test_a_holiday_is_a_closed_day() -> None:
    closed = replace(OFFICE, calendar=Calendar(holidays=frozenset({TUESDAY})))
    nodes = [step("x", delay=Delay(on_date=TUESDAY))]

    [problem] = find_problems_around(nodes, Circumstances(today=SATURDAY, window=closed))

    assert "which is a public holiday" in problem.text


@pytest.mark.parametrize(
    ("day", "codes"),
    [
        (date(2026, 11, 25), [ProblemCode.CLOSED_DAY]),
        (TUESDAY, []),
        (date(2026, 11, 17), [ProblemCode.PAST_DATE]),
    ],
)
def test_a_date_on_a_closed_day_is_told(day: date, codes: list[ProblemCode]) -> None:
    one = StepPlan(
        id=CAMPAIGN, key="x", channel=Channel.CALL, message_template="x", delay=Delay(on_date=day)
    )

    found = find_problems_around([one], Circumstances(today=SATURDAY, window=OFFICE))

    assert [problem.code for problem in found] == codes


def test_a_channel_without_an_account_is_an_error_unless_people_can_do_it() -> None:
    nodes = [MAIL, CALL, INVITE, step("todo", Channel.TASK)]

    found = find_problems_around(
        nodes, Circumstances(today=SATURDAY, accounts=frozenset({AccountKind.SMTP}))
    )

    assert [(problem.code, problem.severity, problem.step_number) for problem in found] == [
        (ProblemCode.NO_ACCOUNT, Severity.ERROR, 2),
        (ProblemCode.DONE_BY_HAND, Severity.WARNING, 3),
    ]


def test_opens_that_nobody_counts_are_no_condition() -> None:
    nodes: list[Node] = [
        *(MAIL, ask(came("mail", StepOutcome.OPENED), END)),
        *(CALL, ask(ANSWERED, END), ask(came("mail", StepOutcome.SKIPPED), END)),
    ]

    without, with_ = (
        find_problems_around(nodes, Circumstances(today=SATURDAY, tracked=frozenset(tracked)))
        for tracked in ((), ("track_opens",))
    )

    assert [problem.code for problem in without] == [ProblemCode.NOT_TRACKED]
    assert with_ == []


def test_calls_that_no_lead_may_get_are_an_error() -> None:
    def around(leads: int) -> Circumstances:
        return Circumstances(today=SATURDAY, unreached={"Asia/Tokyo": 3}, leads=leads)

    some, everybody = (find_problems_around([CALL], around(leads)) for leads in (4, 3))

    assert [problem.severity for problem in some] == [Severity.WARNING]
    assert [problem.severity for problem in everybody] == [Severity.ERROR]
    assert "3 of 4 leads" in some[0].text


@pytest.mark.parametrize(("ahead", "is_met"), [(0, True), (9, False), (-8, True), (-9, False)])
def test_hours_at_two_places_meet_or_do_not(ahead: int, is_met: bool) -> None:
    evening = Window(hours=read_hours({"monday": ["08:00-16:00"]}))

    assert have_common_hours(OFFICE, evening, apart=timedelta(hours=ahead)) is is_met
