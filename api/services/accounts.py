"""Connected identities: listed, changed, disconnected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.callers import Caller, Permission
from api.services.versions import must_match
from shared.db.models import AccountRow, AccountTokenRow, ActionRow, ActionStatus
from shared.db.models.accounts import AccountStatus
from shared.db.session import Database
from shared.errors import NotAllowed, NotFound
from shared.keyring import Keyring
from shared.providers.google_oauth import GoogleOAuth
from shared.tokens import REFRESH_TOKEN

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedAccount:
    row: AccountRow
    sent_today: int

    @property
    def id(self) -> UUID:
        return self.row.id


class AccountService:
    """`google` None: this installation has no OAuth client, so nothing can be revoked there."""

    def __init__(self, *, database: Database, keyring: Keyring, google: GoogleOAuth | None) -> None:
        self._database = database
        self._keyring = keyring
        self._google = google

    async def list_accounts(
        self, caller: Caller, *, limit: int, after: UUID | None
    ) -> Sequence[CountedAccount]:
        """Oldest first, one more than asked for if there are more."""
        query = select(AccountRow).order_by(AccountRow.id).limit(limit + 1)
        if after:
            query = query.where(AccountRow.id > after)
        async with self._database.company_session(caller.company_id) as session:
            rows = (await session.scalars(query)).all()
            return await _counted(session, rows)

    async def get(self, caller: Caller, account_id: UUID) -> CountedAccount:
        async with self._database.company_session(caller.company_id) as session:
            account = await session.get(AccountRow, account_id)
            if account is None:
                raise NotFound(f"Account {account_id} is not there")
            [counted] = await _counted(session, [account])
            return counted

    async def change(
        self, caller: Caller, account_id: UUID, fields: Mapping[str, Any], *, expected: str | None
    ) -> CountedAccount:
        async with self._database.company_session(caller.company_id) as session:
            account = await _get_own(session, caller, account_id)
            must_match(account, expected)
            if fields.get("is_primary"):
                await session.execute(update(AccountRow).values(is_primary=False))
            for name, value in fields.items():
                setattr(account, name, value)
            await session.flush()
            await session.refresh(account)
            [counted] = await _counted(session, [account])
            return counted

    async def disconnect(self, caller: Caller, account_id: UUID) -> None:
        """Stop sending at once, revoke at the provider, forget the tokens.

        Raises ProviderError when the provider cannot be reached: sending has stopped, and
        asking again revokes.
        """
        async with self._database.company_session(caller.company_id) as session:
            account = await _get_own(session, caller, account_id)
            account.status = AccountStatus.DISCONNECTED
            account.status_reason = "it was disconnected by a person"
            if account.is_primary:
                account.is_primary = False
                await session.flush()
                await _make_another_primary(session)
        token = await self._find_token(caller.company_id, account)
        if token is None:
            return
        if self._google:
            await self._google.revoke(token)
        async with self._database.company_session(
            caller.company_id, user_id=account.user_id
        ) as session:
            gone = AccountTokenRow.account_id == account_id
            await session.execute(delete(AccountTokenRow).where(gone))

    async def _find_token(self, company_id: UUID, account: AccountRow) -> str | None:
        owner = account.user_id
        async with self._database.company_session(company_id, user_id=owner) as session:
            sealed = await session.scalar(
                select(AccountTokenRow.refresh_token).where(
                    AccountTokenRow.account_id == account.id
                )
            )
        if sealed is None:
            return None
        return self._keyring.open(
            sealed, place=REFRESH_TOKEN, company_id=company_id, row_id=account.id
        )


async def _get_own(session: AsyncSession, caller: Caller, account_id: UUID) -> AccountRow:
    """Members have their own accounts only."""
    account = await session.get(AccountRow, account_id, with_for_update=True)
    if account is None:
        raise NotFound(f"Account {account_id} is not there")
    if account.user_id != caller.user_id and not caller.may(Permission.WRITE):
        raise NotAllowed("A member can change only the accounts that they connected themselves")
    return account


async def _make_another_primary(session: AsyncSession) -> None:
    oldest = (
        select(AccountRow.id)
        .where(AccountRow.status == AccountStatus.ACTIVE)
        .order_by(AccountRow.id)
        .limit(1)
    )
    await session.execute(
        update(AccountRow).where(AccountRow.id == oldest.scalar_subquery()).values(is_primary=True)
    )


async def _counted(session: AsyncSession, accounts: Sequence[AccountRow]) -> list[CountedAccount]:
    rows = await session.execute(
        select(ActionRow.account_id, func.count().label("number"))
        .where(
            ActionRow.account_id.in_([account.id for account in accounts]),
            ActionRow.attempted_at > func.now() - DAY,
            ActionRow.status == ActionStatus.SENT,
        )
        .group_by(ActionRow.account_id)
    )
    sent = {row.account_id: row.number for row in rows}
    return [CountedAccount(row=a, sent_today=sent.get(a.id, 0)) for a in accounts]
