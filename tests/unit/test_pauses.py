"""A pause that ends leaves no pile behind: what it has held up comes spread over open hours."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.explanation import explain
from shared.domain.moves import LONGEST_SPREAD, next_move
from shared.domain.recipient import ActivityName, Pause, Planned, Progress, Step
from shared.domain.windows import Window

HOUR = timedelta(hours=1)
NINE_TO_FIVE = ((9 * 3_600, 17 * 3_600),)
OFFICE = Window(hours=(*[NINE_TO_FIVE] * 5, (), ()))
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
STEP = Step(id=UUID(int=1), position=1, activity=ActivityName.GMAIL_SEND, wait_seconds=0)


def pause(began_at: datetime, ended_at: datetime) -> Pause:
    return Pause(began_at=began_at, ended_at=ended_at)


def plan(progress: Progress, now: datetime) -> datetime:
    move = next_move((STEP,), progress, now)
    assert isinstance(move, Planned)
    return move.at


def waiting(number: int, due_at: datetime, held: Pause | None, **more: object) -> Progress:
    values: dict[str, object] = {"window": OFFICE, "pause": held, "seed": str(number)}
    return Progress(started_at=due_at, **values | more)  # type: ignore[arg-type] # its own fields


def test_a_holiday_leaves_no_pile() -> None:
    """Two weeks away: what came due meanwhile comes over a working day, not at nine o'clock."""
    back = MONDAY + timedelta(days=14, hours=9)
    held = pause(MONDAY, back)
    due = [MONDAY + timedelta(minutes=97 * number) for number in range(200)]

    plans = sorted(plan(waiting(n, at, held), back) for n, at in enumerate(due) if at < back)

    assert len(plans) == 200
    assert all(OFFICE.is_open(at) for at in plans)
    assert plans[0] >= back
    in_first_hour = sum(at < back + HOUR for at in plans)
    # An eighth of 200; five deviations.
    assert in_first_hour < 25 + 5 * 5
    assert plans[-1] < back + LONGEST_SPREAD


def test_a_pause_of_a_minute_holds_nobody_up_for_longer_than_that() -> None:
    ten = MONDAY + 10 * HOUR
    held = pause(ten, ten + HOUR / 60)

    plans = [plan(waiting(n, ten + HOUR / 120, held), held.ended_at) for n in range(50)]

    assert held.ended_at <= min(plans) <= max(plans) <= held.ended_at + HOUR / 60


def test_what_does_not_fit_before_closing_goes_on_the_next_morning() -> None:
    """Resumed an hour before the end of the day, an eighth comes today."""
    held = pause(MONDAY, MONDAY + timedelta(days=1, hours=16))

    plans = [plan(waiting(n, MONDAY + 9 * HOUR, held), held.ended_at) for n in range(200)]

    today = sum(at.day == held.ended_at.day for at in plans)
    assert all(OFFICE.is_open(at) for at in plans)
    assert 5 < today < 50
    assert sum(at.hour == 9 for at in plans) < 50


def test_what_comes_due_later_keeps_its_date() -> None:
    held = pause(MONDAY, MONDAY + 10 * HOUR)
    due = MONDAY + 11 * HOUR

    assert plan(waiting(1, due, held), held.ended_at) == due


def test_without_hours_there_is_nothing_to_spread_over() -> None:
    held = pause(MONDAY, MONDAY + 10 * HOUR)
    due = MONDAY + 9 * HOUR

    assert plan(waiting(1, due, held, window=None), held.ended_at) == due


def test_who_is_asked_for_at_once_is_not_spread() -> None:
    held = pause(MONDAY, MONDAY + 10 * HOUR)
    now = held.ended_at + HOUR
    hurried = waiting(
        1, MONDAY + 9 * HOUR, held, hurried_step_id=STEP.id, hurried_at=now - HOUR / 60
    )

    assert plan(hurried, now) <= now


def test_it_says_why() -> None:
    held = pause(MONDAY, MONDAY + 10 * HOUR)
    progress = waiting(1, MONDAY + 9 * HOUR, held)

    found = explain((STEP,), progress, held.ended_at)

    assert "it came due while the campaign was paused" in "; ".join(found.because)


@given(
    number=st.integers(0, 1_000),
    due=st.integers(0, 20 * 24),
    began=st.integers(0, 20 * 24),
    lasted=st.integers(1, 20 * 24),
    asked=st.integers(0, 20 * 24 * 60),
)
def test_a_plan_behind_a_pause_stays_where_it_is(
    number: int, due: int, began: int, lasted: int, asked: int
) -> None:
    """Whenever it is asked: until it is due the plan is the same, and never before the end."""
    held = pause(MONDAY + began * HOUR, MONDAY + (began + lasted) * HOUR)
    progress = waiting(number, MONDAY + due * HOUR, held)
    first = plan(progress, held.ended_at)
    now = held.ended_at + asked * HOUR / 60

    again = plan(progress, now)

    assert first >= held.ended_at or due >= began + lasted
    assert OFFICE.is_open(first)
    assert again == first or (now > first and again >= first)


@pytest.mark.parametrize("seconds", [0, 1, 8 * 3_600 - 1, 8 * 3_600, 100 * 3_600])
def test_open_time_is_counted_over_closed_days(seconds: int) -> None:
    friday = MONDAY + timedelta(days=4, hours=9)

    at = OFFICE.open_for(friday, seconds)

    opened, day = 0, friday
    while day < at:
        opened += sum(OFFICE.is_open(day + timedelta(minutes=n)) for n in range(60)) * 60
        day += HOUR
    assert OFFICE.is_open(at)
    assert abs(opened - seconds) <= 3_600
