"""Connects a person's calendar: one for each person of a company."""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from api.callers import Caller
from api.places import Places
from shared.calendars import Calendars
from shared.db.deed import current_deed
from shared.db.models import CalendarProvider, CalendarRow, MembershipRow, OAuthStateRow
from shared.db.session import Database
from shared.errors import NotAllowed
from shared.keyring import Keyring
from shared.providers.calendars import Owner

LIFETIME = timedelta(minutes=10)
CALENDAR = "calendar"
VERIFIER = "oauth_states.code_verifier"


class CalendarService:
    def __init__(
        self, *, database: Database, keyring: Keyring, places: Places, calendars: Calendars
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._places = places
        self._calendars = calendars

    async def begin(
        self, caller: Caller, provider: CalendarProvider, *, return_to: str | None
    ) -> str:
        """The provider's consent page. Raises Misconfigured, naming the settings it would need."""
        host = self._calendars.host(provider)
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
        host = self._calendars.host(provider)
        tokens = await host.exchange(code, verifier)
        owner = await host.whose(tokens.access_token)
        async with self._database.company_session(
            state.company_id, user_id=state.user_id
        ) as session:
            is_member = select(MembershipRow.id).where(MembershipRow.user_id == state.user_id)
            if await session.scalar(is_member) is None:
                raise NotAllowed("You are no member of this company any more")
            row = await _upsert(session, state.user_id, provider, _fields(owner))
            await self._calendars.store(session, row, tokens)
        return row


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
