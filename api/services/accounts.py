"""Connected identities: listed, changed, disconnected."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.callers import Caller, Permission
from api.conducting import Conducting
from api.services.pacing import OF_ACCOUNTS, change_limits
from api.services.versions import must_match
from shared.contracts.operations import WakingOrder
from shared.db.models import (
    AccountRow,
    AccountTokenRow,
    ActionRow,
    ActionStatus,
    BlandLoginRow,
    LinkedInAccountRow,
    MailLoginRow,
)
from shared.db.models.accounts import AccountStatus
from shared.db.models.recipients import DRY_RUN
from shared.db.repositories.wakings import ask_waking
from shared.db.session import Database
from shared.domain.channels import MAIL_KINDS, AccountKind
from shared.domain.recipient import ActivityName
from shared.errors import Conflict, Invalid, Misconfigured, NotAllowed, NotFound
from shared.keyring import Keyring
from shared.providers.gmail_settings import Alias, GmailSettings
from shared.providers.google_oauth import GoogleOAuth
from shared.providers.unipile import UnipileClient
from shared.tokens import REFRESH_TOKEN, AccountRef

DAY = timedelta(days=1)
SettingsOf = Callable[[AccountRef], GmailSettings]


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedAccount:
    row: AccountRow
    sent_today: int

    @property
    def id(self) -> UUID:
        return self.row.id


class AccountService:
    """`google` None: this installation has no OAuth client, so nothing can be revoked there.

    `settings_of` opens what a person has set in Gmail; None for the same reason.
    """

    def __init__(
        self,
        *,
        database: Database,
        keyring: Keyring,
        google: GoogleOAuth | None,
        conducting: Conducting,
        settings_of: SettingsOf | None = None,
        unipile: UnipileClient | None = None,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._google = google
        self._conducting = conducting
        self._settings_of = settings_of
        self._unipile = unipile

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
        if alias := fields.get("send_as"):
            await self._must_be_usable(caller, account_id, alias)
        async with self._database.company_session(caller.company_id) as session:
            account = await _get_own(session, caller, account_id)
            must_match(account, expected)
            if fields.get("is_primary") and account.kind not in MAIL_KINDS:
                raise Conflict("Only a mailbox can be the primary account")
            if fields.get("is_primary"):
                await session.execute(update(AccountRow).values(is_primary=False))
            for name, value in change_limits(account, fields).items():
                setattr(account, name, value)
            await session.flush()
            await session.refresh(account)
            [counted] = await _counted(session, [account])
            waking = await _ask_waking(session, account_id, fields)
        await self._conducting.wake_many(waking)
        return counted

    async def resume(self, caller: Caller, account_id: UUID) -> CountedAccount:
        """Send from it again, and forget what it was paused for. Raises Conflict."""
        async with self._database.company_session(caller.company_id) as session:
            account = await _get_own(session, caller, account_id)
            if account.status is AccountStatus.DISCONNECTED:
                raise Conflict("The account is disconnected: connect it again")
            if account.status is AccountStatus.NEEDS_ATTENTION:
                account.trusted_from_at = await session.scalar(select(func.clock_timestamp()))
                account.status, account.status_reason = AccountStatus.ACTIVE, None
            await session.flush()
            [counted] = await _counted(session, [account])
            waking = await ask_waking(session, account_id=account_id, parked=True)
        await self._conducting.wake_many(waking)
        return counted

    async def list_aliases(self, caller: Caller, account_id: UUID) -> list[Alias]:
        """Whom a Gmail account may send as. Raises Conflict for another kind, ProviderError."""
        async with self._database.company_session(caller.company_id) as session:
            account = await _get_own(session, caller, account_id)
        if account.kind is not AccountKind.GMAIL:
            raise Conflict("Only Gmail tells of its aliases: another mailbox's server decides")
        if self._settings_of is None:
            raise Misconfigured("Set GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET to ask Gmail")
        ref = AccountRef(
            company_id=caller.company_id, account_id=account.id, user_id=account.user_id
        )
        return await self._settings_of(ref).aliases()

    async def _must_be_usable(self, caller: Caller, account_id: UUID, alias: str) -> None:
        """Gmail would put the account's own address in its place, without a word."""
        account = (await self.get(caller, account_id)).row
        if account.kind is not AccountKind.GMAIL or alias in {account.email, account.send_as}:
            return
        aliases = await self.list_aliases(caller, account_id)
        if not any(it.is_usable and it.email == alias for it in aliases):
            raise Invalid(
                "Google knows no such verified alias of this mailbox: add it in Gmail's settings",
                field="send_as",
            )

    async def disconnect(self, caller: Caller, account_id: UUID) -> None:
        """Stop sending at once, revoke at the provider, forget tokens and passwords.

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
        async with self._database.company_session(
            caller.company_id, user_id=account.user_id
        ) as session:
            for login in (MailLoginRow, BlandLoginRow):
                await session.execute(delete(login).where(login.account_id == account_id))
        await self._forget_at_linkedin(account)
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

    async def _forget_at_linkedin(self, account: AccountRow) -> None:
        """End the session that Unipile keeps. Raises ProviderError."""
        where = LinkedInAccountRow.account_id == account.id
        async with self._database.company_session(account.company_id) as session:
            provider_id = await session.scalar(select(LinkedInAccountRow.provider_id).where(where))
        if provider_id is None:
            return
        if self._unipile:
            await self._unipile.delete_account(provider_id)
        async with self._database.company_session(account.company_id) as session:
            await session.execute(delete(LinkedInAccountRow).where(where))

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


async def _ask_waking(
    session: AsyncSession, account_id: UUID, fields: Mapping[str, Any]
) -> WakingOrder | None:
    if not OF_ACCOUNTS & fields.keys():
        return None
    return await ask_waking(session, account_id=account_id, waiting=True)


async def _make_another_primary(session: AsyncSession) -> None:
    oldest = (
        select(AccountRow.id)
        .where(AccountRow.status == AccountStatus.ACTIVE, AccountRow.kind.in_(MAIL_KINDS))
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
            ActionRow.provider_id.is_distinct_from(DRY_RUN),
            # Of a LinkedIn account the limit of a day is about invitations.
            ActionRow.activity.is_distinct_from(ActivityName.LINKEDIN_MESSAGE),
        )
        .group_by(ActionRow.account_id)
    )
    sent = {row.account_id: row.number for row in rows}
    return [CountedAccount(row=a, sent_today=sent.get(a.id, 0)) for a in accounts]
