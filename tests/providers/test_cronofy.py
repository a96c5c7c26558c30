"""Cronofy: the same two questions to a calendar, wherever it is kept."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from uuid_utils.compat import uuid7

from shared.errors import (
    AccountRefused,
    Ambiguous,
    AuthExpired,
    Misconfigured,
    ProviderError,
    RateLimited,
    Refused,
)
from shared.providers.calendars import Meeting, Span
from shared.providers.cronofy import CronofyCalendar, CronofyCalendars, CronofyClient
from tests.factories import NOON
from tests.fakes.cronofy import ENDPOINT, FakeCronofy
from tests.fakes.gmail import FakeTokens

HOUR = timedelta(hours=1)
BACK = "http://gateway.test/email/callback/"


@pytest.fixture
def fake() -> FakeCronofy:
    return FakeCronofy()


@pytest.fixture
async def http(fake: FakeCronofy) -> AsyncIterator[httpx.AsyncClient]:
    async with fake.http() as http:
        yield http


@pytest.fixture
def host(fake: FakeCronofy, http: httpx.AsyncClient) -> CronofyCalendars:
    return fake.host(http, redirect_uri=BACK)


@pytest.fixture
def calendar(http: httpx.AsyncClient) -> CronofyCalendar:
    return CronofyCalendar(http, endpoint=ENDPOINT, tokens=FakeTokens(), calendar_id="cal_one")


def meeting(hour: int = 0) -> Meeting:
    starts_at = NOON + hour * HOUR
    span = Span(starts_at=starts_at, ends_at=starts_at + HOUR)
    return Meeting(id=uuid7(), span=span, title="Light", attendee_email="ada@example.test")


async def test_what_is_in_the_calendar_is_not_free_on_any_page(calendar: CronofyCalendar) -> None:
    for hour in (0, 1):
        await calendar.book(meeting(hour))
    day = Span(starts_at=NOON, ends_at=NOON + 3 * HOUR)
    slots = await calendar.free_slots(day, minutes=60)
    assert [slot.starts_at for slot in slots] == [NOON + 2 * HOUR]


async def test_what_became_of_a_booking_shows_in_the_times_that_are_ours(
    fake: FakeCronofy, calendar: CronofyCalendar
) -> None:
    made, never_made, by_another = meeting(), meeting(1), meeting(2)
    await calendar.book(made)
    await calendar.book(by_another)
    fake.managed.remove(str(by_another.id))

    found = [await calendar.find(each) for each in (made, never_made, by_another)]

    assert [event.provider_id if event else None for event in found] == [str(made.id), None, None]


async def test_a_lost_answer_makes_no_second_event(
    fake: FakeCronofy, calendar: CronofyCalendar
) -> None:
    asked = meeting()
    fake.loses_answers = 1
    with pytest.raises(Ambiguous):
        await calendar.book(asked)
    event = await calendar.book(asked)
    assert list(fake.events) == [event.provider_id] == [str(asked.id)]
    assert fake.asked[0]["attendees"] == {"invite": [{"email": "ada@example.test"}]}


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, AuthExpired),
        (402, AccountRefused),
        (403, AccountRefused),
        (404, AccountRefused),
        (422, Refused),
        (429, RateLimited),
        (500, Ambiguous),
    ],
)
async def test_a_refusal_says_who_has_to_do_what(
    fake: FakeCronofy, calendar: CronofyCalendar, status: int, error: type[ProviderError]
) -> None:
    fake.status = status
    with pytest.raises(error) as caught:
        await calendar.book(meeting())
    assert caught.type is error


async def test_consent_finds_the_primary_calendar(
    fake: FakeCronofy, host: CronofyCalendars
) -> None:
    url = host.authorize_url(state="s", code_verifier="v")
    tokens = await host.exchange(fake.consent(url)["code"], "v")
    owner = await host.whose(tokens.access_token)
    assert (owner.email, owner.calendar_id) == ("ada@work.test", "cal_one")
    assert (await host.refresh("refresh")).access_token != tokens.access_token


async def test_whoever_has_no_calendar_to_write_to_is_told(
    fake: FakeCronofy, host: CronofyCalendars
) -> None:
    fake.calendars = fake.calendars[:1]
    with pytest.raises(AccountRefused, match="no calendar of yours"):
        await host.whose("access-1")


async def test_an_old_code_and_a_wrong_client_are_told_apart(
    host: CronofyCalendars, http: httpx.AsyncClient
) -> None:
    with pytest.raises(AuthExpired):
        await host.exchange("old", "v")
    wrong = CronofyClient(
        client_id="client", client_secret="loud", endpoint=ENDPOINT, redirect_uri=BACK
    )
    with pytest.raises(Misconfigured, match="CRONOFY_CLIENT_ID"):
        await CronofyCalendars(http, wrong).exchange("code-1", "v")
