"""Connects an account at Bland, and hears what Bland tells of its calls."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from api.callers import Caller
from api.conducting import Conducting
from api.services.inbound import InboundService
from shared.bland_logins import BlandLogin, read_bland_login, store_bland_login
from shared.calls import CalledAccount, read_webhook_token
from shared.db.models import AccountRow
from shared.db.models.accounts import AccountStatus
from shared.db.repositories.wakings import ask_waking
from shared.db.session import Database
from shared.domain.channels import AccountKind
from shared.errors import AuthExpired, Conflict, Invalid, Misconfigured, NotAuthenticated
from shared.keyring import Keyring
from shared.providers.bland import BlandClient
from shared.providers.bland_reports import inbound_events, is_signed, read_webhook


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What a plan of Bland's lets an account do."""

    per_day: int
    per_hour: int
    at_once: int


# Source: Bland's page of plans, 2026-08-09.
ALLOWANCES = {
    "start": Allowance(per_day=100, per_hour=100, at_once=10),
    "build": Allowance(per_day=2_000, per_hour=1_000, at_once=50),
    "scale": Allowance(per_day=5_000, per_hour=1_000, at_once=100),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedLine:
    name: str
    api_key: str = field(repr=False)
    webhook_secret: str | None = field(repr=False)
    plan: str
    daily_limit: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlandDoor:
    """`open`: with a key. `secret`: of webhooks of accounts that have none of their own."""

    open: Callable[[str], BlandClient]
    secret: str | None = field(default=None, repr=False)


class PhoneLineService:
    """`bland` None: this gateway does not reach Bland."""

    def __init__(
        self,
        *,
        database: Database,
        keyring: Keyring,
        conducting: Conducting,
        inbound: InboundService,
        bland: BlandDoor | None,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._conducting = conducting
        self._inbound = inbound
        self._bland = bland

    async def connect(self, caller: Caller, asked: AskedLine) -> UUID:
        """Try the key, keep the account, and wake who has waited for a line.

        The same name again is the same account with a new key. Raises Invalid, Conflict and
        ProviderError.
        """
        if self._bland is None:
            raise Misconfigured("This gateway does not reach Bland: set DRUMBEAT_BLAND_ENDPOINT")
        try:
            await self._bland.open(asked.api_key).check()
        except AuthExpired:
            raise Invalid("Bland does not accept this key", field="api_key") from None
        company_id, user_id = caller.company_id, caller.person
        async with self._database.company_session(company_id, user_id=user_id) as session:
            account = await _keep(session, user_id, asked)
            await store_bland_login(
                session,
                self._keyring,
                BlandLogin(api_key=asked.api_key, webhook_secret=asked.webhook_secret),
                account_id=account.id,
                user_id=user_id,
                company_id=company_id,
            )
            waking = await ask_waking(session, account_id=account.id, parked=True)
        await self._conducting.wake_many(waking)
        return account.id

    async def hear(self, token: str, signature: str | None, body: bytes) -> bool:
        """Take in what Bland tells. True: it was new. Raises unless Bland has signed it."""
        account = read_webhook_token(self._keyring, token)
        if account is None:
            raise NotAuthenticated("This address was not made here: use the one of the call")
        if not is_signed(await self._secret_of(account), body, signature):
            raise NotAuthenticated("The signature is not Bland's: check the webhook secret")
        report = read_webhook(body)
        if report is None:
            return False
        events = inbound_events(
            report,
            company_id=account.company_id,
            account_id=account.account_id,
            now=datetime.now(UTC),
        )
        # All of them, in their order.
        news = [await self._inbound.receive(event) for event in events]
        return any(news)

    async def _secret_of(self, account: CalledAccount) -> str:
        """Raises NotAuthenticated for an account that is gone, Misconfigured without a secret."""
        async with self._database.company_session(account.company_id) as session:
            row = await session.get(AccountRow, account.account_id)
        if row is None:
            raise NotAuthenticated("The account of this call is not there any more")
        try:
            login = await read_bland_login(
                self._database,
                self._keyring,
                company_id=account.company_id,
                account_id=account.account_id,
                user_id=row.user_id,
            )
        except AuthExpired:
            # Disconnected meanwhile: what was said is heard all the same.
            login = None
        own = login.webhook_secret if login else None
        secret = own or (self._bland.secret if self._bland else None)
        if secret is None:
            raise Misconfigured(
                "Nobody may tell of calls here: set DRUMBEAT_BLAND_WEBHOOK_SECRET, or give the"
                " account a webhook_secret"
            )
        return secret


async def _keep(session: AsyncSession, user_id: UUID, asked: AskedLine) -> AccountRow:
    """A new account, or the old one awake again."""
    account = await session.scalar(
        select(AccountRow)
        .where(AccountRow.user_id == user_id, AccountRow.email == asked.name)
        .with_for_update()
    )
    if account is None:
        account = AccountRow(
            id=uuid7(), user_id=user_id, kind=AccountKind.BLAND, email=asked.name, daily_limit=None
        )
        session.add(account)
    elif account.kind is not AccountKind.BLAND:
        raise Conflict(f"{asked.name} is an account of another kind: choose another name")
    allowance = ALLOWANCES[asked.plan]
    account.status, account.status_reason = AccountStatus.ACTIVE, None
    account.daily_ceiling = allowance.per_day
    account.daily_limit = allowance.per_day if asked.daily_limit is None else asked.daily_limit
    paced = {"per_hour": allowance.per_hour, "at_once": allowance.at_once}
    account.limits = {**(account.limits or {}), **paced}
    await session.flush()
    return account
