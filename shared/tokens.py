"""Access tokens of connected accounts: opened, renewed early, and renewed once at a time."""

import asyncio
from collections import defaultdict
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db.models.accounts import AccountRow, AccountTokenRow
from shared.db.session import Database
from shared.errors import AuthExpired
from shared.keyring import Keyring
from shared.providers.google_oauth import GoogleOAuth, Tokens

RENEWED_EARLY = timedelta(minutes=5)
ACCESS_TOKEN, REFRESH_TOKEN = "account_tokens.access_token", "account_tokens.refresh_token"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRef:
    """Names an account, and the user whose tokens open it."""

    company_id: UUID
    account_id: UUID
    user_id: UUID


class AccountTokens:
    """One per process. Google keeps a refresh token, so processes need no lock between them."""

    def __init__(self, *, database: Database, oauth: GoogleOAuth, keyring: Keyring) -> None:
        self._database = database
        self._oauth = oauth
        self._keyring = keyring
        self._known: dict[UUID, Tokens] = {}
        self._turns: defaultdict[UUID, asyncio.Lock] = defaultdict(asyncio.Lock)

    def source(self, account: AccountRef) -> "TokensOfAccount":
        return TokensOfAccount(self, account)

    async def access_token(self, account: AccountRef, *, rejected: str | None = None) -> str:
        """A token that is good for some minutes more. Raises AuthExpired: reconnect."""
        async with self._turns[account.account_id]:
            tokens = self._known.get(account.account_id) or await self._read(account)
            if tokens.access_token == rejected or _is_old(tokens):
                tokens = await self._renew(account, rejected)
            self._known[account.account_id] = tokens
            return tokens.access_token

    def forget(self, account_id: UUID) -> None:
        """The account was connected anew, or not at all."""
        self._known.pop(account_id, None)

    async def _renew(self, account: AccountRef, rejected: str | None) -> Tokens:
        # Another process may have renewed it, or a person may have connected the account again.
        stored = await self._read(account)
        if stored.access_token != rejected and not _is_old(stored):
            return stored
        assert stored.refresh_token is not None  # noqa: S101 - the column is not nullable
        renewed = await self._oauth.refresh(stored.refresh_token)
        async with self._session(account) as session:
            await store_tokens(session, self._keyring, account, renewed)
        return renewed

    async def _read(self, account: AccountRef) -> Tokens:
        async with self._session(account) as session:
            row = await session.scalar(
                select(AccountTokenRow).where(AccountTokenRow.account_id == account.account_id)
            )
            scopes = await session.scalar(
                select(AccountRow.scopes).where(AccountRow.id == account.account_id)
            )
        if row is None:
            raise AuthExpired("The account is not connected")
        cell = {"company_id": account.company_id, "row_id": account.account_id}
        return Tokens(
            access_token=self._keyring.open(row.access_token, place=ACCESS_TOKEN, **cell),
            refresh_token=self._keyring.open(row.refresh_token, place=REFRESH_TOKEN, **cell),
            expires_at=row.expires_at,
            scopes=frozenset(scopes or ()),
        )

    def _session(self, account: AccountRef) -> AbstractAsyncContextManager[AsyncSession]:
        return self._database.company_session(account.company_id, user_id=account.user_id)


@dataclass(frozen=True, slots=True)
class TokensOfAccount:
    """What a provider's client asks for tokens (`TokenSource`)."""

    tokens: AccountTokens
    account: AccountRef

    async def access_token(self, *, rejected: str | None = None) -> str:
        return await self.tokens.access_token(self.account, rejected=rejected)


async def store_tokens(
    session: AsyncSession, keyring: Keyring, account: AccountRef, tokens: Tokens
) -> None:
    """Seal and keep an account's tokens; a missing refresh token leaves the old one."""
    cell = {"company_id": account.company_id, "row_id": account.account_id}
    row = await session.scalar(
        select(AccountTokenRow).where(AccountTokenRow.account_id == account.account_id)
    )
    if row is None:
        if tokens.refresh_token is None:
            raise AuthExpired("Google gave no refresh token: connect the account again")
        row = AccountTokenRow(account_id=account.account_id, user_id=account.user_id)
        session.add(row)
    if tokens.refresh_token is not None:
        row.refresh_token = keyring.seal(tokens.refresh_token, place=REFRESH_TOKEN, **cell)
    row.access_token = keyring.seal(tokens.access_token, place=ACCESS_TOKEN, **cell)
    row.expires_at = tokens.expires_at


def _is_old(tokens: Tokens) -> bool:
    return tokens.expires_at - datetime.now(UTC) < RENEWED_EARLY
