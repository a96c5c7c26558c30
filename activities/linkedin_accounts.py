"""Opens an account of LinkedIn: who it is at Unipile, and the client that speaks for it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.session import Database
from shared.errors import AccountRefused, AuthExpired
from shared.providers.unipile import UnipileClient
from shared.tokens import AccountRef

_FIND = text("""
select l.provider_id, l.note_limit, l.messages_read_at, l.connections_read_at, l.connected_at,
  a.last_polled_at, a.limits
from linkedin_accounts l join accounts a on a.id = l.account_id where l.account_id = :account_id
""")
_HOLD_INVITATIONS = text("""
update linkedin_accounts set invitations_held_until = :until where account_id = :account_id
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAccount:
    """`name`: what Unipile calls it. `row`: how far it was read."""

    ref: AccountRef
    client: UnipileClient
    name: str
    note_limit: int
    row: Row[Any]


class LinkedInAccounts:
    """`client` None: this installation has no key of Unipile."""

    def __init__(self, *, database: Database, client: UnipileClient | None) -> None:
        self._database = database
        self._client = client

    @property
    def is_open(self) -> bool:
        return self._client is not None

    async def open(self, account: AccountRef) -> OpenAccount:
        """Raises AuthExpired when it is not connected."""
        if self._client is None:
            raise AccountRefused(
                "This installation has no key of Unipile: set DRUMBEAT_UNIPILE_ENDPOINT and"
                " DRUMBEAT_UNIPILE_API_KEY, then resume the account"
            )
        async with self._database.company_transaction(account.company_id) as connection:
            asked = {"account_id": account.account_id}
            row = (await connection.execute(_FIND, asked)).one_or_none()
        if row is None:
            raise AuthExpired("LinkedIn is not connected: connect the account again")
        return OpenAccount(
            ref=account,
            client=self._client,
            name=row.provider_id,
            note_limit=row.note_limit,
            row=row,
        )


async def hold_invitations(
    connection: AsyncConnection, account_id: UUID, *, until: datetime
) -> None:
    """It may invite nobody until then; messages go on."""
    await connection.execute(_HOLD_INVITATIONS, {"account_id": account_id, "until": until})
