"""Reads mailboxes for answers: an endless round over a shard of accounts, and one last look."""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

from sqlalchemy import text
from temporalio import activity

from activities.actions import take_down
from activities.clock import now
from activities.incoming import list_team, to_event
from activities.linkedin_reading import LinkedInReader
from activities.mailboxes import Mailboxes, Postboxes, to_raw_mail
from shared.conductor import Conductor
from shared.contracts.operations import InboxShard, MailboxOrder
from shared.db.session import Database
from shared.domain.channels import AccountKind
from shared.errors import AccountRefused, AuthExpired, Gone, Misconfigured, ProviderError
from shared.inbound import receive_inbound
from shared.keyring import Keyring
from shared.providers.gmail import GmailClient, RawMail
from shared.providers.received import read
from shared.tokens import AccountRef

log = logging.getLogger(__name__)

READ_AT_ONCE = 10
ROUND_SECONDS = 300
BEAT_SECONDS = 3
PASSED_OVER = frozenset({"DRAFT", "SENT", "CHAT"})

_TO_POLL = text(
    "select company_id, id from accounts_to_poll(:shard, :shards)"
    " union all select company_id, id from imap_accounts_to_poll(:shard, :shards)"
)
_LINKEDIN_TO_POLL = text("select company_id, id from linkedin_accounts_to_poll(:shard, :shards)")
_ACCOUNT = text(
    "select user_id, kind, email, history_id, last_polled_at from accounts"
    " where id = :id and status = 'active'"
)
_KNOWN = text("""
select provider_id from actions where account_id = :account_id and provider_id = any (:ids)
union all
select provider_event_id from inbound_events
where account_id = :account_id and provider_event_id = any (:ids)
""")
_POLLED = text(
    "update accounts set history_id = :history_id,"
    " last_polled_at = greatest(last_polled_at, :at) where id = :id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mailbox:
    account: AccountRef
    kind: str
    email: str
    history_id: str | None
    last_polled_at: datetime | None


class MailboxReader:
    """Finds what is new in one mailbox and hands it to the door for what comes back."""

    def __init__(
        self,
        *,
        database: Database,
        mailboxes: Mailboxes,
        postboxes: Postboxes,
        keyring: Keyring,
        conductor: Conductor,
    ) -> None:
        self._database = database
        self._mailboxes = mailboxes
        self._postboxes = postboxes
        self._keyring = keyring
        self._conductor = conductor
        self._turns: defaultdict[UUID, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def look(self, account: AccountRef, at: datetime, *, older_than: timedelta) -> None:
        """Read the mailbox, unless somebody has while we waited for our turn."""
        async with self._turns[account.account_id]:
            mailbox = await self._find(account.company_id, account.account_id)
            if mailbox is None:
                return
            polled_at = mailbox.last_polled_at
            if polled_at is None or at - polled_at > older_than:
                await self._read(mailbox, at)

    async def poll(self, company_id: UUID, account_id: UUID, at: datetime) -> None:
        """Read the mailbox once; an account that cannot be read is marked for a person."""
        async with self._turns[account_id]:
            mailbox = await self._find(company_id, account_id)
            if mailbox is None:
                return
            try:
                await self._read(mailbox, at)
            except (AuthExpired, AccountRefused) as error:
                async with self._database.company_transaction(company_id) as connection:
                    await take_down(connection, account_id, reason=str(error))
            except ProviderError as error:
                name = type(error).__name__
                log.warning("mailbox.unread", extra={"account_id": account_id, "error": name})

    async def _read(self, mailbox: _Mailbox, at: datetime) -> None:
        if mailbox.kind == AccountKind.SMTP:
            await self._read_imap(mailbox, at)
            return
        client = self._mailboxes.open(mailbox.account)
        if mailbox.history_id is None:
            await self._note(mailbox, await client.latest_history_id(), at)
            return
        try:
            ids, history_id = await client.new_since(mailbox.history_id)
        except Gone:
            ids, history_id = await _everything_since(client, mailbox.last_polled_at or at)
        if new := await self._unknown(mailbox, ids):
            team = await self._team(mailbox)
            for message_id in new:
                await self._take_in(client, mailbox, message_id, team)
        await self._note(mailbox, history_id, at)

    async def _read_imap(self, mailbox: _Mailbox, at: datetime) -> None:
        is_all, position = False, mailbox.history_id
        while not is_all:
            client = await self._postboxes.open(mailbox.account)
            since = mailbox.last_polled_at or at
            arrivals = await client.new_since(position, since=since)
            mails = {mail.id: mail for mail in map(to_raw_mail, arrivals.mails)}
            if new := await self._unknown(mailbox, list(mails)):
                team = await self._team(mailbox)
                for mail_id in new:
                    await self._receive(mailbox, mails[mail_id], team, provider="imap")
            is_all, position = arrivals.is_all, arrivals.position
            await self._note(mailbox, position, at if is_all else since)

    async def _take_in(
        self, client: GmailClient, mailbox: _Mailbox, message_id: str, team: frozenset[str]
    ) -> None:
        try:
            mail = await client.get_mail(message_id)
        except Gone:
            return
        if not mail.label_ids & PASSED_OVER:
            await self._receive(mailbox, mail, team, provider="gmail")

    async def _receive(
        self, mailbox: _Mailbox, mail: RawMail, team: frozenset[str], *, provider: str
    ) -> None:
        received = read(mail.raw)
        if received.key or received.sender.lower() == mailbox.email.lower():
            return
        event = to_event(mailbox.account, mail, received, provider, team)
        await receive_inbound(self._database, self._keyring, self._conductor, event)

    async def _unknown(self, mailbox: _Mailbox, ids: Sequence[str]) -> list[str]:
        if not ids:
            return []
        account = mailbox.account
        async with self._database.company_transaction(account.company_id) as connection:
            known = set(
                await connection.scalars(
                    _KNOWN, {"account_id": account.account_id, "ids": list(ids)}
                )
            )
        return [message_id for message_id in dict.fromkeys(ids) if message_id not in known]

    async def _team(self, mailbox: _Mailbox) -> frozenset[str]:
        async with self._database.company_transaction(mailbox.account.company_id) as connection:
            return await list_team(connection)

    async def _find(self, company_id: UUID, account_id: UUID) -> _Mailbox | None:
        async with self._database.company_transaction(company_id) as connection:
            row = (await connection.execute(_ACCOUNT, {"id": account_id})).one_or_none()
        if row is None:
            return None
        account = AccountRef(company_id=company_id, account_id=account_id, user_id=row.user_id)
        return _Mailbox(
            account=account,
            kind=row.kind,
            email=row.email,
            history_id=row.history_id,
            last_polled_at=row.last_polled_at,
        )

    async def _note(self, mailbox: _Mailbox, history_id: str, at: datetime) -> None:
        account = mailbox.account
        async with self._database.company_transaction(account.company_id) as connection:
            await connection.execute(
                _POLLED, {"id": account.account_id, "history_id": history_id, "at": at}
            )


class InboxActivities:
    def __init__(
        self,
        *,
        database: Database,
        reader: MailboxReader,
        poll_seconds: float,
        linkedin: LinkedInReader | None = None,
    ) -> None:
        self._database = database
        self.reader = reader
        self.linkedin = linkedin
        self._poll_seconds = poll_seconds

    @activity.defn(name="inbox.poll")
    async def poll(self, shard: InboxShard) -> int:
        """Go round the shard's mailboxes for some minutes; answers how many rounds it made."""
        rounds, started = 0, monotonic()
        while monotonic() - started < ROUND_SECONDS and not activity.is_worker_shutdown():
            # The activity's own clock stands still while it runs.
            at = now() + timedelta(seconds=monotonic() - started)
            await self.go_round(shard, at)
            rounds += 1
            await self._rest()
        return rounds

    @activity.defn(name="inbox.look")
    async def look(self, order: MailboxOrder) -> None:
        """Read one mailbox now. What goes wrong is the next round's."""
        await self.reader.poll(order.company_id, order.account_id, now())

    async def go_round(self, shard: InboxShard, at: datetime) -> None:
        """Read every mailbox of the shard once."""
        async with self._database.outside_session() as session:
            found = await session.execute(_TO_POLL, {"shard": shard.number, "shards": shard.of})
            accounts = found.all()
            linkedin = await session.execute(
                _LINKEDIN_TO_POLL, {"shard": shard.number, "shards": shard.of}
            )
            members = linkedin.all()
        gate = asyncio.Semaphore(READ_AT_ONCE)
        beating = asyncio.create_task(_beat())
        try:
            async with asyncio.TaskGroup() as group:
                for row in accounts:
                    group.create_task(self._poll_one(row.company_id, row.id, at, gate))
                for row in members:
                    group.create_task(self._poll_member(row.company_id, row.id, at, gate))
        finally:
            beating.cancel()

    async def _poll_one(
        self, company_id: UUID, account_id: UUID, at: datetime, gate: asyncio.Semaphore
    ) -> None:
        async with gate, _one_of_many(account_id):
            await self.reader.poll(company_id, account_id, at)

    async def _poll_member(
        self, company_id: UUID, account_id: UUID, at: datetime, gate: asyncio.Semaphore
    ) -> None:
        if self.linkedin is not None:
            async with gate, _one_of_many(account_id):
                await self.linkedin.poll(company_id, account_id, at)

    async def _rest(self) -> None:
        """Wait for the next round, heard by Temporal, but not while the worker wants to stop."""
        until = monotonic() + self._poll_seconds
        while (left := until - monotonic()) > 0:
            activity.heartbeat()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(activity.wait_for_worker_shutdown(), min(left, 3))
                return


@contextlib.asynccontextmanager
async def _one_of_many(account_id: UUID) -> AsyncIterator[None]:
    """An account whose secrets this installation cannot open must not hold up the others."""
    try:
        yield
    except Misconfigured:
        log.exception("inbox.cannot_open %s", account_id)


async def _beat() -> None:
    """One server that takes its time must not look like a worker that died."""
    while True:
        activity.heartbeat()
        await asyncio.sleep(BEAT_SECONDS)


async def _everything_since(client: GmailClient, since: datetime) -> tuple[list[str], str]:
    """What history no longer tells. The new history id comes first, so that nothing is missed."""
    history_id = await client.latest_history_id()
    earliest = int((since - timedelta(days=1)).timestamp())
    newest_first = await client.list_mail(f"after:{earliest}")
    return newest_first[::-1], history_id
