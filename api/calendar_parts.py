"""Wires calendars: at the providers that this installation knows itself to."""

import httpx

from api.conducting import Conducting
from api.parts import Parts
from api.services.appointments import AppointmentService
from api.services.calendars import CalendarService, Hosts
from shared.db.models import CalendarProvider
from shared.installation import CalendarClients
from shared.providers.calendars import CalendarHost
from shared.providers.cronofy import CronofyCalendars
from shared.providers.google_calendar import GoogleCalendars
from shared.providers.google_oauth import GoogleOAuth


def make_appointments(parts: Parts, conducting: Conducting) -> AppointmentService:
    return AppointmentService(
        database=parts.database,
        keyring=parts.keyring,
        conducting=conducting,
        calendars=CalendarService(
            database=parts.database,
            keyring=parts.keyring,
            places=parts.places,
            hosts=parts.calendar_hosts,
        ),
    )


def calendar_hosts(
    http: httpx.AsyncClient, google: GoogleOAuth | None, clients: CalendarClients
) -> Hosts:
    """Without a client at one of them there are booking links only."""
    hosts: dict[CalendarProvider, CalendarHost] = {}
    if google is not None:
        hosts[CalendarProvider.GOOGLE] = GoogleCalendars(
            http, google, endpoint=clients.google_endpoint
        )
    if clients.cronofy is not None:
        hosts[CalendarProvider.CRONOFY] = CronofyCalendars(http, clients.cronofy)
    return hosts
