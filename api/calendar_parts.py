"""Wires calendars: at the providers that this installation knows itself to."""

from api.conducting import Conducting
from api.parts import Parts
from api.services.appointments import AppointmentService
from api.services.calendars import CalendarService
from shared.booking import Booking
from shared.calendars import Calendars


def make_appointments(parts: Parts, conducting: Conducting) -> AppointmentService:
    database, keyring = parts.database, parts.keyring
    calendars = Calendars(database=database, keyring=keyring, hosts=parts.calendar_hosts)
    return AppointmentService(
        database=database,
        conducting=conducting,
        booking=Booking(database=database, keyring=keyring, calendars=calendars),
        calendars=CalendarService(
            database=database, keyring=keyring, places=parts.places, calendars=calendars
        ),
    )
