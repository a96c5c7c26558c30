"""Opens the calendars that people have connected, for whoever books in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db.models import CalendarProvider, CalendarRow, CalendarTokenRow
from shared.db.session import Database
from shared.errors import AuthExpired, Misconfigured
from shared.keyring import Keyring
from shared.providers.calendars import Calendar, CalendarHost
from shared.providers.google_oauth import Tokens

RENEWED_EARLY = timedelta(minutes=5)
ACCESS_TOKEN, REFRESH_TOKEN = "calendar_tokens.access_token", "calendar_tokens.refresh_token"
_SETTINGS = {
    CalendarProvider.GOOGLE: "GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET",
    CalendarProvider.CRONOFY: "DRUMBEAT_CRONOFY_CLIENT_ID and DRUMBEAT_CRONOFY_CLIENT_SECRET",
}
Hosts = Mapping[CalendarProvider, CalendarHost]


class Calendars:
    """`hosts`: the providers that this installation knows itself to."""

    def __init__(self, *, database: Database, keyring: Keyring, hosts: Hosts) -> None:
        self._database = database
        self._keyring = keyring
        self._hosts = hosts

    async def find(self, company_id: UUID, user_id: UUID) -> CalendarRow | None:
        """That person's, if they have connected one."""
        async with self._database.company_session(company_id) as session:
            query = select(CalendarRow).where(CalendarRow.user_id == user_id)
            return await session.scalar(query)

    def open(self, row: CalendarRow) -> Calendar:
        """Raises Misconfigured when the installation does not know its provider any more."""
        host = self.host(row.provider)
        return host.open(_TokensOf(self, row), calendar_id=row.provider_calendar_id)

    def host(self, provider: CalendarProvider) -> CalendarHost:
        host = self._hosts.get(provider)
        if host is None:
            raise Misconfigured(f"Set {_SETTINGS[provider]} to use calendars at {provider}")
        return host

    async def access_token(self, row: CalendarRow, *, rejected: str | None) -> str:
        """Good for some minutes more. Raises AuthExpired: connect it again."""
        place = {"company_id": row.company_id, "row_id": row.id}
        async with self._database.company_session(row.company_id, user_id=row.user_id) as session:
            kept = await _tokens(session, row.id)
        if kept is None:
            raise AuthExpired("The calendar is not connected: connect it again")
        token = self._keyring.open(kept.access_token, place=ACCESS_TOKEN, **place)
        is_old = kept.expires_at - datetime.now(UTC) < RENEWED_EARLY
        if token != rejected and not is_old:
            return token
        refresh_token = self._keyring.open(kept.refresh_token, place=REFRESH_TOKEN, **place)
        renewed = await self.host(row.provider).refresh(refresh_token)
        async with self._database.company_session(row.company_id, user_id=row.user_id) as session:
            await self.store(session, row, renewed)
        return renewed.access_token

    async def store(self, session: AsyncSession, row: CalendarRow, tokens: Tokens) -> None:
        """Keep them sealed. Raises AuthExpired when there is no lasting access among them."""
        place = {"company_id": row.company_id, "row_id": row.id}
        kept = await _tokens(session, row.id)
        if kept is None:
            if tokens.refresh_token is None:
                raise AuthExpired("No lasting access was given: connect the calendar again")
            kept = CalendarTokenRow(calendar_id=row.id, user_id=row.user_id)
            session.add(kept)
        if tokens.refresh_token is not None:
            kept.refresh_token = self._keyring.seal(
                tokens.refresh_token, place=REFRESH_TOKEN, **place
            )
        kept.access_token = self._keyring.seal(tokens.access_token, place=ACCESS_TOKEN, **place)
        kept.expires_at = tokens.expires_at


@dataclass(frozen=True, slots=True)
class _TokensOf:
    """What a provider's client asks for tokens."""

    calendars: Calendars
    row: CalendarRow

    async def access_token(self, *, rejected: str | None = None) -> str:
        return await self.calendars.access_token(self.row, rejected=rejected)


async def _tokens(session: AsyncSession, calendar_id: UUID) -> CalendarTokenRow | None:
    query = select(CalendarTokenRow).where(CalendarTokenRow.calendar_id == calendar_id)
    return await session.scalar(query)
