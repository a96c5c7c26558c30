"""Reads mailboxes for answers: an endless round over a shard of accounts, and one last look."""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

from sqlalchemy import text
from temporalio import activity

from activities.actions import take_down
from activities.clock import now
from activities.mailboxes import Mailboxes
from shared.conductor import Conductor
from shared.contracts.inbound import InboundEvent
from shared.contracts.operations import InboxShard
from shared.db.session import Database
from shared.domain.inbound import InboundKind
from shared.errors import AccountRefused, AuthExpired, Gone, ProviderError
from shared.inbound import receive_inbound
from shared.keyring import Keyring
from shared.providers.gmail import GmailClient, RawMail
from shared.providers.received import Kind, Received, classify, read, return_at
from shared.tokens import AccountRef

log = logging.getLogger(__name__)

READ_AT_ONCE = 10
ROUND_SECONDS = 300
PASSED_OVER = frozenset({"DRAFT", "SENT", "CHAT"})
KINDS = {
    Kind.REPLY: InboundKind.REPLY,
    Kind.AUTO_REPLY: InboundKind.AUTO_REPLY,
    Kind.BOUNCE_HARD: InboundKind.BOUNCE,
    Kind.BOUNCE_SOFT: InboundKind.SOFT_BOUNCE,
    Kind.UNSUBSCRIBE: InboundKind.UNSUBSCRIBE,
}

_TO_POLL = text("select company_id, id from accounts_to_poll(:shard, :shards)")
_ACCOUNT = text(
    "select user_id, email, history_id, last_polled_at from accounts"
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
    email: str
    history_id: str | None
    last_polled_at: datetime | None


class MailboxReader:
    """Finds what is new in one mailbox and hands it to the door for what comes back."""

    def __init__(
        self, *, database: Database, mailboxes: Mailboxes, keyring: Keyring, conductor: Conductor
    ) -> None:
        self._database = database
        self._mailboxes = mailboxes
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
        client = self._mailboxes.open(mailbox.account)
        if mailbox.history_id is None:
            await self._note(mailbox, await client.latest_history_id(), at)
            return
        try:
            ids, history_id = await client.new_since(mailbox.history_id)
        except Gone:
            ids, history_id = await _everything_since(client, mailbox.last_polled_at or at)
        for message_id in await self._unknown(mailbox, ids):
            await self._take_in(client, mailbox, message_id)
        await self._note(mailbox, history_id, at)

    async def _take_in(self, client: GmailClient, mailbox: _Mailbox, message_id: str) -> None:
        try:
            mail = await client.get_mail(message_id)
        except Gone:
            return
        if mail.label_ids & PASSED_OVER:
            return
        received = read(mail.raw)
        if received.key or received.sender.lower() == mailbox.email.lower():
            return
        event = _to_event(mailbox.account, mail, received)
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

    async def _find(self, company_id: UUID, account_id: UUID) -> _Mailbox | None:
        async with self._database.company_transaction(company_id) as connection:
            row = (await connection.execute(_ACCOUNT, {"id": account_id})).one_or_none()
        if row is None:
            return None
        account = AccountRef(company_id=company_id, account_id=account_id, user_id=row.user_id)
        return _Mailbox(
            account=account,
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
    def __init__(self, *, database: Database, reader: MailboxReader, poll_seconds: float) -> None:
        self._database = database
        self.reader = reader
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

    async def go_round(self, shard: InboxShard, at: datetime) -> None:
        """Read every mailbox of the shard once."""
        async with self._database.outside_session() as session:
            found = await session.execute(_TO_POLL, {"shard": shard.number, "shards": shard.of})
            accounts = found.all()
        gate = asyncio.Semaphore(READ_AT_ONCE)
        async with asyncio.TaskGroup() as group:
            for row in accounts:
                group.create_task(self._poll_one(row.company_id, row.id, at, gate))

    async def _poll_one(
        self, company_id: UUID, account_id: UUID, at: datetime, gate: asyncio.Semaphore
    ) -> None:
        async with gate:
            activity.heartbeat()
            await self.reader.poll(company_id, account_id, at)

    async def _rest(self) -> None:
        """Wait for the next round, heard by Temporal, but not while the worker wants to stop."""
        until = monotonic() + self._poll_seconds
        while (left := until - monotonic()) > 0:
            activity.heartbeat()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(activity.wait_for_worker_shutdown(), min(left, 3))
                return


async def _everything_since(client: GmailClient, since: datetime) -> tuple[list[str], str]:
    """What history no longer tells. The new history id comes first, so that nothing is missed."""
    history_id = await client.latest_history_id()
    earliest = int((since - timedelta(days=1)).timestamp())
    newest_first = await client.list_mail(f"after:{earliest}")
    return newest_first[::-1], history_id


def _to_event(account: AccountRef, mail: RawMail, received: Received) -> InboundEvent:
    kind = classify(received)
    is_away = kind is Kind.AUTO_REPLY
    return InboundEvent(
        company_id=account.company_id,
        account_id=account.account_id,
        provider="gmail",
        provider_event_id=mail.id,
        kind=KINDS[kind],
        occurred_at=mail.internal_at,
        thread_id=mail.thread_id,
        message_ids=_answers(received),
        address=received.sender.lower(),
        subject=received.subject,
        text=received.reply_text,
        returns_at=return_at(received, mail.internal_at) if is_away else None,
        is_kept_unmatched=False,
    )


def _answers(received: Received) -> tuple[str, ...]:
    """The Message-IDs of ours that it may answer, nearest first."""
    reported = received.report.message_ids if received.report else ()
    replied = (received.in_reply_to,) if received.in_reply_to else ()
    return tuple(dict.fromkeys((*reported, *replied, *reversed(received.references))))
