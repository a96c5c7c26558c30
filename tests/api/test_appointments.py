"""Appointments: a calendar is connected, a time is taken once, and the campaigns end."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from api.parts import Parts
from shared.calendars import Hosts
from shared.contracts.recipient import RecipientRef
from shared.db.models import CalendarProvider, RecipientRow, Role
from shared.domain.recipient import EndReason
from shared.providers.google_calendar import SCOPES, GoogleCalendars
from tests.api.conftest import Login
from tests.api.google import FakeGoogle
from tests.factories import Campaign, Company
from tests.fakes.conductor import RecordingConductor
from tests.fakes.cronofy import FakeCronofy
from tests.fakes.google_calendar import ENDPOINT, FakeCalendar

URL, CONNECT = "/api/appointments", "/api/accounts/calendar/connect"
LINK = "https://booking.example.com/sam"
# A Monday, at noon.
MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)
Json = dict[str, Any]


@pytest.fixture
def calendar() -> FakeCalendar:
    return FakeCalendar()


@pytest.fixture
def cronofy() -> FakeCronofy:
    return FakeCronofy()


@pytest.fixture
async def parts(
    parts: Parts, calendar: FakeCalendar, google: FakeGoogle, cronofy: FakeCronofy
) -> AsyncIterator[Parts]:
    google.scopes = SCOPES
    assert parts.google is not None
    async with calendar.http() as http, cronofy.http() as elsewhere:
        hosts: Hosts = {
            CalendarProvider.GOOGLE: GoogleCalendars(http, parts.google, endpoint=ENDPOINT),
            CalendarProvider.CRONOFY: cronofy.host(
                elsewhere, redirect_uri=parts.places.callback_url
            ),
        }
        yield replace(parts, calendar_hosts=hosts)


async def connect(api: httpx.AsyncClient, google: FakeGoogle) -> httpx.Response:
    """What a person's browser does."""
    link = await api.post(CONNECT, json={"provider": "google"})
    assert link.status_code == 200, link.text
    back = google.consent(link.json()["authorize_url"])
    return await api.get("/email/callback/", params=back)


@pytest.fixture
async def connected(api: httpx.AsyncClient, google: FakeGoogle) -> httpx.AsyncClient:
    assert "is connected" in (await connect(api, google)).text
    return api


@pytest.fixture
async def recipient(company: Company, campaign: Campaign) -> RecipientRef:
    """Under way."""
    recipient = await company.make_recipient(campaign)
    async with company.session() as session:
        row = await session.get_one(RecipientRow, recipient.recipient_id)
        row.started_at = row.launched_at = MONDAY
    return recipient


async def lead_of(company: Company, recipient: RecipientRef) -> str:
    return str((await company.recipient(recipient.recipient_id)).lead_id)


def at_noon(**whom: Any) -> Json:
    return {"starts_at": MONDAY.isoformat(), "minutes": 30, **whom}


async def test_a_booked_meeting_ends_the_leads_campaigns(
    connected: httpx.AsyncClient,
    company: Company,
    calendar: FakeCalendar,
    recipient: RecipientRef,
    conductor: RecordingConductor,
) -> None:
    lead_id = await lead_of(company, recipient)

    made = await connected.post(URL, json=at_noon(lead_id=lead_id, title="Light"))

    assert made.status_code == 201, made.text
    assert (made.json()["status"], made.json()["title"]) == ("booked", "Light")
    assert made.json()["starts_at"] == "2026-03-02T12:00:00Z"
    assert made.json()["url"].startswith("https://calendar.example.com/")
    row = await company.recipient(recipient.recipient_id)
    assert row.end_reason is EndReason.MEETING
    [(stopped, signal)] = conductor.stops
    assert (stopped.recipient_id, signal.reason) == (recipient.recipient_id, EndReason.MEETING)
    assert len(calendar.events) == 1
    [listed] = (await connected.get(URL, params={"lead_id": lead_id})).json()["items"]
    assert listed == made.json()


async def test_a_time_that_is_taken_is_refused(
    connected: httpx.AsyncClient, company: Company, calendar: FakeCalendar
) -> None:
    ada, eve = str(await company.make_lead()), str(await company.make_lead())
    assert (await connected.post(URL, json=at_noon(lead_id=ada))).status_code == 201

    late = {**at_noon(lead_id=eve), "starts_at": (MONDAY + timedelta(minutes=15)).isoformat()}
    assert (await connected.post(URL, json=late)).status_code == 409
    calendar.occupy(MONDAY + timedelta(hours=1), MONDAY + timedelta(hours=2))
    busy = {**at_noon(lead_id=eve), "starts_at": (MONDAY + timedelta(hours=1)).isoformat()}
    assert (await connected.post(URL, json=busy)).status_code == 409
    assert len(calendar.asked) == 1


async def test_of_two_at_once_one_gets_the_time(
    connected: httpx.AsyncClient, company: Company, calendar: FakeCalendar
) -> None:
    """Neither is in the calendar yet when the other one looks."""
    calendar.loses_answers = 1
    ada, eve = str(await company.make_lead()), str(await company.make_lead())
    lost = await connected.post(URL, json=at_noon(lead_id=ada))
    calendar.events.clear()
    assert lost.status_code == 503
    assert (await connected.post(URL, json=at_noon(lead_id=eve))).status_code == 409


async def test_a_lost_answer_is_asked_for_again_and_makes_one_event(
    connected: httpx.AsyncClient, company: Company, calendar: FakeCalendar, recipient: RecipientRef
) -> None:
    calendar.loses_answers = 1
    asked = at_noon(recipient_id=str(recipient.recipient_id))

    lost = await connected.post(URL, json=asked)
    assert lost.status_code == 503
    assert (await company.recipient(recipient.recipient_id)).end_reason is None
    [begun] = (await connected.get(URL)).json()["items"]
    again = await connected.post(URL, json=asked)

    assert (begun["status"], again.status_code) == ("reserved", 201)
    assert (again.json()["id"], again.json()["status"]) == (begun["id"], "booked")
    assert len(calendar.events) == 1
    row = await company.recipient(recipient.recipient_id)
    assert row.end_reason is EndReason.MEETING


async def test_the_first_free_time_in_office_hours_is_found(
    connected: httpx.AsyncClient, company: Company, calendar: FakeCalendar
) -> None:
    """From Friday at half past five, with Monday morning full."""
    friday = MONDAY - timedelta(days=2, hours=18, minutes=30)
    calendar.occupy(MONDAY.replace(hour=8), MONDAY.replace(hour=11))
    body: Json = {
        "lead_id": str(await company.make_lead()),
        "from": friday.isoformat(),
        "until": (MONDAY + timedelta(hours=6)).isoformat(),
        "minutes": 45,
    }
    free = await connected.get(f"{URL}/free", params={k: body[k] for k in ("from", "until")})
    made = await connected.post(URL, json=body)

    assert free.json()[0]["starts_at"] == "2026-02-27T17:30:00Z"
    assert made.json()["starts_at"] == "2026-03-02T11:00:00Z"


async def test_when_there_is_no_time_it_says_so(
    connected: httpx.AsyncClient, company: Company, calendar: FakeCalendar
) -> None:
    calendar.occupy(MONDAY - timedelta(days=1), MONDAY + timedelta(days=1))
    body = {
        "lead_id": str(await company.make_lead()),
        "from": MONDAY.isoformat(),
        "until": (MONDAY + timedelta(hours=3)).isoformat(),
    }
    refused = await connected.post(URL, json=body)
    assert refused.status_code == 409
    assert "no free time" in refused.json()["detail"]


async def test_a_refusal_frees_the_time_again(
    connected: httpx.AsyncClient, company: Company, calendar: FakeCalendar
) -> None:
    lead_id = str(await company.make_lead())
    calendar.event_status = 400
    said_no = await connected.post(URL, json=at_noon(lead_id=lead_id))
    [refused] = (await connected.get(URL)).json()["items"]
    calendar.event_status = 200
    said_yes = await connected.post(URL, json=at_noon(lead_id=lead_id))

    assert (refused["status"], said_no.status_code) == ("refused", 409)
    assert "did not accept" in refused["refusal"]
    assert said_yes.status_code == 201


async def test_another_calendar_takes_the_place_of_the_first(
    connected: httpx.AsyncClient, company: Company
) -> None:
    await connected.post(CONNECT, json={"provider": "link", "booking_url": LINK})
    lead = {"lead_id": str(await company.make_lead())}
    assert (await connected.post(URL, json=lead)).json()["status"] == "offered"


async def test_without_a_calendar_it_says_how_to_connect_one(
    api: httpx.AsyncClient, company: Company
) -> None:
    answer = await api.post(URL, json=at_noon(lead_id=str(await company.make_lead())))
    assert answer.status_code == 409
    assert CONNECT in answer.json()["detail"]


async def test_a_colleagues_calendar_can_be_booked(
    connected: httpx.AsyncClient, company: Company, login: Login, calendar: FakeCalendar
) -> None:
    """A member books for whoever sells; the tokens stay their owner's."""
    member = await login(company, Role.MEMBER)
    whom = {"lead_id": str(await company.make_lead()), "user_id": str(company.user_id)}
    made = await member.post(URL, json=at_noon(**whom))
    assert (made.status_code, made.json()["user_id"]) == (201, str(company.user_id))
    assert len(calendar.events) == 1


async def test_whoever_does_not_tick_the_calendar_is_told(
    api: httpx.AsyncClient, google: FakeGoogle
) -> None:
    google.scopes = SCOPES[:2]
    page = await connect(api, google)
    assert (page.status_code, "tick every box" in page.text) == (409, True)


async def test_cronofys_calendars_are_booked_alike(
    api: httpx.AsyncClient, company: Company, cronofy: FakeCronofy, recipient: RecipientRef
) -> None:
    link = await api.post(CONNECT, json={"provider": "cronofy"})
    back = cronofy.consent(link.json()["authorize_url"])
    assert "ada@work.test is connected" in (await api.get("/email/callback/", params=back)).text

    made = await api.post(URL, json=at_noon(recipient_id=str(recipient.recipient_id)))

    assert (made.status_code, list(cronofy.events)) == (201, [made.json()["id"]])
    row = await company.recipient(recipient.recipient_id)
    assert row.end_reason is EndReason.MEETING


@pytest.mark.parametrize(
    "body",
    [
        {"minutes": 30},
        {"lead_id": str(UUID(int=1)), "recipient_id": str(UUID(int=2))},
        {"lead_id": str(UUID(int=1)), "from": "2026-03-02T12:00:00Z"},
        {"lead_id": str(UUID(int=1)), "starts_at": "2026-03-02T12:00:00"},
        {"lead_id": str(UUID(int=1)), "minutes": 0},
        {"lead_id": str(UUID(int=1)), "starts_at": "9999-12-31T23:59:59Z"},
        {
            "lead_id": str(UUID(int=1)),
            "from": "2026-03-02T12:00:00Z",
            "until": "2026-03-01T12:00:00Z",
        },
    ],
    ids=[
        "nobody",
        "both",
        "half a range",
        "no zone",
        "no time at all",
        "the end of time",
        "backwards",
    ],
)
async def test_what_cannot_be_meant_is_refused(connected: httpx.AsyncClient, body: Json) -> None:
    assert (await connected.post(URL, json=body)).status_code == 422


async def test_another_companys_people_are_not_there(
    connected: httpx.AsyncClient, stranger: Company
) -> None:
    theirs = await stranger.make_recipient(await stranger.make_campaign())
    lead_id = await lead_of(stranger, theirs)
    for whom in ({"lead_id": lead_id}, {"recipient_id": str(theirs.recipient_id)}):
        assert (await connected.post(URL, json=at_noon(**whom))).status_code == 404
    other = at_noon(lead_id=lead_id, user_id=str(stranger.user_id))
    assert (await connected.post(URL, json=other)).status_code == 409
