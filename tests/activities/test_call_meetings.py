"""A call that ends with "let us meet": the time is booked once, or a person is asked."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from deploy.sandbox.phone_people import SCENES
from shared.contracts.recipient import ActionOrder
from shared.db.models import (
    ActionRow,
    ActionStatus,
    AppointmentRow,
    AppointmentStatus,
    CalendarProvider,
    CalendarRow,
    MembershipRow,
    Role,
    TodoRow,
    TodoStatus,
)
from shared.db.session import Database
from shared.domain.recipient import ActivityName, EndReason, Finished, Outcome, Planned
from shared.keyring import Keyring
from tests.activities.calling import MINUTE, at
from tests.calendars import connect_calendar, host_of
from tests.factories import Company
from tests.fakes.bland import FakeBland, Pickup
from tests.fakes.conductor import RecordingConductor
from tests.fakes.google_calendar import FakeCalendar
from tests.phone_line import MORNING, PhoneLine
from workflows.parts import Parts, make_parts

# Where the lead is it is eleven in the morning.
TOMORROW = MORNING + timedelta(days=1)
SAID = "2026-11-24T11:00"
SCENE = SCENES[Pickup.WANTS_MEETING]
LINK = "https://booking.example.com/sam"
Meet = Callable[..., Awaitable[Outcome]]


@pytest.fixture
def calendar() -> FakeCalendar:
    return FakeCalendar()


@pytest.fixture
async def phone_parts(
    *,
    database: Database,
    keyring: Keyring,
    conductor: RecordingConductor,
    bland: FakeBland,
    calendar: FakeCalendar,
) -> AsyncIterator[Parts]:
    async with bland.http() as http, calendar.http() as elsewhere:
        yield make_parts(
            database=database,
            keyring=keyring,
            conductor=conductor,
            http=http,
            token_source_of=lambda _: pytest.fail("no mailbox is opened here"),
            gmail_endpoint="http://gmail.test",
            bland_endpoint=bland.endpoint,
            public_url="https://gateway.test",
            poll_seconds=1,
            calendar_hosts={CalendarProvider.GOOGLE: host_of(elsewhere)},
        )


@pytest.fixture
async def own_calendar(company: Company, database: Database, keyring: Keyring) -> CalendarRow:
    return await connect_calendar(company, database, keyring)


@pytest.fixture
async def order(line: PhoneLine, company: Company) -> ActionOrder:
    async with company.session() as session:
        session.add(MembershipRow(user_id=company.user_id, role=Role.MEMBER))
    lead_id = await line.make_lead(time_zone="Europe/Berlin", last_name="Byron")
    return await line.make_order(lead_id=lead_id)


@pytest.fixture
def meet(phone_parts: Parts, bland: FakeBland, order: ActionOrder) -> Meet:
    """The call ends, and its attempts to collect it, a minute apart."""

    async def attempt(said: str | None = SAID, *, minutes: int = 13) -> Outcome:
        if not bland.placed:
            await at(MORNING).run(phone_parts.bland.call, order)
            scene = SCENE if said is None else replace(SCENE, variables={"meeting_at": said})
            bland.end(bland.placed[0], Pickup.WANTS_MEETING, scene=scene)
        asked = replace(order, activity=ActivityName.BLAND_COLLECT)
        return await at(MORNING + minutes * MINUTE).run(phone_parts.bland.collect, asked)

    return attempt


async def appointments(company: Company) -> list[AppointmentRow]:
    async with company.session() as session:
        return list(await session.scalars(select(AppointmentRow)))


async def todos(company: Company) -> list[TodoRow]:
    async with company.session() as session:
        return list(await session.scalars(select(TodoRow)))


@pytest.mark.usefixtures("own_calendar")
async def test_a_time_that_was_agreed_on_is_booked_and_ends_every_campaign(
    meet: Meet, company: Company, calendar: FakeCalendar, conductor: RecordingConductor
) -> None:
    outcome = await meet()

    [booked], [event] = await appointments(company), calendar.asked
    assert outcome == Finished(reason=EndReason.MEETING)
    assert (booked.status, booked.starts_at) == (AppointmentStatus.BOOKED, TOMORROW)
    assert (event["summary"], event["start"]) == (
        "Meeting with Ada Byron",
        {"dateTime": "2026-11-24T10:00:00Z"},
    )
    assert [signal.reason for _, signal in conductor.stops] == [EndReason.MEETING]
    assert await todos(company) == []


@pytest.mark.usefixtures("own_calendar")
async def test_a_lost_answer_makes_no_second_event(
    meet: Meet, company: Company, calendar: FakeCalendar
) -> None:
    """The calendar shows our own event as taken by then."""
    calendar.loses_answers = 1

    waiting = await meet()
    outcome = await meet(minutes=14)

    [booked] = await appointments(company)
    assert isinstance(waiting, Planned)
    assert waiting.activity is ActivityName.BLAND_COLLECT
    assert outcome == Finished(reason=EndReason.MEETING)
    assert (booked.status, len(calendar.asked)) == (AppointmentStatus.BOOKED, 1)


@pytest.mark.usefixtures("own_calendar")
async def test_whoever_dies_behind_the_booking_books_no_second_one(
    meet: Meet, company: Company, calendar: FakeCalendar
) -> None:
    await meet()
    async with company.session() as session:
        action = (await session.scalars(select(ActionRow))).one()
        action.status, action.settled_at = ActionStatus.PLACED, None

    assert await meet(minutes=20) == Finished(reason=EndReason.MEETING)
    assert (len(await appointments(company)), len(calendar.asked)) == (1, 1)


@pytest.mark.usefixtures("own_calendar")
@pytest.mark.parametrize(
    ("said", "why"),
    [
        (None, "No time was agreed on"),
        ("2026-11-24T15:00", "is not free any more"),
        ("2026-11-20T11:00", "no time to come"),
        ("2999-11-20T11:00", "no time to come"),
    ],
    ids=["no time", "taken", "in the past", "another century"],
)
async def test_what_cannot_be_booked_is_a_to_do(
    meet: Meet, company: Company, calendar: FakeCalendar, said: str | None, why: str
) -> None:
    busy = TOMORROW.replace(hour=14)
    calendar.occupy(busy, busy + timedelta(hours=1))

    outcome = await meet(said)

    [todo] = await todos(company)
    assert isinstance(outcome, Planned)
    assert outcome.activity is ActivityName.GMAIL_SEND
    assert (todo.title, todo.status) == ("Agree on a time with Ada Byron", TodoStatus.OPEN)
    assert why in (todo.text or "")
    assert "They want to meet next week." in (todo.text or "")
    assert (todo.assignee_id, todo.action_id) == (company.user_id, None)
    assert (await appointments(company), calendar.asked) == ([], [])


@pytest.mark.parametrize("has_link", [True, False])
async def test_without_a_calendar_the_to_do_has_the_booking_link_if_there_is_one(
    meet: Meet, company: Company, order: ActionOrder, has_link: bool
) -> None:
    if has_link:
        async with company.session() as session:
            session.add(
                CalendarRow(
                    user_id=company.user_id, provider=CalendarProvider.LINK, booking_url=LINK
                )
            )

    await meet()
    [todo] = await todos(company)

    row = await company.recipient(order.recipient_id)
    assert (LINK in (todo.text or ""), todo.lead_id) == (has_link, row.lead_id)
    assert row.end_reason is None


@pytest.mark.usefixtures("own_calendar")
async def test_a_calendar_that_does_not_answer_is_waited_for_half_an_hour(
    meet: Meet, company: Company, calendar: FakeCalendar
) -> None:
    calendar.status = 503

    waiting, given_up = await meet(), await meet(minutes=40)

    assert isinstance(waiting, Planned)
    assert "calendar does not answer" in waiting.label
    assert waiting.at == MORNING + 14 * MINUTE
    assert isinstance(given_up, Planned)
    assert given_up.activity is ActivityName.GMAIL_SEND
    assert ["did not answer" in (todo.text or "") for todo in await todos(company)] == [True]


@pytest.mark.usefixtures("own_calendar")
async def test_a_calendar_that_says_no_is_a_to_do_at_once(
    meet: Meet, company: Company, calendar: FakeCalendar
) -> None:
    calendar.event_status = 400

    assert isinstance(await meet(), Planned)

    [refused], [todo] = await appointments(company), await todos(company)
    assert refused.status is AppointmentStatus.REFUSED
    assert "did not accept" in (todo.text or "")
