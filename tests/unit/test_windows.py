"""When it may be sent: two thousand random calendars, and the days on which clocks are moved."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.calendar import Calendar, jitter
from shared.domain.windows import ALL_DAY, DAY_SECONDS, Closed, Hours, Window, read_hours

HOUR = 3_600
OFFICE: tuple[Hours, ...] = ((9 * HOUR, 12 * HOUR), (13 * HOUR, 17 * HOUR))
WORKDAYS = (OFFICE,) * 5 + ((),) * 2
EVERY_DAY = (ALL_DAY,) * 7
SECOND = timedelta(seconds=1)
BERLIN = ZoneInfo("Europe/Berlin")
# Half hours, quarter hours, no summer time, summer time by half an hour, a new day left out.
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Africa/Casablanca",
    "Asia/Beirut",
    "Pacific/Auckland",
    "Pacific/Apia",
)
FROM, UNTIL = datetime(2026, 1, 1), datetime(2027, 12, 31)  # noqa: DTZ001 - hypothesis adds the zone

instants = st.datetimes(FROM, UNTIL, timezones=st.just(UTC))
days = st.dates(FROM.date(), UNTIL.date())


@st.composite
def hours(draw: st.DrawFn) -> tuple[Hours, ...]:
    bounds = sorted(draw(st.sets(st.integers(0, DAY_SECONDS), max_size=6)))
    return tuple(zip(bounds[::2], bounds[1::2], strict=False))


# A fifth of the year is a holiday, at the most.
calendars = st.builds(
    Calendar, zone=st.sampled_from(ZONES).map(ZoneInfo), holidays=st.frozensets(days, max_size=80)
)
windows = st.builds(
    Window,
    hours=st.lists(hours(), min_size=7, max_size=7).map(tuple).filter(any),
    calendar=calendars,
    spread_seconds=st.integers(0, 2 * HOUR),
)


@settings(max_examples=2_000, deadline=None)
@given(window=windows, at=instants, later=st.integers(0, 10**7), seed=st.text(max_size=5))
def test_a_plan_is_in_the_window_never_early_and_monotone(
    window: Window, at: datetime, later: int, seed: str
) -> None:
    first = window.first_open(at, seed)

    assert window.is_open(first)
    assert first >= at
    assert first.microsecond == 0
    assert window.first_open(first, seed) == first
    assert window.first_open(at + timedelta(seconds=later), seed) >= first


@settings(max_examples=300, deadline=None)
@given(window=windows, at=instants, ahead=st.integers(0, 10**6))
def test_no_opening_is_passed_over(window: Window, at: datetime, ahead: int) -> None:
    """Whatever instant lies between the question and the answer is one at which it is closed."""
    unspread = Window(hours=window.hours, calendar=window.calendar)
    first = unspread.first_open(at)
    between = min(at.replace(microsecond=0) + timedelta(seconds=ahead), first - SECOND)

    assert between < at or not unspread.is_open(between)


@settings(max_examples=500, deadline=None)
@given(calendar=calendars, at=instants, number=st.integers(0, 60), later=st.integers(0, 10**7))
def test_business_days_are_counted_on_business_days(
    calendar: Calendar, at: datetime, number: int, later: int
) -> None:
    due = calendar.add_business_days(at, number)

    assert due >= at
    assert calendar.add_business_days(at + timedelta(seconds=later), number) >= due - timedelta(
        hours=1
    )  # on the night on which an hour is shown twice
    if number:
        passed = calendar.day_of(at)
        # A day that is none is passed over, and counting begins on the next one.
        counted = 0 if calendar.is_business_day(passed) else -1
        while passed < calendar.day_of(due):
            passed += timedelta(days=1)
            counted += calendar.is_business_day(passed)
        assert counted == number


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        pytest.param("2026-03-02 10:00", "2026-03-02 10:00", id="open: at once"),
        pytest.param("2026-03-02 07:59", "2026-03-02 08:00", id="before the first hours"),
        pytest.param("2026-03-02 11:00", "2026-03-02 12:00", id="over lunch"),
        pytest.param("2026-03-02 16:00", "2026-03-03 08:00", id="after the last: the next morning"),
        pytest.param("2026-03-06 16:00", "2026-03-09 08:00", id="on Friday evening: on Monday"),
        pytest.param("2026-04-02 16:00", "2026-04-07 07:00", id="over Easter, and summer time"),
    ],
)
def test_office_hours_in_berlin(at: str, expected: str) -> None:
    easter = frozenset({date(2026, 4, 3), date(2026, 4, 6)})
    window = Window(hours=WORKDAYS, calendar=Calendar(zone=BERLIN, holidays=easter))

    assert window.first_open(utc(at)) == utc(expected)


@pytest.mark.parametrize(
    ("opens", "closes", "at", "expected"),
    [
        pytest.param(2.5, 5, "2026-03-29 00:00", "2026-03-29 01:00", id="begins in the gap"),
        pytest.param(1, 2.5, "2026-03-29 00:59", "2026-03-29 00:59", id="ends in the gap"),
        pytest.param(2, 3, "2026-03-29 00:00", "2026-03-30 00:00", id="is the gap: a day later"),
        pytest.param(2.5, 3, "2026-10-25 00:30", "2026-10-25 00:30", id="in the hour shown twice"),
        pytest.param(2.5, 3, "2026-10-25 01:00", "2026-10-25 01:30", id="and in its second time"),
        pytest.param(2.5, 3, "2026-10-25 02:00", "2026-10-26 01:30", id="and then a day later"),
    ],
)
def test_nights_on_which_the_clocks_are_moved(
    opens: float, closes: float, at: str, expected: str
) -> None:
    """Berlin: 02:00 becomes 03:00 on 29 March, and 03:00 becomes 02:00 on 25 October."""
    range_ = (int(opens * HOUR), int(closes * HOUR))
    window = Window(hours=((range_,),) * 7, calendar=Calendar(zone=BERLIN))

    assert window.first_open(utc(at)) == utc(expected)


@pytest.mark.parametrize(
    ("at", "number", "expected"),
    [
        pytest.param("2026-03-06 11:00", 1, "2026-03-09 11:00", id="Friday and one: Monday"),
        pytest.param("2026-03-07 11:00", 1, "2026-03-09 23:00", id="from Saturday as from Monday"),
        pytest.param("2026-03-27 11:00", 1, "2026-03-30 10:00", id="the time of day stays"),
        pytest.param("2026-04-02 11:00", 2, "2026-04-07 11:00", id="a holiday is none"),
        pytest.param("2026-03-07 11:00", 0, "2026-03-07 11:00", id="none: at once"),
    ],
)
def test_business_days(at: str, number: int, expected: str) -> None:
    calendar = Calendar(zone=BERLIN, holidays=frozenset({date(2026, 4, 3)}))

    assert calendar.add_business_days(utc(at), number) == utc(expected)


def test_a_date_begins_where_the_lead_is() -> None:
    calendar = Calendar(zone=ZoneInfo("Pacific/Auckland"))

    assert calendar.start_of(date(2026, 3, 2)) == utc("2026-03-01 11:00")


def test_a_new_day_that_begins_late_begins_with_its_first_second() -> None:
    """In Beirut the clocks go from midnight to one o'clock."""
    calendar = Calendar(zone=ZoneInfo("Asia/Beirut"))

    assert calendar.start_of(date(2026, 3, 29)) == utc("2026-03-28 22:00")


@pytest.mark.parametrize(
    ("at", "why"),
    [
        ("2026-03-02 10:00", None),
        ("2026-03-02 20:00", Closed.HOURS),
        ("2026-03-01 10:00", Closed.WEEKDAY),
        ("2026-04-03 10:00", Closed.HOLIDAY),
    ],
)
def test_it_says_why_it_is_closed(at: str, why: Closed | None) -> None:
    calendar = Calendar(holidays=frozenset({date(2026, 4, 3)}))

    assert Window(hours=WORKDAYS, calendar=calendar).why_closed(utc(at)) is why


def test_who_waits_for_an_opening_comes_in_one_after_the_other() -> None:
    window = Window(hours=WORKDAYS, spread_seconds=1_800)
    first = {window.first_open(utc("2026-03-02 03:00"), str(seed)) for seed in range(200)}

    assert len(first) > 150
    assert min(first) >= utc("2026-03-02 09:00")
    assert max(first) <= utc("2026-03-02 09:30")


@given(seed=st.text(), most=st.integers(-5, 10**6))
def test_jitter_is_whole_seconds_and_always_the_same(seed: str, most: int) -> None:
    assert 0 <= jitter(seed, most) <= max(0, most)
    assert jitter(seed, most) == jitter(seed, most)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(((),) * 7, id="never open"),
        pytest.param((OFFICE,) * 6, id="six weekdays"),
        pytest.param((((5, 3),),) * 7, id="ends before it begins"),
        pytest.param((((1, 5), (4, 8)),) * 7, id="hours that overlap"),
        pytest.param((((-1, 5),),) * 7, id="before midnight"),
        pytest.param((((0, DAY_SECONDS + 1),),) * 7, id="after midnight"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(wrong: Sequence[tuple[Hours, ...]]) -> None:
    with pytest.raises(ValueError, match=r"window|hours|day"):
        Window(hours=tuple(wrong))


@pytest.mark.parametrize(
    ("ranges", "monday", "tuesday"),
    [
        pytest.param(["09:00-17:00"], ((9, 17),), (), id="as they are written"),
        pytest.param(["13:00-17:00", "09:00-12:00"], ((9, 12), (13, 17)), (), id="in order"),
        pytest.param(["12:00-17:00", "09:00-12:00"], ((9, 17),), (), id="what touches is one"),
        pytest.param(["22:00-02:00"], ((22, 24),), ((0, 2),), id="into the next day"),
        pytest.param(["22:00-00:00"], ((22, 24),), (), id="until midnight"),
        pytest.param(["00:00-24:00"], ((0, 24),), (), id="the whole day"),
    ],
)
def test_hours_are_read_from_words(
    ranges: list[str], monday: tuple[Hours, ...], tuesday: tuple[Hours, ...]
) -> None:
    read = read_hours({"monday": ranges})

    hours = [tuple((begin // HOUR, end // HOUR) for begin, end in day) for day in read]
    assert hours == [monday, tuesday, (), (), (), (), ()]


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ({}, "at least one weekday"),
        ({"moonday": ["09:00-17:00"]}, "moonday is no weekday"),
        ({"monday": ["nine to five"]}, "write them as"),
        ({"monday": ["09:00-24:01"]}, "from 00:00 to 24:00"),
        ({"monday": ["09:00-09:60"]}, "from 00:00 to 24:00"),
        ({"monday": ["09:00-09:00"]}, "no time at all"),
        ({"monday": ["09:00-12:00", "11:59-13:00"]}, "Hours of monday overlap"),
        ({"sunday": ["22:00-02:00"], "monday": ["01:00-03:00"]}, "Hours of monday overlap"),
    ],
)
def test_hours_that_make_no_sense_are_refused_with_words(
    days: dict[str, list[str]], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        read_hours(days)


def test_a_window_that_holidays_keep_shut_is_an_error_and_no_endless_search() -> None:
    every = frozenset(date(2026, 1, 1) + timedelta(days=n) for n in range(5_000))

    with pytest.raises(ValueError, match="ten years"):
        Window(hours=EVERY_DAY, calendar=Calendar(holidays=every)).first_open(
            utc("2026-03-02 10:00")
        )


def utc(words: str) -> datetime:
    return datetime.fromisoformat(words).replace(tzinfo=UTC)
