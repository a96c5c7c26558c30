"""A call that ends with "let us meet": its time is booked, or a person is asked to agree on one."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from activities.clock import now
from activities.results import Postponed, Reserved
from shared.booking import Booking
from shared.conductor import Conductor
from shared.db.models import AppointmentRow, AppointmentStatus, CalendarProvider, CalendarRow
from shared.db.repositories.meeting_todos import MeetingTodo, ask_to_agree
from shared.db.session import Database
from shared.domain.calls import CallReport, MeetingWish, meeting_of
from shared.errors import Conflict, Misconfigured, ProviderError, RateLimited, Unavailable
from shared.inbound import repeat_signals
from shared.providers.calendars import Span

# For so long after the call a calendar that is away is waited for: a mail must not come between.
PATIENCE = timedelta(minutes=30)
MINUTE = timedelta(minutes=1)
DUE = timedelta(days=1)
# Nobody agrees on a time so far away: the agent has misunderstood the year.
FARTHEST = timedelta(days=366)


class CallMeetings:
    def __init__(self, *, database: Database, conductor: Conductor, booking: Booking) -> None:
        self._database = database
        self._conductor = conductor
        self._booking = booking

    async def agree(self, reserved: Reserved, report: CallReport) -> Postponed | None:
        """Do what the lead was promised, once, however often this is retried.

        Postponed: the calendar does not answer, and a little later it may.
        """
        wish = meeting_of(report, zone=_zone(reserved))
        if wish is None:
            return None
        calendar = await self._calendar(reserved)
        try:
            await self._book(reserved, wish, calendar)
            return None
        except (Unavailable, RateLimited) as error:
            if now() < (report.ended_at or reserved.action.attempted_at) + PATIENCE:
                return Postponed(until=now() + MINUTE, reason="the calendar does not answer")
            reason = str(error)
        except (ProviderError, Conflict, Misconfigured) as refusal:
            reason = str(refusal)
        await self._ask_people(reserved, report, reason)
        return None

    async def _book(
        self, reserved: Reserved, wish: MeetingWish, calendar: CalendarRow | None
    ) -> None:
        """Book it, and end the lead's campaigns. Raises Conflict: why a person is needed."""
        if calendar is None:
            raise Conflict("No calendar is connected")
        if calendar.provider is CalendarProvider.LINK:
            raise Conflict("There is only a booking link, and no calendar to look into")
        if wish.starts_at is None:
            raise Conflict("No time was agreed on")
        span = Span(
            starts_at=wish.starts_at, ends_at=wish.starts_at + timedelta(minutes=wish.minutes)
        )
        appointment = await self._reserve(reserved, span, calendar)
        if appointment.status is AppointmentStatus.BOOKED:
            return
        booked = await self._booking.book(calendar, appointment)
        if booked.event_id is not None:
            company_id = calendar.company_id
            await repeat_signals(self._database, self._conductor, company_id, booked.event_id)

    async def _reserve(
        self, reserved: Reserved, span: Span, calendar: CalendarRow
    ) -> AppointmentRow:
        """Or what an earlier attempt has reserved. Raises Conflict: the time cannot be had."""
        recipient, lead = reserved.situation.recipient, reserved.situation.rest.lead or {}
        wanted = AppointmentRow(
            id=_id_of(reserved, "appointment"),
            calendar_id=calendar.id,
            user_id=calendar.user_id,
            lead_id=recipient.lead_id,
            recipient_id=recipient.id,
            title=f"Meeting with {_name(lead)}",
        )
        begun = await self._find(calendar.company_id, wanted.id)
        if begun is not None and begun.status is not AppointmentStatus.REFUSED:
            return begun
        starts_at, minutes = span.starts_at, (span.ends_at - span.starts_at) // MINUTE
        if not now() < starts_at < now() + FARTHEST:
            raise Conflict(f"{starts_at:%Y-%m-%d %H:%M}Z, which they want, is no time to come")
        opened = self._booking.calendars.open(calendar)
        if not await opened.free_slots(span, minutes=minutes):
            raise Conflict(f"{starts_at:%Y-%m-%d %H:%M}Z, which they want, is not free any more")
        return await self._booking.reserve(calendar, wanted, span)

    async def _find(self, company_id: UUID, appointment_id: UUID) -> AppointmentRow | None:
        async with self._database.company_session(company_id) as session:
            return await session.get(AppointmentRow, appointment_id)

    async def _calendar(self, reserved: Reserved) -> CalendarRow | None:
        """Of whoever calls, or else of whoever writes to the lead."""
        company_id = reserved.situation.recipient.company_id
        for person in _people(reserved):
            if row := await self._booking.calendars.find(company_id, person):
                return row
        return None

    async def _ask_people(self, reserved: Reserved, report: CallReport, reason: str) -> None:
        words = ("They want to meet, they said on the phone.", report.summary or "", reason)
        todo = MeetingTodo(
            id=_id_of(reserved, "to-do"),
            recipient_id=reserved.situation.recipient.id,
            words="\n".join(filter(None, words)),
            due_at=now().replace(microsecond=0) + DUE,
            people=_people(reserved),
        )
        company_id = reserved.situation.recipient.company_id
        async with self._database.company_transaction(company_id) as connection:
            await ask_to_agree(connection, todo)


def _people(reserved: Reserved) -> Sequence[UUID]:
    return [*dict.fromkeys((reserved.account.user_id, *_owner(reserved)))]


def _owner(reserved: Reserved) -> Sequence[UUID]:
    owner = reserved.situation.rest.account_user_id
    return [owner] if owner else []


def _id_of(reserved: Reserved, what: str) -> UUID:
    """The same for every attempt, and another one for another call of the step."""
    return uuid5(reserved.action.id, f"{what}/{reserved.action.round}")


def _name(lead: dict[str, str | None]) -> str:
    whole = " ".join(filter(None, (lead.get("first_name"), lead.get("last_name"))))
    return lead.get("name") or whole or lead.get("email") or "the lead"


def _zone(reserved: Reserved) -> ZoneInfo:
    rest = reserved.situation.rest
    return ZoneInfo(rest.lead_zone or rest.own_zone or "UTC")
