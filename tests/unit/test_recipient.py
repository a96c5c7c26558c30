"""The rule that matters most to the customer, as a table that reads aloud."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.channels import Channel
from shared.domain.explanation import explain
from shared.domain.moves import anchor, next_move
from shared.domain.recipient import (
    ActivityName,
    EndReason,
    Finished,
    HoldReason,
    Outcome,
    Parked,
    Planned,
    Progress,
    RecipientStatus,
    Station,
    Step,
    is_end_replaced,
    recipient_status,
)
from tests.factories import DAY, NOON

MAIL = ActivityName.GMAIL_SEND
ONE = Step(id=UUID(int=1), position=1, activity=MAIL, wait_seconds=0)
TWO = Step(id=UUID(int=2), position=2, activity=MAIL, wait_seconds=3 * DAY)
THREE = Step(id=UUID(int=3), position=3, activity=MAIL, wait_seconds=0)
STEPS = (ONE, TWO)
LATER = NOON + timedelta(days=3)

MAIL_ONE = Planned(activity=MAIL, step_id=ONE.id, at=NOON, label="step 1 of 2, gmail.send")
MAIL_TWO = Planned(activity=MAIL, step_id=TWO.id, at=LATER, label="step 2 of 2, gmail.send")
REPLIED = Finished(reason=EndReason.REPLIED)
COMPLETED = Finished(reason=EndReason.COMPLETED)
PAUSED = Parked(reason=HoldReason.CAMPAIGN_PAUSED)


def after(*steps: Step, **more: object) -> Progress:
    """A recipient added at noon, whose steps so far were done at noon as well."""
    progress = Progress(
        started_at=NOON,
        done=frozenset(step.id for step in steps),
        trail=tuple(step.id for step in steps),
        anchor_at=NOON if steps else None,
    )
    return replace(progress, **more)  # type: ignore[arg-type]  # the table's own fields


@pytest.mark.parametrize(
    ("progress", "now", "expected"),
    [
        pytest.param(after(), NOON, MAIL_ONE, id="the first step is due at once"),
        pytest.param(after(ONE), NOON, MAIL_TWO, id="the second after three days"),
        pytest.param(after(ONE), LATER, MAIL_TWO, id="and then it is due"),
        pytest.param(after(ONE, TWO), NOON, COMPLETED, id="the last ends it"),
        pytest.param(after(ONE, ended=EndReason.REPLIED), NOON, REPLIED, id="so does a reply"),
        pytest.param(
            after(held=HoldReason.CAMPAIGN_PAUSED), NOON, PAUSED, id="a pause holds what is due"
        ),
        pytest.param(
            after(ONE, held=HoldReason.CAMPAIGN_PAUSED), NOON, MAIL_TWO, id="not what sleeps"
        ),
        pytest.param(
            after(ended=EndReason.REPLIED, held=HoldReason.CAMPAIGN_PAUSED),
            NOON,
            REPLIED,
            id="an end outranks a pause",
        ),
        pytest.param(
            after(ONE, not_before=LATER + timedelta(days=2)),
            NOON,
            replace(MAIL_TWO, at=LATER + timedelta(days=2)),
            id="a lead who is away is waited for",
        ),
        pytest.param(
            after(stations={Channel.EMAIL: Station(free_at=NOON + timedelta(hours=1))}),
            NOON,
            replace(MAIL_ONE, at=NOON + timedelta(hours=1)),
            id="an account that is held waits",
        ),
        pytest.param(
            after(started_at=NOON + timedelta(microseconds=1)),
            NOON,
            replace(MAIL_ONE, at=NOON + timedelta(seconds=1)),
            id="plans are whole seconds and no wait is cut short",
        ),
    ],
)
def test_next_move(progress: Progress, now: datetime, expected: Outcome) -> None:
    assert next_move(STEPS, progress, now) == expected


@pytest.mark.parametrize(
    ("steps", "progress", "expected"),
    [
        pytest.param(
            (THREE, ONE, TWO), after(ONE), TWO.id, id="a step put in before the place is not sent"
        ),
        pytest.param(
            (ONE, THREE, TWO), after(ONE), THREE.id, id="one put in behind the place is next"
        ),
        pytest.param((TWO, THREE), after(ONE), TWO.id, id="the step just done was removed"),
        pytest.param(
            (ONE, THREE), after(ONE, TWO), THREE.id, id="its place comes from those before it"
        ),
        pytest.param(
            (TWO, ONE), after(ONE), None, id="reordered: what now lies before is passed over"
        ),
        pytest.param(
            (ONE, TWO, THREE),
            after(THREE, ONE),
            TWO.id,
            id="a step that is done already is not done again",
        ),
    ],
)
def test_an_edited_campaign_goes_on_behind_the_last_step(
    steps: tuple[Step, ...], progress: Progress, expected: UUID | None
) -> None:
    move = next_move(steps, progress, NOON)

    assert (move.step_id if isinstance(move, Planned) else None) == expected


@given(
    order=st.permutations([ONE, TWO, THREE]),
    edits=st.lists(st.permutations([ONE, TWO, THREE]), max_size=5),
)
def test_no_step_is_ever_done_twice(order: list[Step], edits: list[list[Step]]) -> None:
    """However the steps are reordered between the moves, each is done once at the most."""
    progress, done = after(), []
    for steps in [order, *edits, *edits]:
        move = next_move(tuple(steps), progress, NOON)
        if isinstance(move, Planned) and move.step_id:
            done.append(move.step_id)
            ids = [step.id for step in steps]
            trail = tuple(ids[: ids.index(move.step_id) + 1])
            progress = replace(progress, done=frozenset(done), trail=trail)

    assert len(done) == len(set(done))


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        pytest.param(timedelta(minutes=5), NOON, id="on time: the plan, so nothing drifts"),
        pytest.param(
            timedelta(minutes=6), NOON + timedelta(minutes=6), id="late: the rest shifts with it"
        ),
    ],
)
def test_what_the_next_wait_counts_from(late: timedelta, expected: datetime) -> None:
    assert anchor(planned_at=NOON, done_at=NOON + late) == expected


@pytest.mark.parametrize(
    ("current", "new", "is_replaced"),
    [
        pytest.param(None, EndReason.COMPLETED, True, id="the first reason is written"),
        pytest.param(EndReason.COMPLETED, EndReason.REPLIED, True, id="completed is not final"),
        pytest.param(EndReason.COMPLETED, EndReason.REMOVED, False, id="but for what says more"),
        pytest.param(EndReason.REPLIED, EndReason.BOUNCED, False, id="a reply stays"),
    ],
)
def test_the_first_reason_stays(
    current: EndReason | None, new: EndReason, is_replaced: bool
) -> None:
    assert is_end_replaced(current, new) is is_replaced


def test_every_end_has_a_status() -> None:
    statuses = {end: recipient_status(ended=end, is_started=True) for end in EndReason}

    assert statuses[EndReason.REPLIED] is RecipientStatus.RESPONDED
    assert statuses[EndReason.BOUNCED] is RecipientStatus.FAILED
    assert recipient_status(ended=None, is_started=False) is RecipientStatus.PENDING
    assert recipient_status(ended=None, is_started=True) is RecipientStatus.IN_PROGRESS


@pytest.mark.parametrize(
    ("progress", "because", "blocked_by"),
    [
        pytest.param(
            after(ONE),
            ("step 2 waits 3 days, 0:00:00 after the last action (2026-03-02 12:00:00Z)",),
            (),
            id="asleep",
        ),
        pytest.param(
            after(held=HoldReason.CAMPAIGN_PAUSED),
            ("step 1 waits 0:00:00 after the start (2026-03-02 12:00:00Z)",),
            ("campaign is paused",),
            id="paused",
        ),
        pytest.param(
            after(ONE, held=HoldReason.ACCOUNT_DOWN),
            ("step 2 waits 3 days, 0:00:00 after the last action (2026-03-02 12:00:00Z)",),
            ("account needs attention",),
            id="asleep, and it will be held",
        ),
        pytest.param(
            after(not_before=LATER),
            (
                "step 1 waits 0:00:00 after the start (2026-03-02 12:00:00Z)",
                "the lead is away until 2026-03-05 12:00:00Z",
            ),
            (),
            id="the lead is away",
        ),
        pytest.param(
            after(stations={Channel.EMAIL: Station(free_at=LATER)}),
            (
                "step 1 waits 0:00:00 after the start (2026-03-02 12:00:00Z)",
                "the account may not send before 2026-03-05 12:00:00Z",
            ),
            (),
            id="the account is held",
        ),
        pytest.param(after(ended=EndReason.REPLIED), ("it has ended: replied",), (), id="over"),
        pytest.param(after(ONE, TWO), ("it has ended: completed",), (), id="done"),
    ],
)
def test_explain_says_why(
    progress: Progress, because: tuple[str, ...], blocked_by: tuple[str, ...]
) -> None:
    explanation = explain(STEPS, progress, NOON)

    assert explanation.move == next_move(STEPS, progress, NOON)
    assert (explanation.because, explanation.blocked_by) == (because, blocked_by)


def test_explain_names_the_launcher_while_nothing_runs() -> None:
    explanation = explain(STEPS, after(), NOON, is_launched=False)

    assert explanation.because[-1] == "the campaign's launcher has not started it yet"
