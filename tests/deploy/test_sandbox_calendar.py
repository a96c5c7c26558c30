"""The sandbox's Google keeps a calendar that our client can use."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from uuid_utils.compat import uuid7

from deploy.sandbox.emulator import GoogleEmulator, GoogleUser, OAuthClient, Seed
from shared.config import Settings
from shared.providers.calendars import Meeting, Span
from shared.providers.google_calendar import GoogleCalendar
from tests.factories import NOON
from tests.fakes.gmail import FakeTokens

SEED = Seed(
    users=(GoogleUser(email="sam@us.test", name="Sam Seller"),),
    client=OAuthClient(client_id="app", client_secret="quiet", redirect_uris=()),
)
HOUR = timedelta(hours=1)


@pytest.fixture
async def calendar(tmp_path: Path) -> AsyncIterator[GoogleCalendar]:
    log, cache = tmp_path / "google.log", Settings().cache_dir
    async with GoogleEmulator(SEED, log=log, cache=cache) as google, httpx.AsyncClient() as http:
        endpoint = google.environment()["DRUMBEAT_CALENDAR_ENDPOINT"]
        yield GoogleCalendar(http, endpoint=endpoint, tokens=FakeTokens())


async def test_a_time_that_was_booked_is_not_free_and_is_booked_once(
    calendar: GoogleCalendar,
) -> None:
    day = Span(starts_at=NOON, ends_at=NOON + 2 * HOUR)
    wanted = Span(starts_at=NOON, ends_at=NOON + HOUR)
    meeting = Meeting(id=uuid7(), span=wanted, title="Light", attendee_email="ada@us.test")
    assert wanted in await calendar.free_slots(day, minutes=60)

    first = await calendar.book(meeting)
    again = await calendar.book(meeting)

    assert first == again
    assert first.provider_id == meeting.id.hex
    free = await calendar.free_slots(day, minutes=60)
    assert [slot.starts_at for slot in free] == [NOON + HOUR]
