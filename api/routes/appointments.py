"""/api/appointments: times that were agreed with leads, and the calendars they are in."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, status

from api.dependencies import SHOWS_SECRET, Answerer, Connector, Reader, Services
from api.documentation import problems
from api.schemas.appointments import (
    LONGEST_SEARCH,
    AppointmentAnswer,
    CalendarAnswer,
    FreeSlot,
    Minutes,
    NewAppointment,
    NewCalendar,
)
from api.schemas.fields import Instant
from api.schemas.paging import USUAL_PAGE, Cursor, Limit, Page, make_page, read_cursor
from api.services.appointments import Wanted
from shared.errors import Invalid
from shared.providers.calendars import Span

router = APIRouter(tags=["appointments"])


@router.post(
    "/api/accounts/calendar/connect", responses=problems(409, 503), dependencies=[SHOWS_SECRET]
)
async def connect_calendar(
    body: NewCalendar, caller: Connector, services: Services
) -> CalendarAnswer:
    """Get a link at which a person lets us into their calendar, or keep their booking link.

    One for each person: another one that is connected takes its place.
    """
    calendars, url = services.appointments.calendars, None
    if body.booking_url is None:
        url = await calendars.begin(caller, body.provider, return_to=body.return_to)
    else:
        await calendars.keep_link(caller, str(body.booking_url))
    link = str(body.booking_url) if body.booking_url else None
    return CalendarAnswer(provider=body.provider, authorize_url=url, booking_url=link)


@router.get("/api/appointments")
async def list_appointments(
    *,
    caller: Reader,
    services: Services,
    lead_id: UUID | None = None,
    limit: Limit = USUAL_PAGE,
    cursor: Cursor = None,
) -> Page[AppointmentAnswer]:
    """The company's appointments, newest first."""
    rows = await services.appointments.list_appointments(
        caller, lead_id=lead_id, limit=limit, after=read_cursor(cursor)
    )
    return make_page(rows, limit, AppointmentAnswer.model_validate)


@router.get("/api/appointments/free", responses=problems(409, 502, 503))
async def list_free_slots(
    *,
    caller: Reader,
    services: Services,
    from_: Annotated[Instant, Query(alias="from")],
    until: Instant,
    minutes: Annotated[Minutes, Query()] = 30,
    user_id: Annotated[UUID | None, Query(description="Whose calendar; else one's own.")] = None,
) -> list[FreeSlot]:
    """When that person has time, within office hours of the company."""
    within = _within(from_, until)
    slots = await services.appointments.free_slots(caller, within, user_id=user_id, minutes=minutes)
    return [FreeSlot(starts_at=slot.starts_at, ends_at=slot.ends_at) for slot in slots]


@router.post(
    "/api/appointments", status_code=status.HTTP_201_CREATED, responses=problems(404, 409, 502, 503)
)
async def create_appointment(
    body: NewAppointment, caller: Answerer, services: Services
) -> AppointmentAnswer:
    """Book a time in a person's calendar; every campaign of the lead ends with `meeting`.

    A time that is taken is a 409. When the calendar does not answer, ask for the same again: the
    event is made once. With a booking link only, `starts_at` notes what was agreed elsewhere, and
    without it the answer is the link to send.
    """
    wanted = Wanted(
        lead_id=body.lead_id,
        recipient_id=body.recipient_id,
        user_id=body.user_id,
        minutes=body.minutes,
        title=body.title,
        span=_span(body),
        within=_within(body.from_, body.until) if body.from_ and body.until else None,
    )
    return AppointmentAnswer.model_validate(await services.appointments.book(caller, wanted))


def _span(body: NewAppointment) -> Span | None:
    if body.starts_at is None:
        return None
    ends_at = body.starts_at + timedelta(minutes=body.minutes)
    return Span(starts_at=body.starts_at, ends_at=ends_at)


def _within(starts_at: datetime, ends_at: datetime) -> Span:
    if not starts_at < ends_at <= starts_at + LONGEST_SEARCH:
        raise Invalid("It comes after from, by 31 days at most", field="until")
    return Span(starts_at=starts_at, ends_at=ends_at)
