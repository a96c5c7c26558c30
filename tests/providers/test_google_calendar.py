"""Google Calendar: when is there time, and one event however often it is asked for."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from uuid_utils.compat import uuid7

from shared.errors import (
    AccountRefused,
    Ambiguous,
    AuthExpired,
    ProviderError,
    RateLimited,
    Refused,
    Unavailable,
)
from shared.providers.calendars import Meeting, Span, free_slots
from shared.providers.google_calendar import GoogleCalendar
from tests.factories import NOON
from tests.fakes.google_calendar import FakeCalendar

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def fake() -> FakeCalendar:
    return FakeCalendar()


@pytest.fixture
async def http(fake: FakeCalendar) -> AsyncIterator[httpx.AsyncClient]:
    async with fake.http() as http:
        yield http


@pytest.fixture
def calendar(fake: FakeCalendar, http: httpx.AsyncClient) -> GoogleCalendar:
    return fake.open(http)


def span(start: float, minutes: float) -> Span:
    """`start` in minutes after noon."""
    starts_at = NOON + timedelta(minutes=start)
    return Span(starts_at=starts_at, ends_at=starts_at + timedelta(minutes=minutes))


def meeting() -> Meeting:
    return Meeting(id=uuid7(), span=span(0, 30), title="Light", attendee_email="ada@example.test")


@pytest.mark.parametrize(
    ("busy", "within", "found"),
    [
        ([], span(0, 60), [0, 15, 30]),
        ([], span(7, 60), [15, 30]),
        ([span(0, 30)], span(0, 60), [30]),
        ([span(20, 5)], span(0, 60), [30]),
        ([span(-60, 61), span(45, 60)], span(0, 60), [15]),
        ([span(0, 600)], span(0, 60), []),
        ([], span(7, 30), [7]),
        ([span(36, 30)], span(7, 30), []),
        ([], span(0, 10), []),
    ],
    ids=[
        *("an empty hour", "on the grid", "after a meeting", "around one", "between two"),
        *("a full day", "just that time", "just that time, taken", "too short"),
    ],
)
def test_slots_lie_on_the_grid_and_overlap_nothing(
    busy: list[Span], within: Span, found: list[int]
) -> None:
    slots = free_slots(busy, within, minutes=30)
    assert [(slot.starts_at - NOON) // MINUTE for slot in slots] == found
    assert all(slot.ends_at - slot.starts_at == 30 * MINUTE for slot in slots)


async def test_what_is_in_the_calendar_is_not_free(
    fake: FakeCalendar, calendar: GoogleCalendar
) -> None:
    fake.occupy(NOON, NOON + HOUR)
    slots = await calendar.free_slots(span(0, 90), minutes=30)
    assert [slot.starts_at for slot in slots] == [NOON + HOUR]


async def test_an_event_says_who_comes_and_when(
    fake: FakeCalendar, calendar: GoogleCalendar
) -> None:
    asked = meeting()
    event = await calendar.book(asked)
    assert event.provider_id == asked.id.hex
    assert event.url == f"https://calendar.example.com/{asked.id.hex}"
    [body] = fake.asked
    assert body["attendees"] == [{"email": "ada@example.test"}]
    assert body["start"] == {"dateTime": "2026-03-02T12:00:00Z"}


async def test_a_lost_answer_makes_no_second_event(
    fake: FakeCalendar, calendar: GoogleCalendar
) -> None:
    asked = meeting()
    fake.loses_answers = 1
    with pytest.raises(Ambiguous):
        await calendar.book(asked)
    event = await calendar.book(asked)
    assert event.provider_id == asked.id.hex
    assert len(fake.events) == 1


async def test_what_became_of_a_booking_can_be_asked(
    fake: FakeCalendar, calendar: GoogleCalendar
) -> None:
    made, never_made = meeting(), meeting()
    booked = await calendar.book(made)
    assert await calendar.find(made) == booked
    assert await calendar.find(never_made) is None

    fake.statuses[made.id.hex] = "cancelled"
    assert await calendar.find(made) is None
    fake.status = 403
    with pytest.raises(AccountRefused):
        await calendar.find(made)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, Refused),
        (401, AuthExpired),
        (403, AccountRefused),
        (404, AccountRefused),
        (429, RateLimited),
        (500, Ambiguous),
    ],
)
async def test_a_refusal_says_who_has_to_do_what(
    fake: FakeCalendar, calendar: GoogleCalendar, status: int, error: type[ProviderError]
) -> None:
    fake.status = status
    with pytest.raises(error) as caught:
        await calendar.book(meeting())
    assert caught.type is error


async def test_a_calendar_that_is_away_can_be_asked_later(
    fake: FakeCalendar, calendar: GoogleCalendar
) -> None:
    fake.status = 503
    with pytest.raises(Unavailable) as caught:
        await calendar.free_slots(span(0, 60), minutes=30)
    assert caught.type is Unavailable
