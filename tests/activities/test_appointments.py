"""A time that was reserved when everything died: the calendar says what became of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from temporalio.testing import ActivityEnvironment
from uuid_utils.compat import uuid7

from activities.appointments import AppointmentActivities
from shared.booking import Booking
from shared.calendars import Calendars
from shared.contracts.recipient import RecipientRef
from shared.db.models import (
    AppointmentRow,
    AppointmentStatus,
    CalendarProvider,
    CalendarRow,
    RecipientRow,
)
from shared.db.session import Database
from shared.domain.recipient import EndReason
from shared.errors import Ambiguous
from shared.keyring import Keyring
from shared.providers.calendars import Span
from tests.calendars import connect_calendar, host_of
from tests.factories import Company
from tests.fakes.conductor import RecordingConductor
from tests.fakes.google_calendar import FakeCalendar

MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)
AN_HOUR = timedelta(hours=1)


@dataclass(slots=True, kw_only=True)
class Desk:
    """One person's calendar, a lead under way, and what sweeps."""

    company: Company
    calendar: CalendarRow
    booking: Booking
    sweep: AppointmentActivities
    recipient: RecipientRef

    async def reserve(self, *, age: timedelta = AN_HOUR) -> AppointmentRow:
        row = await self.company.recipient(self.recipient.recipient_id)
        wanted = AppointmentRow(
            id=uuid7(),
            calendar_id=self.calendar.id,
            user_id=self.calendar.user_id,
            lead_id=row.lead_id,
            recipient_id=row.id,
            title="Light",
        )
        span = Span(starts_at=MONDAY, ends_at=MONDAY + AN_HOUR)
        reserved = await self.booking.reserve(self.calendar, wanted, span)
        async with self.company.session() as session:
            found = await session.get_one(AppointmentRow, reserved.id)
            found.created_at = datetime.now(UTC) - age
        return reserved

    async def die_while_booking(self, appointment: AppointmentRow) -> None:
        with pytest.raises(Ambiguous):
            await self.booking.book(self.calendar, appointment)

    async def read(self, appointment_id: UUID) -> AppointmentRow:
        async with self.company.session() as session:
            return await session.get_one(AppointmentRow, appointment_id)

    async def settle(self) -> None:
        await ActivityEnvironment().run(self.sweep.settle)

    async def end_reason(self) -> EndReason | None:
        return (await self.company.recipient(self.recipient.recipient_id)).end_reason


@pytest.fixture
def calendar() -> FakeCalendar:
    return FakeCalendar()


@pytest.fixture
async def desk(
    *,
    company: Company,
    database: Database,
    keyring: Keyring,
    conductor: RecordingConductor,
    calendar: FakeCalendar,
) -> AsyncIterator[Desk]:
    row = await connect_calendar(company, database, keyring)
    recipient = await company.make_recipient(await company.make_campaign())
    async with company.session() as session:
        started = await session.get_one(RecipientRow, recipient.recipient_id)
        started.started_at = started.launched_at = MONDAY
    async with calendar.http() as http:
        calendars = Calendars(
            database=database, keyring=keyring, hosts={CalendarProvider.GOOGLE: host_of(http)}
        )
        booking = Booking(database=database, keyring=keyring, calendars=calendars)
        yield Desk(
            company=company,
            calendar=row,
            booking=booking,
            sweep=AppointmentActivities(database=database, conductor=conductor, booking=booking),
            recipient=recipient,
        )


async def test_an_event_that_was_made_is_found_and_ends_the_campaigns(
    desk: Desk, calendar: FakeCalendar, conductor: RecordingConductor
) -> None:
    appointment = await desk.reserve()
    calendar.loses_answers = 1
    await desk.die_while_booking(appointment)

    await desk.settle()
    await desk.settle()

    found = await desk.read(appointment.id)
    assert (found.status, len(calendar.events)) == (AppointmentStatus.BOOKED, 1)
    assert (found.url or "").endswith(appointment.id.hex)
    assert await desk.end_reason() is EndReason.MEETING
    own = [signal for ref, signal in conductor.stops if ref == desk.recipient]
    assert [signal.reason for signal in own] == [EndReason.MEETING]


async def test_a_time_that_is_in_no_calendar_is_free_again(
    desk: Desk, calendar: FakeCalendar
) -> None:
    appointment = await desk.reserve()

    await desk.settle()

    found = await desk.read(appointment.id)
    assert (found.status, calendar.events) == (AppointmentStatus.REFUSED, {})
    assert "no such event" in (found.refusal or "")
    assert await desk.end_reason() is None
    assert (await desk.reserve()).status is AppointmentStatus.RESERVED


async def test_one_that_is_just_being_booked_is_left_alone(desk: Desk) -> None:
    appointment = await desk.reserve(age=timedelta(minutes=1))
    await desk.settle()
    assert (await desk.read(appointment.id)).status is AppointmentStatus.RESERVED


@pytest.mark.parametrize(
    ("age", "status"),
    [(AN_HOUR, AppointmentStatus.RESERVED), (25 * AN_HOUR, AppointmentStatus.REFUSED)],
    ids=["for an hour", "for a day"],
)
async def test_a_calendar_that_cannot_be_asked_is_asked_again_for_a_day(
    desk: Desk, calendar: FakeCalendar, age: timedelta, status: AppointmentStatus
) -> None:
    appointment = await desk.reserve(age=age)
    calendar.status = 403

    await desk.settle()

    assert (await desk.read(appointment.id)).status is status


async def test_what_a_person_has_agreed_on_without_a_calendar_stays_agreed(desk: Desk) -> None:
    appointment = await desk.reserve()
    async with desk.company.session() as session:
        row = await session.get_one(CalendarRow, desk.calendar.id)
        row.provider, row.booking_url = CalendarProvider.LINK, "https://booking.example.com/sam"

    await desk.settle()

    found = await desk.read(appointment.id)
    assert (found.status, found.url) == (
        AppointmentStatus.BOOKED,
        "https://booking.example.com/sam",
    )
