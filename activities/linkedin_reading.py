"""Reads accounts of LinkedIn for what a webhook did not tell: answers, and accepted invitations."""

import asyncio
import logging
from collections import defaultdict
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from activities.actions import take_down
from activities.linkedin_accounts import LinkedInAccounts, OpenAccount
from shared.conductor import Conductor
from shared.db.session import Database
from shared.errors import AccountRefused, AuthExpired, ProviderError
from shared.inbound import receive_inbound
from shared.keyring import Keyring
from shared.linkedin_news import accepted_event, message_event
from shared.tokens import AccountRef

log = logging.getLogger(__name__)

# Messages come out of Unipile's own store. Connections are asked of LinkedIn, which counts that.
CONNECTIONS_EVERY = timedelta(hours=1)
# Between LinkedIn's clock and ours, and for what is listed late. What is read twice is known.
OVERLAP = timedelta(minutes=15)

_USER = text("select user_id from accounts where id = :id and status = 'active'")
_IS_WAITING = text("""
select exists (select from actions where account_id = :account_id
  and activity = 'linkedin.invite' and status in ('sent', 'reserved', 'unconfirmed', 'skipped')
  and not outcomes ? 'connected' and attempted_at > :since)
""")
# An invitation is withdrawn long before.
_LONGEST_PENDING = timedelta(days=120)
_POLLED = text("update accounts set last_polled_at = greatest(last_polled_at, :at) where id = :id")
_MESSAGES_READ = text(
    "update linkedin_accounts set messages_read_at = greatest(messages_read_at, :at)"
    " where account_id = :id"
)
_CONNECTIONS_READ = text(
    "update linkedin_accounts set connections_read_at = greatest(connections_read_at, :at)"
    " where account_id = :id"
)


class LinkedInReader:
    def __init__(
        self,
        *,
        database: Database,
        accounts: LinkedInAccounts,
        keyring: Keyring,
        conductor: Conductor,
    ) -> None:
        self._database = database
        self._accounts = accounts
        self._keyring = keyring
        self._conductor = conductor
        self._turns: defaultdict[UUID, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def look(self, account: AccountRef, at: datetime, *, older_than: timedelta) -> None:
        """Read the messages, unless somebody has lately. Raises ProviderError."""
        async with self._turns[account.account_id]:
            opened = await self._accounts.open(account)
            polled_at = opened.row.last_polled_at
            if polled_at is None or at - polled_at > older_than:
                await self._read_messages(opened, at)

    async def poll(self, company_id: UUID, account_id: UUID, at: datetime) -> None:
        """Read the account once; one that cannot be read is marked for a person."""
        if not self._accounts.is_open:
            return
        async with self._turns[account_id]:
            account = await self._find(company_id, account_id)
            if account is None:
                return
            try:
                opened = await self._accounts.open(account)
                await self._read_messages(opened, at)
                await self._read_connections(opened, at)
            except (AuthExpired, AccountRefused) as error:
                async with self._database.company_transaction(company_id) as connection:
                    await take_down(connection, account_id, reason=str(error))
            except ProviderError as error:
                name = type(error).__name__
                log.warning("linkedin.unread", extra={"account_id": account_id, "error": name})

    async def _read_messages(self, opened: OpenAccount, at: datetime) -> None:
        since = (opened.row.messages_read_at or opened.row.connected_at) - OVERLAP
        # The oldest first, so that a conversation is told in its order.
        for message in reversed(await opened.client.messages(opened.name, since)):
            if not message.is_ours:
                event = message_event(
                    opened.ref.company_id,
                    opened.ref.account_id,
                    message_id=message.id,
                    chat_id=message.chat_id,
                    member_id=message.sender_id,
                    text=message.text,
                    at=message.at,
                )
                await receive_inbound(self._database, self._keyring, self._conductor, event)
        async with self._database.company_transaction(opened.ref.company_id) as connection:
            done = {"id": opened.ref.account_id, "at": at}
            await connection.execute(_MESSAGES_READ, done)
            await connection.execute(_POLLED, done)

    async def _read_connections(self, opened: OpenAccount, at: datetime) -> None:
        """While somebody has an invitation of ours, and not as often as messages."""
        read_at = opened.row.connections_read_at
        if read_at is not None and at - read_at < CONNECTIONS_EVERY:
            return
        asked = {"account_id": opened.ref.account_id, "since": at - _LONGEST_PENDING}
        async with self._database.company_transaction(opened.ref.company_id) as connection:
            if not await connection.scalar(_IS_WAITING, asked):
                return
        since = (read_at or opened.row.connected_at) - OVERLAP
        for connection_ in reversed(await opened.client.connections(opened.name, since)):
            event = accepted_event(
                opened.ref.company_id,
                opened.ref.account_id,
                member_id=connection_.member_id,
                at=connection_.since,
            )
            await receive_inbound(self._database, self._keyring, self._conductor, event)
        async with self._database.company_transaction(opened.ref.company_id) as connection:
            done = {"id": opened.ref.account_id, "at": at}
            await connection.execute(_CONNECTIONS_READ, done)

    async def _find(self, company_id: UUID, account_id: UUID) -> AccountRef | None:
        async with self._database.company_transaction(company_id) as connection:
            user_id = await connection.scalar(_USER, {"id": account_id})
        if user_id is None:
            return None
        return AccountRef(company_id=company_id, account_id=account_id, user_id=user_id)
