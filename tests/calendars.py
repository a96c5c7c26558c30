"""A person's Google calendar, connected."""

from datetime import UTC, datetime, timedelta

import httpx
from uuid_utils.compat import uuid7

from shared.calendars import ACCESS_TOKEN, REFRESH_TOKEN
from shared.db.models import CalendarProvider, CalendarRow, CalendarTokenRow
from shared.db.session import Database
from shared.keyring import Keyring
from shared.providers.google_calendar import GoogleCalendars
from shared.providers.google_oauth import GoogleEndpoints, GoogleOAuth
from tests.factories import Company
from tests.fakes.google_calendar import ENDPOINT


def host_of(http: httpx.AsyncClient) -> GoogleCalendars:
    """Whose tokens never need to be renewed."""
    nowhere = GoogleEndpoints(
        auth_url="http://google.test/auth",
        token_url="http://google.test/token",
        revoke_url="http://google.test/revoke",
        userinfo_url="http://google.test/userinfo",
        client_id="client",
        client_secret="quiet",
        redirect_uri="http://gateway.test/email/callback/",
    )
    return GoogleCalendars(http, GoogleOAuth(http, nowhere), endpoint=ENDPOINT)


async def connect_calendar(company: Company, database: Database, keyring: Keyring) -> CalendarRow:
    """Of the company's person."""
    row = CalendarRow(
        id=uuid7(), user_id=company.user_id, provider=CalendarProvider.GOOGLE, email="sam@work.test"
    )
    place = {"company_id": company.id, "row_id": row.id}
    tokens = CalendarTokenRow(
        id=uuid7(),
        calendar_id=row.id,
        user_id=company.user_id,
        refresh_token=keyring.seal("refresh", place=REFRESH_TOKEN, **place),
        access_token=keyring.seal("access", place=ACCESS_TOKEN, **place),
        expires_at=datetime.now(UTC) + timedelta(days=1),
    )
    async with database.company_session(company.id, user_id=company.user_id) as session:
        session.add(row)
        await session.flush()
        session.add(tokens)
        await session.flush()
        await session.refresh(row)
    return row
