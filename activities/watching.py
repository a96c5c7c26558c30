"""Has Gmail tell us of new mails (Pub/Sub), and renews that before it expires."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from temporalio import activity

from activities.mailboxes import Mailboxes
from shared.db.session import Database
from shared.errors import ProviderError
from shared.providers.gmail import GmailClient
from shared.tokens import AccountRef

log = logging.getLogger(__name__)

# Gmail watches for seven days: what has less than six left was not renewed today.
RENEWED_BELOW = timedelta(days=6)

_TO_WATCH = text("select company_id, id from accounts_to_watch(:before)")
_USER = text("select user_id from accounts where id = :id and status = 'active'")
_WATCHED = text("update accounts set watched_until = :until where id = :id")


class WatchActivities:
    """`topic` None: nobody listens, and the rounds read the mailboxes."""

    def __init__(self, *, database: Database, mailboxes: Mailboxes, topic: str | None) -> None:
        self._database = database
        self._mailboxes = mailboxes
        self._topic = topic

    @activity.defn(name="mailboxes.watch")
    async def renew(self) -> int:
        """Renew what was not renewed today; answers how many were."""
        if self._topic is None:
            return 0
        before = datetime.now(UTC) + RENEWED_BELOW
        async with self._database.outside_session() as session:
            accounts = (await session.execute(_TO_WATCH, {"before": before})).all()
        renewed = 0
        for row in accounts:
            activity.heartbeat()
            renewed += await self._try(row, self._topic)
        return renewed

    async def _try(self, row: Row[Any], topic: str) -> bool:
        account = await self._find(row.company_id, row.id)
        if account is None:
            return False
        client: GmailClient = self._mailboxes.open(account)
        try:
            until = await client.watch(topic)
        except ProviderError as error:
            # It is read by the rounds until the next attempt, an hour later.
            log.warning(
                "mailbox.unwatched", extra={"account_id": row.id, "error": type(error).__name__}
            )
            return False
        async with self._database.company_transaction(row.company_id) as connection:
            await connection.execute(_WATCHED, {"id": row.id, "until": until})
        return True

    async def _find(self, company_id: UUID, account_id: UUID) -> AccountRef | None:
        async with self._database.company_transaction(company_id) as connection:
            user_id = await connection.scalar(_USER, {"id": account_id})
        if user_id is None:
            return None
        return AccountRef(company_id=company_id, account_id=account_id, user_id=user_id)
