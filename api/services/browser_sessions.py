"""Sessions of browsers: a cookie says who somebody is, and a second secret that a page asked.

The second one is made from the first, so it cannot be planted, and nobody has to keep it.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from uuid_utils.compat import uuid7

from api.callers import Identity
from shared.db.models import SessionRow
from shared.db.session import Database
from shared.errors import NotAllowed, NotAuthenticated
from shared.keyring import Keyring

LIFETIME = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserSession:
    """`token` is the cookie; `csrf_token` is what pages send along with every write."""

    token: str
    csrf_token: str


class BrowserSessionService:
    def __init__(self, *, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    async def open(self, user_id: UUID) -> BrowserSession:
        token = f"bs_{secrets.token_urlsafe(32)}"
        row = SessionRow(
            user_id=user_id,
            family_id=uuid7(),
            token_hash=self._hash(token),
            expires_at=datetime.now(UTC) + LIFETIME,
        )
        async with self._database.outside_session() as session:
            session.add(row)
        return BrowserSession(token=token, csrf_token=self._csrf_token(token))

    async def identify(self, token: str) -> Identity:
        """Raises NotAuthenticated."""
        now = datetime.now(UTC)
        good = (SessionRow.token_hash == self._hash(token)) & SessionRow.revoked_at.is_(None)
        async with self._database.outside_session() as session:
            row = await session.scalar(select(SessionRow).where(good, SessionRow.expires_at > now))
        if row is None:
            raise NotAuthenticated("The session has ended: log in again")
        return Identity(user_id=row.user_id, company_id=row.company_id, session_id=row.id)

    def must_come_from_page(self, token: str, csrf_token: str | None) -> None:
        """Raises NotAllowed for what another site has a browser send."""
        expected = self._csrf_token(token).encode()
        if not hmac.compare_digest(expected, (csrf_token or "").encode()):
            raise NotAllowed(
                "A write with the session cookie needs the content of the cookie drumbeat_csrf"
                " in the header X-CSRF-Token"
            )

    async def switch_company(self, session_id: UUID, company_id: UUID) -> None:
        async with self._database.outside_session() as session:
            chosen = update(SessionRow).where(SessionRow.id == session_id)
            await session.execute(chosen.values(company_id=company_id))

    async def close(self, session_id: UUID) -> None:
        async with self._database.outside_session() as session:
            ended = update(SessionRow).where(SessionRow.id == session_id)
            await session.execute(ended.values(revoked_at=datetime.now(UTC)))

    def _hash(self, token: str) -> str:
        # Its own kind, so that it is no refresh token and a refresh token is no cookie.
        return self._keyring.token_hash(f"browser session {token}")

    def _csrf_token(self, token: str) -> str:
        return self._keyring.token_hash(f"from a page {token}")
