"""Deletes the drafts that an attempt made and nobody came to own: it died before it kept them."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from temporalio import activity

from activities.clock import now
from activities.mailboxes import Mailboxes
from shared.db.session import Database
from shared.errors import Gone, ProviderError
from shared.providers.gmail import GmailClient
from shared.providers.mime import key_of
from shared.tokens import AccountRef

log = logging.getLogger(__name__)

# Older than any attempt that may still keep it.
UNTOUCHED = timedelta(hours=1)
TIDIED_AT_ONCE = 10
# Private drafts that are remembered per mailbox; beyond that they are looked at again.
MOST_REMEMBERED = 5_000

_TO_TIDY = text("select company_id, id from accounts_to_poll(0, 1)")
_USER = text("select user_id from accounts where id = :id and status = 'active'")
_OWNED = text(
    "select draft_id from actions where account_id = :account_id and draft_id = any (:ids)"
    " and status in ('reserved', 'unconfirmed')"
)


class TidyingActivities:
    """A draft of a person is opened once, to see that it bears no key of ours, and left alone."""

    def __init__(self, *, database: Database, mailboxes: Mailboxes) -> None:
        self._database = database
        self._mailboxes = mailboxes
        self._foreign: defaultdict[UUID, set[str]] = defaultdict(set)

    @activity.defn(name="drafts.tidy")
    async def tidy(self) -> int:
        """Go through every connected mailbox; answers how many drafts were deleted."""
        async with self._database.outside_session() as session:
            accounts = (await session.execute(_TO_TIDY)).all()
        gate = asyncio.Semaphore(TIDIED_AT_ONCE)
        async with asyncio.TaskGroup() as group:
            tidied = [
                group.create_task(self._tidy_one(row.company_id, row.id, gate)) for row in accounts
            ]
        return sum(task.result() for task in tidied)

    async def tidy_mailbox(self, account: AccountRef, at: datetime) -> int:
        """Delete what is ours, is nobody's, and has lain there for an hour."""
        client = self._mailboxes.open(account)
        listed = [draft.id for draft in await client.list_drafts()]
        foreign = self._foreign[account.account_id]
        foreign &= set(listed)
        if len(foreign) > MOST_REMEMBERED:
            foreign.clear()
        unknown = [draft_id for draft_id in listed if draft_id not in foreign]
        owned = await self._owned(account, unknown)
        deleted = 0
        for draft_id in unknown:
            if draft_id not in owned:
                deleted += await self._delete_if_ours(client, draft_id, foreign, at)
        return deleted

    async def _delete_if_ours(
        self, client: GmailClient, draft_id: str, foreign: set[str], at: datetime
    ) -> bool:
        try:
            draft = await client.get_draft(draft_id)
        except Gone:
            return False
        if key_of(draft.raw) is None:
            foreign.add(draft_id)
            return False
        return at - draft.internal_at > UNTOUCHED and await client.delete_draft(draft_id)

    async def _tidy_one(self, company_id: UUID, account_id: UUID, gate: asyncio.Semaphore) -> int:
        async with gate:
            activity.heartbeat()
            account = await self._find(company_id, account_id)
            return await self._try(account, now()) if account else 0

    async def _try(self, account: AccountRef, at: datetime) -> int:
        try:
            return await self.tidy_mailbox(account, at)
        except ProviderError as error:
            # A mailbox that cannot be reached now is tidied an hour later.
            name = type(error).__name__
            log.warning("mailbox.untidied", extra={"account_id": account.account_id, "error": name})
            return 0

    async def _owned(self, account: AccountRef, ids: Sequence[str]) -> set[str]:
        if not ids:
            return set()
        async with self._database.company_transaction(account.company_id) as connection:
            asked = {"account_id": account.account_id, "ids": list(ids)}
            return set(await connection.scalars(_OWNED, asked))

    async def _find(self, company_id: UUID, account_id: UUID) -> AccountRef | None:
        async with self._database.company_transaction(company_id) as connection:
            user_id = await connection.scalar(_USER, {"id": account_id})
        if user_id is None:
            return None
        return AccountRef(company_id=company_id, account_id=account_id, user_id=user_id)
