"""Which way a recipient goes, and when that is decided."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.domain.branches import (
    Facts,
    Guard,
    LeadIs,
    LeadTest,
    OutcomeIs,
    StepOutcome,
    Verdict,
    fits,
    judge,
)
from shared.domain.channels import Channel
from shared.domain.guard_json import guard_from_json, guard_to_json
from shared.domain.moves import next_move
from shared.domain.recipient import (
    ActivityName,
    Finished,
    HoldReason,
    Parked,
    Planned,
    Progress,
    Station,
    Step,
    UnderWay,
)
from shared.domain.windows import Window, read_hours

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
INVITE, MESSAGE, MAIL, LAST = (uuid4() for _ in range(4))
DECISION = uuid4()
WITHIN_FIVE_DAYS = OutcomeIs(
    step_id=INVITE, outcome=StepOutcome.CONNECTED, within_seconds=5 * 86_400
)
CONNECTED = Guard(decision_id=DECISION, condition=WITHIN_FIVE_DAYS)
NOT_CONNECTED = replace(CONNECTED, is_met=False)


def step(id_: UUID, position: int, activity: ActivityName, **fields: Any) -> Step:
    return Step(id=id_, position=position, activity=activity, wait_seconds=0, **fields)


# Invited; connected within five days: a message a day later, else a mail; then a last mail.
STEPS = (
    step(INVITE, 1, ActivityName.LINKEDIN_INVITE, channel=Channel.LINKEDIN_CONNECTION),
    replace(
        step(MESSAGE, 2, ActivityName.LINKEDIN_MESSAGE, channel=Channel.LINKEDIN_MESSAGE),
        guards=(CONNECTED,),
        wait_seconds=86_400,
    ),
    replace(step(MAIL, 3, ActivityName.GMAIL_SEND), guards=(NOT_CONNECTED,)),
    step(LAST, 4, ActivityName.GMAIL_SEND),
)


def after(*done: UUID, connected_at: datetime | None = None, **fields: Any) -> Progress:
    outcomes = {INVITE: {StepOutcome.CONNECTED: connected_at}} if connected_at else {}
    return Progress(
        started_at=NOON,
        done=frozenset(done),
        trail=done,
        anchor_at=NOON if done else None,
        done_at=dict.fromkeys(done, NOON),
        outcomes=outcomes,
        **fields,
    )


def planned(progress: Progress, now: datetime) -> tuple[UUID | None, datetime]:
    move = next_move(STEPS, progress, now)
    assert isinstance(move, Planned)
    return move.step_id, move.at


@pytest.mark.parametrize(
    ("progress", "now", "expected"),
    [
        pytest.param(after(), NOON, (INVITE, NOON), id="first the invitation"),
        pytest.param(
            after(INVITE), NOON + DAY, (None, NOON + 5 * DAY), id="then it waits to hear of it"
        ),
        pytest.param(
            after(INVITE, connected_at=NOON + 2 * DAY),
            NOON + 2 * DAY,
            (MESSAGE, NOON + 3 * DAY),
            id="connected: the wait counts from then",
        ),
        pytest.param(
            after(INVITE), NOON + 5 * DAY, (MAIL, NOON + 5 * DAY), id="silence: the other side"
        ),
        pytest.param(
            after(INVITE, connected_at=NOON + 6 * DAY),
            NOON + 6 * DAY,
            (MAIL, NOON + 5 * DAY),
            id="too late is silence",
        ),
        pytest.param(
            after(INVITE, MAIL, connected_at=NOON + 4 * DAY),
            NOON + 7 * DAY,
            (LAST, NOON),
            id="news from before the deadline that comes behind the mail changes nothing",
        ),
        pytest.param(
            after(INVITE, MESSAGE, connected_at=NOON),
            NOON + DAY,
            (LAST, NOON),
            id="both sides go on to the same step",
        ),
    ],
)
def test_a_deadline_decides(
    progress: Progress, now: datetime, expected: tuple[UUID | None, datetime]
) -> None:
    assert planned(progress, now) == expected


def test_an_invitation_that_was_never_sent_is_not_waited_for() -> None:
    progress = replace(after(INVITE), outcomes={INVITE: {StepOutcome.REFUSED: NOON}})

    assert planned(progress, NOON) == (MAIL, NOON)


def test_a_call_that_ended_otherwise_is_not_waited_for() -> None:
    answered = OutcomeIs(step_id=INVITE, outcome=StepOutcome.ANSWERED, within_seconds=86_400)
    guard = Guard(decision_id=DECISION, condition=answered)
    facts = Facts(
        outcomes={INVITE: {StepOutcome.VOICEMAIL: NOON}}, done_at={INVITE: NOON - DAY / 2}
    )

    assert judge(guard, facts, NOON) == Verdict(holds=False, at=NOON)
    assert judge(replace(guard, is_met=False), facts, NOON) == Verdict(holds=True, at=NOON)


def test_without_a_deadline_what_is_known_when_the_step_is_due_decides() -> None:
    opened = OutcomeIs(step_id=MAIL, outcome=StepOutcome.OPENED)
    guard = Guard(decision_id=DECISION, condition=opened)
    facts = Facts(done_at={MAIL: NOON})

    assert judge(guard, facts, NOON + DAY).holds is False
    seen = replace(facts, outcomes={MAIL: {StepOutcome.OPENED: NOON + DAY}})
    assert judge(guard, seen, NOON + DAY).holds is True


def test_when_no_guard_holds_it_is_over() -> None:
    steps = (replace(STEPS[2], guards=(Guard(decision_id=DECISION, condition=IN_PARIS),)),)

    assert isinstance(next_move(steps, Progress(started_at=NOON), NOON), Finished)


IN_PARIS = LeadIs(field="city", test=LeadTest.IS, value="Paris")


@pytest.mark.parametrize(
    ("condition", "is_met"),
    [
        (IN_PARIS, True),
        (replace(IN_PARIS, test=LeadTest.IS_NOT), False),
        (LeadIs(field="city", test=LeadTest.ONE_OF, value=("Rome", "paris")), True),
        (LeadIs(field="title", test=LeadTest.CONTAINS, value="sales"), True),
        (LeadIs(field="areas", test=LeadTest.CONTAINS, value="north"), True),
        (LeadIs(field="fit_score", test=LeadTest.AT_LEAST, value=70), True),
        (LeadIs(field="fit_score", test=LeadTest.AT_MOST, value=69), False),
        (LeadIs(field="country", test=LeadTest.AT_LEAST, value=1), False),
        (LeadIs(field="phone", test=LeadTest.IS_SET), False),
        (LeadIs(field="phone", test=LeadTest.IS_NOT_SET), True),
        (LeadIs(field="custom.plan", test=LeadTest.IS, value="gold"), True),
    ],
)
def test_a_leads_fields_decide(condition: LeadIs, is_met: bool) -> None:
    lead = {
        "city": "Paris ",
        "title": "Head of Sales",
        "areas": ["North side", "Centre"],
        "fit_score": 70,
        "country": None,
        "custom": {"plan": "Gold"},
    }

    assert fits(condition, lead) is is_met


@pytest.mark.parametrize(
    "guard", [CONNECTED, NOT_CONNECTED, Guard(decision_id=DECISION, condition=IN_PARIS)]
)
def test_guards_are_read_as_they_were_written(guard: Guard) -> None:
    assert guard_from_json(guard_to_json(guard)) == guard


def test_a_call_under_way_is_asked_for_and_a_person_is_waited_for() -> None:
    call = replace(after(), under_way=UnderWay(step_id=INVITE, check_at=NOON + DAY))
    todo = replace(after(), under_way=UnderWay(step_id=INVITE, check_at=None))

    asked = next_move(STEPS, call, NOON)
    assert isinstance(asked, Planned)
    assert (asked.activity, asked.at) == (ActivityName.BLAND_COLLECT, NOON + DAY)
    assert next_move(STEPS, todo, NOON) == Parked(reason=HoldReason.TODO)


def test_a_channel_that_is_down_holds_its_own_steps_only() -> None:
    down = {Channel.LINKEDIN_CONNECTION: Station(held=HoldReason.ACCOUNT_DOWN)}

    assert next_move(STEPS, after(stations=down), NOON) == Parked(reason=HoldReason.ACCOUNT_DOWN)
    on_mail = after(INVITE, stations=down)
    assert planned(on_mail, NOON + 5 * DAY) == (MAIL, NOON + 5 * DAY)


def test_a_call_waits_for_hours_that_are_right_and_legal() -> None:
    every_day = ("monday", "tuesday", "wednesday", "thursday", "friday")
    window = Window(hours=read_hours(dict.fromkeys(every_day, ("06:00-22:00",))))
    legal = Window(hours=read_hours(dict.fromkeys(every_day[1:], ("08:00-21:00",))))
    call = replace(STEPS[0], channel=Channel.CALL, activity=ActivityName.BLAND_CALL)
    progress = Progress(started_at=NOON, window=window, calling=legal)

    move = next_move((call,), progress, NOON)

    # 2 March 2026 is a Monday.
    assert isinstance(move, Planned)
    assert move.at == NOON.replace(hour=8) + DAY
