"""What providers tell by themselves: that a mailbox has something new. It is read from there."""

from uuid import UUID

from sqlalchemy import text

from api.conducting import Conducting
from api.push_tokens import PushTokens
from shared.contracts.operations import MailboxOrder
from shared.db.session import Database
from shared.errors import Misconfigured

_ACCOUNTS = text("select company_id, id from accounts_of_address(:address)")
_READ_UP_TO = text("select history_id from accounts where id = :id")


class PushService:
    def __init__(
        self, *, database: Database, conducting: Conducting, tokens: PushTokens | None
    ) -> None:
        self._database = database
        self._conducting = conducting
        self._tokens = tokens

    async def check(self, token: str | None) -> None:
        """Raises unless Google's Pub/Sub has sent it for us."""
        if self._tokens is None:
            raise Misconfigured(
                "Nobody may push here: set DRUMBEAT_PUBSUB_AUDIENCE and"
                " DRUMBEAT_PUBSUB_SERVICE_ACCOUNT"
            )
        await self._tokens.check(token)

    async def ring(self, address: str, history_id: int) -> int:
        """Have every mailbox of this address read that was not read so far; how many those are.

        Raises when Temporal cannot be told, so that Pub/Sub calls again. A mailbox that somebody
        has connected in two companies is read for both.
        """
        async with self._database.outside_session() as session:
            found = await session.execute(_ACCOUNTS, {"address": address.strip().lower()})
            accounts = found.all()
        rung = 0
        for row in accounts:
            if await self._is_behind(row.company_id, row.id, history_id):
                order = MailboxOrder(company_id=row.company_id, account_id=row.id)
                await self._conducting.conductor.look(order)
                rung += 1
        return rung

    async def _is_behind(self, company_id: UUID, account_id: UUID, history_id: int) -> bool:
        """A message that comes again, or late, tells nothing new."""
        async with self._database.company_transaction(company_id) as connection:
            position = await connection.scalar(_READ_UP_TO, {"id": account_id})
        return position is None or not position.isdigit() or int(position) < history_id
