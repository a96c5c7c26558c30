"""Finds out what became of a time that was reserved in a calendar and never confirmed."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from temporalio import activity

from shared.booking import Booking
from shared.conductor import Conductor
from shared.db.models import AppointmentRow
from shared.db.session import Database
from shared.errors import Misconfigured, NotFound, ProviderError
from shared.inbound import repeat_signals

MOST = 200
# Longer than whoever has reserved it may still be asking the calendar.
UNSETTLED = timedelta(minutes=5)
# A calendar that cannot be asked for so long will not be.
GIVEN_UP = timedelta(days=1)

_UNSETTLED = text("select company_id, id from appointments_unsettled(:before, :most)")


class AppointmentActivities:
    """Goes by the rows' own times, so its clock is the real one, as of all sweeping."""

    def __init__(self, *, database: Database, conductor: Conductor, booking: Booking) -> None:
        self._database = database
        self._conductor = conductor
        self._booking = booking

    @activity.defn(name="appointments.settle")
    async def settle(self) -> int:
        """Ask the calendars; a time that is in none is free again. Answers how many were left."""
        found = await self._find()
        for row in found:
            try:
                await self._settle(row.company_id, row.id)
            except (ProviderError, Misconfigured) as error:
                # The others are not held up. The next sweep asks again.
                await self._give_up_old(row.company_id, row.id, str(error))
            except NotFound:
                # Its lead was erased meanwhile.
                continue
        return len(found)

    async def _find(self) -> Sequence[Row[Any]]:
        before = datetime.now(UTC) - UNSETTLED
        async with self._database.outside_session() as session:
            return (await session.execute(_UNSETTLED, {"before": before, "most": MOST})).all()

    async def _settle(self, company_id: UUID, appointment_id: UUID) -> None:
        booked = await self._booking.settle(company_id, appointment_id)
        if booked is not None and booked.event_id is not None:
            await repeat_signals(self._database, self._conductor, company_id, booked.event_id)

    async def _give_up_old(self, company_id: UUID, appointment_id: UUID, reason: str) -> None:
        async with self._database.company_session(company_id) as session:
            appointment = await session.get(AppointmentRow, appointment_id)
        if appointment and appointment.created_at < datetime.now(UTC) - GIVEN_UP:
            await self._booking.release(company_id, appointment_id, reason)
