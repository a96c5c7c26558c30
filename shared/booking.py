"""Takes a time in a calendar, once: row, call, row, whoever has agreed on it.

The event's id is the row's, so that a call whose answer was lost is asked again and makes no
second event.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.calendars import Calendars
from shared.contracts.inbound import InboundEvent
from shared.db.models import (
    AppointmentRow,
    AppointmentStatus,
    CalendarProvider,
    CalendarRow,
    LeadRow,
)
from shared.db.session import Database
from shared.domain.inbound import InboundKind
from shared.errors import Conflict, NotFound, Refused
from shared.inbound import record_inbound
from shared.keyring import Keyring
from shared.providers.calendars import Event, Meeting, Span

_LOCK_CALENDAR = text("select id from calendars where id = :id for update")
_TAKEN = (AppointmentStatus.RESERVED, AppointmentStatus.BOOKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """`event_id`: of the inbound event whose workflows have to be told; None: they were."""

    appointment: AppointmentRow
    event_id: UUID | None = None


class Booking:
    def __init__(self, *, database: Database, keyring: Keyring, calendars: Calendars) -> None:
        self._database = database
        self._keyring = keyring
        self.calendars = calendars

    async def reserve(
        self, calendar: CalendarRow, wanted: AppointmentRow, span: Span
    ) -> AppointmentRow:
        """Raises Conflict when somebody was first. The calendar's lock makes us take turns.

        One with this id that is there already is the answer, unless the time was let go again.
        """
        async with self._database.company_session(calendar.company_id) as session:
            await session.execute(_LOCK_CALENDAR, {"id": calendar.id})
            begun = await session.get(AppointmentRow, wanted.id)
            if begun is not None and begun.status is not AppointmentStatus.REFUSED:
                return begun
            overlapping = select(AppointmentRow.id).where(
                AppointmentRow.calendar_id == calendar.id,
                AppointmentRow.status.in_(_TAKEN),
                AppointmentRow.starts_at < span.ends_at,
                AppointmentRow.ends_at > span.starts_at,
            )
            if await session.scalar(overlapping.limit(1)):
                raise Conflict("That time has just been taken: choose another one")
            appointment = begun or wanted
            appointment.status, appointment.refusal = AppointmentStatus.RESERVED, None
            appointment.starts_at, appointment.ends_at = span.starts_at, span.ends_at
            session.add(appointment)
            await session.flush()
            await session.refresh(appointment)
            return appointment

    async def book(self, calendar: CalendarRow, appointment: AppointmentRow) -> Booked:
        """Take the time that was reserved. Raises ProviderError; a refusal frees it again."""
        meeting = await self._meeting(appointment)
        try:
            event = await self.calendars.open(calendar).book(meeting)
        except Refused as refusal:
            await self.release(appointment.company_id, appointment.id, str(refusal))
            raise
        return await self.keep(appointment.company_id, appointment.id, event)

    async def settle(self, company_id: UUID, appointment_id: UUID) -> Booked | None:
        """What became of a time that was reserved and never confirmed. None: it is free again.

        Raises ProviderError or Misconfigured when the calendar cannot say.
        """
        async with self._database.company_session(company_id) as session:
            appointment = await session.get(AppointmentRow, appointment_id)
            if appointment is None or appointment.status is not AppointmentStatus.RESERVED:
                return None
            calendar = await session.get_one(CalendarRow, appointment.calendar_id)
        if calendar.provider is CalendarProvider.LINK:
            # Nobody's calendar was asked: a person has noted what they had agreed on.
            event: Event | None = Event(provider_id="", url=calendar.booking_url)
        else:
            meeting = await self._meeting(appointment)
            event = await self.calendars.open(calendar).find(meeting)
        if event is not None:
            return await self.keep(company_id, appointment_id, event)
        await self.release(company_id, appointment_id, "The calendar has no such event")
        return None

    async def keep(self, company_id: UUID, appointment_id: UUID, event: Event) -> Booked:
        """It is agreed. In the same transaction every campaign of the lead ends.

        Raises NotFound when the lead was erased meanwhile.
        """
        async with self._database.company_session(company_id) as session:
            appointment = await session.get(AppointmentRow, appointment_id, with_for_update=True)
            if appointment is None:
                raise NotFound(f"Appointment {appointment_id} is not there")
            if appointment.status is AppointmentStatus.BOOKED:
                return Booked(appointment=appointment)
            appointment.status, appointment.booked_at = AppointmentStatus.BOOKED, datetime.now(UTC)
            appointment.url, appointment.refusal = event.url or appointment.url, None
            await session.flush()
            return Booked(
                appointment=appointment, event_id=await self._record(session, appointment)
            )

    async def release(self, company_id: UUID, appointment_id: UUID, reason: str) -> None:
        """Somebody else may have the time. What was booked meanwhile stays booked."""
        async with self._database.company_session(company_id) as session:
            appointment = await session.get(AppointmentRow, appointment_id, with_for_update=True)
            if appointment is not None and appointment.status is AppointmentStatus.RESERVED:
                appointment.status, appointment.refusal = AppointmentStatus.REFUSED, reason

    async def _record(self, session: AsyncSession, appointment: AppointmentRow) -> UUID | None:
        if appointment.recipient_id is None:
            return None
        event = InboundEvent(
            company_id=appointment.company_id,
            account_id=None,
            provider="calendar",
            provider_event_id=f"appointment/{appointment.id}",
            kind=InboundKind.MEETING_BOOKED,
            occurred_at=appointment.booked_at or datetime.now(UTC),
            recipient_id=appointment.recipient_id,
        )
        return (await record_inbound(await session.connection(), self._keyring, event)).id

    async def _meeting(self, appointment: AppointmentRow) -> Meeting:
        async with self._database.company_session(appointment.company_id) as session:
            lead = await session.get(LeadRow, appointment.lead_id)
        if lead is None:
            raise NotFound(f"Lead {appointment.lead_id} is not there")
        assert appointment.starts_at and appointment.ends_at  # noqa: S101, PT018 - reserved with a time
        return Meeting(
            id=appointment.id,
            span=Span(starts_at=appointment.starts_at, ends_at=appointment.ends_at),
            title=appointment.title,
            attendee_email=lead.email,
            attendee_name=lead.name,
        )
