"""Connects a person's calendar, and opens it: one for each person of a company."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from api.callers import Caller
from api.places import Places
from shared.db.deed import current_deed
from shared.db.models import (
    CalendarProvider,
    CalendarRow,
    CalendarTokenRow,
    MembershipRow,
    OAuthStateRow,
)
from shared.db.session import Database
from shared.errors import AuthExpired, Misconfigured, NotAllowed
from shared.keyring import Keyring
from shared.providers.calendars import Calendar, CalendarHost, Owner
from shared.providers.google_oauth import Tokens

LIFETIME = timedelta(minutes=10)
RENEWED_EARLY = timedelta(minutes=5)
CALENDAR = "calendar"
VERIFIER = "oauth_states.code_verifier"
ACCESS_TOKEN, REFRESH_TOKEN = "calendar_tokens.access_token", "calendar_tokens.refresh_token"
_SETTINGS = {
    CalendarProvider.GOOGLE: "GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET",
    CalendarProvider.CRONOFY: "DRUMBEAT_CRONOFY_CLIENT_ID and DRUMBEAT_CRONOFY_CLIENT_SECRET",
}
Hosts = Mapping[CalendarProvider, CalendarHost]


class CalendarService:
    """`hosts`: the providers that this installation knows itself to."""

    def __init__(
        self, *, database: Database, keyring: Keyring, places: Places, hosts: Hosts
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._places = places
        self._hosts = hosts

    async def begin(
        self, caller: Caller, provider: CalendarProvider, *, return_to: str | None
    ) -> str:
        """The provider's consent page. Raises Misconfigured, naming the settings it would need."""
        host = self._host(provider)
        way_back = self._places.way_back(return_to) if return_to else None
        state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
        row = OAuthStateRow(
            id=uuid7(),
            purpose=CALENDAR,
            token_hash=self._keyring.token_hash(state),
            user_id=caller.person,
            company_id=caller.company_id,
            return_to=way_back,
            scopes=[provider],
            expires_at=datetime.now(UTC) + LIFETIME,
        )
        row.code_verifier = self._keyring.seal(
            verifier, place=VERIFIER, company_id=row.company_id, row_id=row.id
        )
        async with self._database.outside_session() as session:
            session.add(row)
        return host.authorize_url(state=state, code_verifier=verifier)

    async def keep_link(self, caller: Caller, booking_url: str) -> CalendarRow:
        """The page on which leads choose a time by themselves, instead of a calendar."""
        async with self._database.company_session(caller.company_id) as session:
            owner = {"email": None, "provider_calendar_id": None, "booking_url": booking_url}
            return await _upsert(session, caller.person, CalendarProvider.LINK, owner)

    async def finish(self, state: OAuthStateRow, code: str) -> CalendarRow:
        """Exchange the code and keep the calendar. Raises ProviderError."""
        assert state.code_verifier is not None  # noqa: S101 - begin() has written it
        verifier = self._keyring.open(
            state.code_verifier, place=VERIFIER, company_id=state.company_id, row_id=state.id
        )
        current_deed().actor = f"user:{state.user_id}"
        provider = CalendarProvider(state.scopes[0])
        host = self._host(provider)
        tokens = await host.exchange(code, verifier)
        owner = await host.whose(tokens.access_token)
        async with self._database.company_session(
            state.company_id, user_id=state.user_id
        ) as session:
            is_member = select(MembershipRow.id).where(MembershipRow.user_id == state.user_id)
            if await session.scalar(is_member) is None:
                raise NotAllowed("You are no member of this company any more")
            row = await _upsert(session, state.user_id, provider, _fields(owner))
            await self._store(session, row, tokens)
        return row

    async def find(self, company_id: UUID, user_id: UUID) -> CalendarRow | None:
        """That person's, if they have connected one."""
        async with self._database.company_session(company_id) as session:
            query = select(CalendarRow).where(CalendarRow.user_id == user_id)
            return await session.scalar(query)

    def open(self, row: CalendarRow) -> Calendar:
        """Raises Misconfigured when the installation does not know its provider any more."""
        host = self._host(row.provider)
        return host.open(_TokensOf(self, row), calendar_id=row.provider_calendar_id)

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
        renewed = await self._host(row.provider).refresh(refresh_token)
        async with self._database.company_session(row.company_id, user_id=row.user_id) as session:
            await self._store(session, row, renewed)
        return renewed.access_token

    async def _store(self, session: AsyncSession, row: CalendarRow, tokens: Tokens) -> None:
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

    def _host(self, provider: CalendarProvider) -> CalendarHost:
        host = self._hosts.get(provider)
        if host is None:
            raise Misconfigured(f"Set {_SETTINGS[provider]} to use calendars at {provider}")
        return host


@dataclass(frozen=True, slots=True)
class _TokensOf:
    """What a provider's client asks for tokens."""

    calendars: CalendarService
    row: CalendarRow

    async def access_token(self, *, rejected: str | None = None) -> str:
        return await self.calendars.access_token(self.row, rejected=rejected)


async def _tokens(session: AsyncSession, calendar_id: UUID) -> CalendarTokenRow | None:
    query = select(CalendarTokenRow).where(CalendarTokenRow.calendar_id == calendar_id)
    return await session.scalar(query)


def _fields(owner: Owner) -> dict[str, str | None]:
    return {"email": owner.email, "provider_calendar_id": owner.calendar_id, "booking_url": None}


async def _upsert(
    session: AsyncSession,
    user_id: UUID,
    provider: CalendarProvider,
    fields: Mapping[str, str | None],
) -> CalendarRow:
    """A person's calendar; another one that is connected takes its place."""
    values = {"provider": provider, "trouble": None, **fields}
    row: CalendarRow | None = await session.scalar(
        insert(CalendarRow)
        .values(id=uuid7(), user_id=user_id, **values)
        .on_conflict_do_update(
            index_elements=[CalendarRow.company_id, CalendarRow.user_id], set_=values
        )
        .returning(CalendarRow),
        execution_options={"populate_existing": True},
    )
    assert row is not None  # noqa: S101 - an upsert returns its row
    return row
