"""Agrees on a time with a lead: looks when there is time, takes it once, and ends the campaigns."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from api.callers import Caller
from api.conducting import Conducting, best_effort
from api.services.calendars import CalendarService
from shared.booking import Booked, Booking
from shared.db.models import (
    AppointmentRow,
    AppointmentStatus,
    CalendarProvider,
    CalendarRow,
    CompanyRow,
    LeadRow,
    RecipientRow,
)
from shared.db.session import Database
from shared.errors import Conflict, NotFound
from shared.inbound import repeat_signals
from shared.providers.calendars import Event, Span

# In the company's own time zone: nobody meets at night because a calendar is empty then.
OFFICE_HOURS = range(9, 18)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """`span`: this time; or else the first free one `within`; or neither, for a booking link."""

    lead_id: UUID | None
    recipient_id: UUID | None
    user_id: UUID | None
    minutes: int
    title: str | None
    span: Span | None = None
    within: Span | None = None


class AppointmentService:
    def __init__(
        self,
        *,
        database: Database,
        conducting: Conducting,
        booking: Booking,
        calendars: CalendarService,
    ) -> None:
        self._database = database
        self._conducting = conducting
        self._booking = booking
        self.calendars = calendars

    async def list_appointments(
        self, caller: Caller, *, lead_id: UUID | None, limit: int, after: UUID | None
    ) -> Sequence[AppointmentRow]:
        """Newest first, one more than asked for if there are more."""
        query = select(AppointmentRow).order_by(AppointmentRow.id.desc()).limit(limit + 1)
        if lead_id is not None:
            query = query.where(AppointmentRow.lead_id == lead_id)
        if after is not None:
            query = query.where(AppointmentRow.id < after)
        async with self._database.company_session(caller.company_id) as session:
            return (await session.scalars(query)).all()

    async def free_slots(
        self, caller: Caller, within: Span, *, user_id: UUID | None, minutes: int
    ) -> list[Span]:
        """Within office hours. Raises Conflict without a calendar, or when it is a link only."""
        row = await self._calendar_of(caller, user_id)
        if row.provider is CalendarProvider.LINK:
            raise Conflict(
                f"There is only a booking link, whose page knows the times: {row.booking_url}"
            )
        slots = await self._booking.calendars.open(row).free_slots(within, minutes=minutes)
        async with self._database.company_session(caller.company_id) as session:
            zone = ZoneInfo(await session.scalar(select(CompanyRow.time_zone)) or "UTC")
        return [slot for slot in slots if _is_in_office(slot, zone)]

    async def book(self, caller: Caller, wanted: Wanted) -> AppointmentRow:
        """Raises Conflict when the time is taken, and a ProviderError when the calendar fails."""
        row = await self._calendar_of(caller, wanted.user_id)
        if row.provider is CalendarProvider.LINK:
            return await self._note(caller, row, wanted)
        appointment = await self._find_begun(caller, row, wanted)
        if appointment is None:
            appointment = await self._reserve_free(caller, row, wanted)
        return await self._tell(await self._booking.book(row, appointment))

    async def _reserve_free(
        self, caller: Caller, row: CalendarRow, wanted: Wanted
    ) -> AppointmentRow:
        """The time that is wanted, or the first one that is free and nobody else takes."""
        if wanted.span is not None:
            calendar = self._booking.calendars.open(row)
            if not await calendar.free_slots(wanted.span, minutes=wanted.minutes):
                raise Conflict("The calendar has something else at that time: choose another one")
            return await self._reserve(caller, row, wanted, wanted.span)
        if wanted.within is None:
            raise Conflict("Give starts_at, or from and until")
        slots = await self.free_slots(
            caller, wanted.within, user_id=row.user_id, minutes=wanted.minutes
        )
        for slot in slots:
            try:
                return await self._reserve(caller, row, wanted, slot)
            except Conflict:
                continue
        raise Conflict("The calendar has no free time there: ask for a longer one")

    async def _reserve(
        self, caller: Caller, row: CalendarRow, wanted: Wanted, span: Span
    ) -> AppointmentRow:
        async with self._database.company_session(caller.company_id) as session:
            appointment = await _new(session, caller, row, wanted)
        return await self._booking.reserve(row, appointment, span)

    async def _find_begun(
        self, caller: Caller, row: CalendarRow, wanted: Wanted
    ) -> AppointmentRow | None:
        """The same one, of which an earlier answer was lost."""
        async with self._database.company_session(caller.company_id) as session:
            lead_id, _ = await _whom(session, wanted)
            query = select(AppointmentRow).where(
                AppointmentRow.calendar_id == row.id,
                AppointmentRow.lead_id == lead_id,
                AppointmentRow.status == AppointmentStatus.RESERVED,
            )
            if wanted.span is not None:
                query = query.where(AppointmentRow.starts_at == wanted.span.starts_at)
            return await session.scalar(query.order_by(AppointmentRow.id).limit(1))

    async def _note(self, caller: Caller, row: CalendarRow, wanted: Wanted) -> AppointmentRow:
        """With a link only: the time that a person has agreed on, or the offer to choose one."""
        if wanted.within is not None:
            raise Conflict(f"There is only a booking link: send the lead {row.booking_url}")
        async with self._database.company_session(caller.company_id) as session:
            appointment = await _new(session, caller, row, wanted)
            appointment.url, appointment.status = row.booking_url, AppointmentStatus.OFFERED
            if wanted.span is not None:
                appointment.status = AppointmentStatus.RESERVED
                appointment.starts_at = wanted.span.starts_at
                appointment.ends_at = wanted.span.ends_at
            session.add(appointment)
            await session.flush()
            await session.refresh(appointment)
        if wanted.span is None:
            return appointment
        event = Event(provider_id="", url=row.booking_url)
        return await self._tell(await self._booking.keep(caller.company_id, appointment.id, event))

    async def _tell(self, booked: Booked) -> AppointmentRow:
        appointment = booked.appointment
        if booked.event_id is not None:
            async with best_effort():
                await repeat_signals(
                    self._database,
                    self._conducting.conductor,
                    appointment.company_id,
                    booked.event_id,
                )
        return appointment

    async def _calendar_of(self, caller: Caller, user_id: UUID | None) -> CalendarRow:
        row = await self._booking.calendars.find(caller.company_id, user_id or caller.person)
        if row is None:
            raise Conflict(
                "No calendar is connected: POST /api/accounts/calendar/connect, with google, or"
                " with link and a booking_url"
            )
        return row


async def _new(
    session: AsyncSession, caller: Caller, row: CalendarRow, wanted: Wanted
) -> AppointmentRow:
    lead_id, recipient_id = await _whom(session, wanted)
    lead = await session.get_one(LeadRow, lead_id)
    name = lead.name or " ".join(filter(None, (lead.first_name, lead.last_name))) or lead.email
    return AppointmentRow(
        id=uuid7(),
        calendar_id=row.id,
        user_id=row.user_id,
        lead_id=lead_id,
        recipient_id=recipient_id,
        title=wanted.title or f"Meeting with {name or 'a lead'}",
        created_by=caller.user_id,
    )


async def _whom(session: AsyncSession, wanted: Wanted) -> tuple[UUID, UUID | None]:
    """The lead, and a recipient by whom the campaigns are found. Raises NotFound."""
    query = select(RecipientRow.lead_id, RecipientRow.id)
    if wanted.recipient_id is not None:
        found = await session.execute(query.where(RecipientRow.id == wanted.recipient_id))
        row = found.one_or_none()
        if row is None:
            raise NotFound(f"Recipient {wanted.recipient_id} is not there")
        return row.lead_id, row.id
    if wanted.lead_id is None or await session.get(LeadRow, wanted.lead_id) is None:
        raise NotFound(f"Lead {wanted.lead_id} is not there")
    query = query.where(RecipientRow.lead_id == wanted.lead_id)
    # One that goes on comes first; an end of all of them follows from any.
    query = query.order_by(RecipientRow.ended_at.desc().nulls_first(), RecipientRow.id.desc())
    row = (await session.execute(query.limit(1))).one_or_none()
    return wanted.lead_id, row.id if row else None


def _is_in_office(slot: Span, zone: ZoneInfo) -> bool:
    begins = slot.starts_at.astimezone(zone)
    # An instant earlier: whatever ends at six ends within the hours.
    ends = (slot.ends_at - timedelta(seconds=1)).astimezone(zone)
    is_workday = begins.weekday() < 5 and ends.date() == begins.date()
    return is_workday and begins.hour in OFFICE_HOURS and ends.hour in OFFICE_HOURS
