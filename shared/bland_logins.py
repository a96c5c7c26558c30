"""The key that opens an account at Bland: kept sealed, and read again."""

from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db.models.calls import BlandLoginRow
from shared.db.session import Database
from shared.errors import AuthExpired
from shared.keyring import Keyring

API_KEY = "bland_logins.api_key"
WEBHOOK_SECRET = "bland_logins.webhook_secret"  # noqa: S105 - the name of a column


@dataclass(frozen=True, slots=True, kw_only=True)
class BlandLogin:
    """`webhook_secret` None: webhooks are signed with the installation's."""

    api_key: str = field(repr=False)
    webhook_secret: str | None = field(default=None, repr=False)


async def store_bland_login(
    session: AsyncSession,
    keyring: Keyring,
    login: BlandLogin,
    *,
    account_id: UUID,
    user_id: UUID,
    company_id: UUID,
) -> None:
    """Seal and keep it in place of the one before. A secret that is not given stays."""
    row = await session.scalar(select(BlandLoginRow).where(BlandLoginRow.account_id == account_id))
    if row is None:
        row = BlandLoginRow(account_id=account_id, user_id=user_id)
        session.add(row)
    row.api_key = keyring.seal(
        login.api_key, place=API_KEY, company_id=company_id, row_id=account_id
    )
    if login.webhook_secret:
        row.webhook_secret = keyring.seal(
            login.webhook_secret, place=WEBHOOK_SECRET, company_id=company_id, row_id=account_id
        )


async def read_bland_login(
    database: Database, keyring: Keyring, *, company_id: UUID, account_id: UUID, user_id: UUID
) -> BlandLogin:
    """Raises AuthExpired when the account is not connected."""
    async with database.company_session(company_id, user_id=user_id) as session:
        row = await session.scalar(
            select(BlandLoginRow).where(BlandLoginRow.account_id == account_id)
        )
    if row is None:
        raise AuthExpired("The account is not connected")
    cell = {"company_id": company_id, "row_id": account_id}
    secret = None
    if row.webhook_secret is not None:
        secret = keyring.open(row.webhook_secret, place=WEBHOOK_SECRET, **cell)
    return BlandLogin(
        api_key=keyring.open(row.api_key, place=API_KEY, **cell), webhook_secret=secret
    )
