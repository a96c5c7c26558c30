"""Explain names what moves a step behind its wait, and never another instant than the plan's."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from shared.domain.calendar import Calendar
from shared.domain.channels import Channel
from shared.domain.explanation import explain
from shared.domain.moves import next_move
from shared.domain.recipient import HoldReason, Parked, Planned, Progress, Station
from shared.domain.slots import Slot
from shared.domain.windows import Window, read_hours
from tests.factories import NOON
from tests.unit.test_recipient import ONE, STEPS, TWO, after

MORNINGS = read_hours({"monday": ["08:00-10:00"], "tuesday": ["08:00-10:00"]})
DAYTIME = read_hours({"monday": ["08:00-18:00"], "tuesday": ["08:00-18:00"]})
HOUR = timedelta(hours=1)


def slot(hours: int, words: str) -> dict[str, Any]:
    return {"slot": Slot(at=NOON + hours * HOUR, words=words), "slot_step_id": ONE.id}


@pytest.mark.parametrize(
    ("progress", "words", "hours"),
    [
        pytest.param(
            after(window=Window(hours=MORNINGS)),
            "Monday 2026-03-02 12:00 in UTC is outside of the sending hours:"
            " it waits for 2026-03-03 08:00:00Z",
            20,
            id="after hours",
        ),
        pytest.param(
            after(started_at=NOON + 48 * HOUR, window=Window(hours=MORNINGS)),
            "Wednesday 2026-03-04 12:00 in UTC is a day without sending hours:"
            " it waits for 2026-03-09 08:00:00Z",
            164,
            id="a day off",
        ),
        pytest.param(
            after(
                window=Window(
                    hours=DAYTIME, calendar=Calendar(holidays=frozenset({date(2026, 3, 2)}))
                )
            ),
            "Monday 2026-03-02 12:00 in UTC is a public holiday: it waits for 2026-03-03 08:00:00Z",
            20,
            id="a holiday",
        ),
        pytest.param(
            after(**slot(3, "the account's 40 a day")),
            "the account's 40 a day: the next free slot is 2026-03-02 15:00:00Z",
            3,
            id="a limit",
        ),
    ],
)
def test_it_names_what_it_waits_for(progress: Progress, words: str, hours: int) -> None:
    found = explain(STEPS, progress, NOON)

    assert found.because[1:] == (words,)
    assert isinstance(found.move, Planned)
    assert found.move.at == NOON + hours * HOUR
    assert found.move == next_move(STEPS, progress, NOON)


@pytest.mark.parametrize(
    "progress",
    [
        pytest.param(after(window=Window(hours=DAYTIME)), id="it is open"),
        pytest.param(after(**slot(0, "")), id="nothing has moved the slot"),
        pytest.param(after(**slot(3, "") | {"slot_step_id": TWO.id}), id="another step's slot"),
    ],
)
def test_it_names_nothing_that_holds_nothing(progress: Progress) -> None:
    assert len(explain(STEPS, progress, NOON).because) == 1


def test_who_has_lost_its_slot_is_told_the_next() -> None:
    words = "the account's 40 a day"
    other = Slot(at=NOON + 5 * HOUR, words=words)

    found = explain(STEPS, after(**slot(3, words)), NOON, other_slot=other)

    assert isinstance(found.move, Planned)
    assert found.move.at == other.at
    assert found.because[-1] == (
        "its slot at 2026-03-02 15:00:00Z goes to a follow-up, which has precedence;"
        f" {words}: the next free slot is 2026-03-02 17:00:00Z"
    )


def test_who_is_parked_stays_so_while_it_is_night() -> None:
    """Who sleeps has a plan for the morning, and is parked only then."""
    progress = after(
        window=Window(hours=DAYTIME), held=HoldReason.CAMPAIGN_PAUSED, started_at=NOON + 12 * HOUR
    )
    night = NOON + 12 * HOUR

    assert isinstance(explain(STEPS, progress, night).move, Planned)
    parked = explain(STEPS, progress, night, is_parked=True)
    assert parked.move == Parked(reason=HoldReason.CAMPAIGN_PAUSED)
    assert parked.blocked_by == ("campaign is paused",)
    # What held it is over: it is woken at any moment.
    free = replace(progress, held=None)
    assert isinstance(explain(STEPS, free, night, is_parked=True).move, Planned)


def test_who_waits_for_an_opening_is_told_its_turn() -> None:
    opens = NOON - 4 * HOUR
    window = Window(hours=DAYTIME, spread_seconds=7_200)
    progress = after(started_at=opens, window=window, seed="7")

    found = explain(STEPS, progress, opens)

    assert isinstance(found.move, Planned)
    turn = f"{found.move.at:%Y-%m-%d %H:%M:%S}Z"
    assert found.because[1] == f"those who wait for an opening are spread: its turn is {turn}"


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (replace(ONE, wait_business_days=2), "step 1 waits 2 business days after the start"),
        (
            replace(ONE, wait_business_days=1, wait_seconds=3_600),
            "step 1 waits 1 business days and 1:00:00 after the start",
        ),
        (
            replace(ONE, on_date=date(2026, 5, 1)),
            "step 1 waits 0:00:00 after the start (2026-03-02 12:00:00Z), and for 2026-05-01",
        ),
    ],
)
def test_business_days_and_dates_are_named(step: Any, words: str) -> None:
    assert explain((step, TWO), after(), NOON).because[0].startswith(words)


def test_a_plan_that_was_missed_waits_for_the_window_again() -> None:
    """It was due in the morning, and the worker came back at noon."""
    progress = after(started_at=NOON - 3 * HOUR, window=Window(hours=MORNINGS))
    again = NOON + 20 * HOUR

    on_time = next_move(STEPS, progress, NOON - 3 * HOUR)
    late = next_move(STEPS, progress, NOON)

    assert isinstance(on_time, Planned)
    assert isinstance(late, Planned)
    assert (on_time.at, late.at) == (NOON - 3 * HOUR, again)


def test_an_account_in_trouble_says_what_it_is() -> None:
    progress = after(
        stations={
            Channel.EMAIL: Station(held=HoldReason.ACCOUNT_DOWN, trouble="9 of 100 mails bounced")
        }
    )

    assert explain(STEPS, progress, NOON).blocked_by == (
        "account needs attention: 9 of 100 mails bounced",
    )
    assert explain(STEPS, after(ONE, TWO), NOON).because == ("it has ended: completed",)
