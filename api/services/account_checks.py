"""Whether an account is fit to send: its domain, what it may do, and when it was last read."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from api.callers import Caller
from api.mail_dns import DomainFindings, Finding, Resolver, look_at_domain
from api.services.accounts import AccountService, CountedAccount
from shared.db.models.accounts import AccountRow, AccountStatus, MailLoginRow
from shared.db.session import Database
from shared.domain.channels import MAIL_KINDS, AccountKind
from shared.providers.google_oauth import missing_scopes, reason_for_missing
from shared.providers.mail_hosts import HOSTS

LATE = timedelta(minutes=15)
GOOGLE_SELECTORS = ("google", "20230601")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scopes:
    is_ok: bool
    granted: tuple[str, ...]
    missing: tuple[str, ...]
    remedy: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """`ceiling`: the provider's own for a day, where we know it. `left`: None without a limit."""

    daily_limit: int | None
    ceiling: int | None
    sent_today: int
    left: int | None
    blocked_until: datetime | None
    block_reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastPoll:
    is_ok: bool
    at: datetime | None
    remedy: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountCheck:
    domain: str
    status: AccountStatus
    status_reason: str | None
    dns: DomainFindings
    scopes: Scopes
    quota: Quota
    last_poll: LastPoll
    checked_at: datetime

    @property
    def is_ok(self) -> bool:
        found: list[Finding] = [self.dns.mx, self.dns.spf, self.dns.dkim, self.dns.dmarc]
        is_fit = self.scopes.is_ok and self.last_poll.is_ok
        return self.status is AccountStatus.ACTIVE and is_fit and all(it.is_ok for it in found)


class AccountCheckService:
    def __init__(self, *, database: Database, accounts: AccountService, resolver: Resolver) -> None:
        self._database = database
        self._accounts = accounts
        self._resolver = resolver

    async def check(self, caller: Caller, account_id: UUID) -> AccountCheck:
        """Ask DNS now; the rest is what our rows say. Raises NotFound."""
        account = await self._accounts.get(caller, account_id)
        row, now = account.row, datetime.now(UTC)
        domain = (row.send_as or row.email).rpartition("@")[2].partition("/")[0].lower()
        selectors = await self._selectors(row)
        return AccountCheck(
            domain=domain,
            status=row.status,
            status_reason=row.status_reason,
            dns=await self._domain(row, domain, selectors),
            scopes=_scopes(row),
            quota=_quota(account),
            last_poll=_last_poll(row, now),
            checked_at=now,
        )

    async def _domain(
        self, row: AccountRow, domain: str, selectors: tuple[str, ...]
    ) -> DomainFindings:
        if row.kind not in MAIL_KINDS:
            # No mail comes from it.
            fine = Finding(is_ok=True)
            return DomainFindings(mx=fine, spf=fine, dkim=fine, dmarc=fine)
        return await look_at_domain(self._resolver, domain, selectors=selectors)

    async def _selectors(self, row: AccountRow) -> tuple[str, ...]:
        if row.kind is AccountKind.GMAIL:
            return GOOGLE_SELECTORS
        async with self._database.company_session(row.company_id, user_id=row.user_id) as session:
            account_type = await session.scalar(
                select(MailLoginRow.account_type).where(MailLoginRow.account_id == row.id)
            )
        host = HOSTS.get(account_type or "")
        return host.selectors if host else ()


def _scopes(row: AccountRow) -> Scopes:
    missing = missing_scopes(row.scopes) if row.kind is AccountKind.GMAIL else ()
    remedy = reason_for_missing(row.scopes) if missing else None
    return Scopes(
        is_ok=not missing, granted=tuple(row.scopes), missing=tuple(missing), remedy=remedy
    )


def _quota(account: CountedAccount) -> Quota:
    row = account.row
    limits = (row.daily_limit, row.daily_ceiling)
    limit = min((it for it in limits if it is not None), default=None)
    return Quota(
        daily_limit=row.daily_limit,
        ceiling=row.daily_ceiling,
        sent_today=account.sent_today,
        left=None if limit is None else max(0, limit - account.sent_today),
        blocked_until=row.blocked_until,
        block_reason=row.block_reason,
    )


def _last_poll(row: AccountRow, now: datetime) -> LastPoll:
    remedy = None
    if row.kind is AccountKind.BLAND:
        # Its calls are told of, or asked for one by one.
        return LastPoll(is_ok=True, at=None, remedy=None)
    if row.last_polled_at is None:
        remedy = "It was never read for answers: see that a worker for the queue `ops` is running."
    elif now - row.last_polled_at > LATE:
        remedy = "It was not read for a while: see `status_reason`, and that a worker is running."
    return LastPoll(is_ok=remedy is None, at=row.last_polled_at, remedy=remedy)
