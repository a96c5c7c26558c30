"""Agrees on a time with a lead: looks when there is time, takes it once, and ends the campaigns.

Row, call, row: the event's id is the row's, so that a call whose answer was lost is asked again
and makes no second event.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from api.callers import Caller
from api.conducting import Conducting, best_effort
from api.services.calendars import CalendarService
from shared.contracts.inbound import InboundEvent
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
from shared.domain.inbound import InboundKind
from shared.errors import Conflict, NotFound, Refused
from shared.inbound import record_inbound, repeat_signals
from shared.keyring import Keyring
from shared.providers.calendars import Calendar, Event, Meeting, Span

# In the company's own time zone: nobody meets at night because a calendar is empty then.
OFFICE_HOURS = range(9, 18)
_LOCK_CALENDAR = text("select id from calendars where id = :id for update")
_TAKEN = (AppointmentStatus.RESERVED, AppointmentStatus.BOOKED)


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
        keyring: Keyring,
        conducting: Conducting,
        calendars: CalendarService,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._conducting = conducting
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
        slots = await self.calendars.open(row).free_slots(within, minutes=minutes)
        async with self._database.company_session(caller.company_id) as session:
            zone = ZoneInfo(await session.scalar(select(CompanyRow.time_zone)) or "UTC")
        return [slot for slot in slots if _is_in_office(slot, zone)]

    async def book(self, caller: Caller, wanted: Wanted) -> AppointmentRow:
        """Raises Conflict when the time is taken, and a ProviderError when the calendar fails."""
        row = await self._calendar_of(caller, wanted.user_id)
        if row.provider is CalendarProvider.LINK:
            return await self._note(caller, row, wanted)
        calendar = self.calendars.open(row)
        appointment = await self._find_begun(caller, row, wanted)
        if appointment is None:
            appointment = await self._reserve_free(caller, row, calendar, wanted)
        lead = await self._lead(caller, appointment.lead_id)
        assert appointment.starts_at and appointment.ends_at  # noqa: S101, PT018 - reserved with a time
        meeting = Meeting(
            id=appointment.id,
            span=Span(starts_at=appointment.starts_at, ends_at=appointment.ends_at),
            title=appointment.title,
            attendee_email=lead.email,
            attendee_name=lead.name,
        )
        try:
            event = await calendar.book(meeting)
        except Refused as refusal:
            await self._refuse(caller, appointment.id, str(refusal))
            raise
        return await self._keep(caller, appointment.id, event)

    async def _reserve_free(
        self, caller: Caller, row: CalendarRow, calendar: Calendar, wanted: Wanted
    ) -> AppointmentRow:
        """The time that is wanted, or the first one that is free and nobody else takes."""
        if wanted.span is not None:
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
        """Raises Conflict when somebody was first. The calendar's lock makes us take turns."""
        async with self._database.company_session(caller.company_id) as session:
            await session.execute(_LOCK_CALENDAR, {"id": row.id})
            overlapping = select(AppointmentRow.id).where(
                AppointmentRow.calendar_id == row.id,
                AppointmentRow.status.in_(_TAKEN),
                AppointmentRow.starts_at < span.ends_at,
                AppointmentRow.ends_at > span.starts_at,
            )
            if await session.scalar(overlapping.limit(1)):
                raise Conflict("That time has just been taken: choose another one")
            appointment = await _new(session, caller, row, wanted)
            appointment.status = AppointmentStatus.RESERVED
            appointment.starts_at, appointment.ends_at = span.starts_at, span.ends_at
            session.add(appointment)
            await session.flush()
            await session.refresh(appointment)
            return appointment

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
        return await self._keep(caller, appointment.id, Event(provider_id="", url=row.booking_url))

    async def _keep(self, caller: Caller, appointment_id: UUID, event: Event) -> AppointmentRow:
        """It is agreed. In the same transaction every campaign of the lead ends."""
        async with self._database.company_session(caller.company_id) as session:
            appointment = await session.get_one(AppointmentRow, appointment_id)
            appointment.status, appointment.booked_at = AppointmentStatus.BOOKED, datetime.now(UTC)
            appointment.url = event.url or appointment.url
            await session.flush()
            recorded_id = await self._record(session, appointment)
        if recorded_id is not None:
            async with best_effort():
                await repeat_signals(
                    self._database, self._conducting.conductor, caller.company_id, recorded_id
                )
        return appointment

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

    async def _refuse(self, caller: Caller, appointment_id: UUID, reason: str) -> None:
        async with self._database.company_session(caller.company_id) as session:
            appointment = await session.get_one(AppointmentRow, appointment_id)
            appointment.status, appointment.refusal = AppointmentStatus.REFUSED, reason

    async def _calendar_of(self, caller: Caller, user_id: UUID | None) -> CalendarRow:
        row = await self.calendars.find(caller.company_id, user_id or caller.person)
        if row is None:
            raise Conflict(
                "No calendar is connected: POST /api/accounts/calendar/connect, with google, or"
                " with link and a booking_url"
            )
        return row

    async def _lead(self, caller: Caller, lead_id: UUID) -> LeadRow:
        async with self._database.company_session(caller.company_id) as session:
            return await session.get_one(LeadRow, lead_id)


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
