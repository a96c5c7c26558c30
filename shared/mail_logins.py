"""How the mailboxes of other providers are opened: kept sealed, and read again."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db.models.accounts import MailLoginRow
from shared.db.session import Database
from shared.errors import AuthExpired
from shared.keyring import Keyring
from shared.providers.mail_hosts import MailLogin, Security, Server

PASSWORD = "mail_logins.password"  # noqa: S105 - the name of a column


@dataclass(frozen=True, slots=True, kw_only=True)
class MailLogins:
    """Both servers of one mailbox. `account_type` names a provider that we know."""

    smtp: MailLogin
    imap: MailLogin
    account_type: str | None = None


async def store_logins(
    session: AsyncSession,
    keyring: Keyring,
    logins: MailLogins,
    *,
    account_id: UUID,
    user_id: UUID,
    company_id: UUID,
) -> None:
    """Seal and keep them in place of those that were kept before."""
    row = await session.scalar(select(MailLoginRow).where(MailLoginRow.account_id == account_id))
    if row is None:
        row = MailLoginRow(account_id=account_id, user_id=user_id)
        session.add(row)
    row.account_type = logins.account_type
    row.username = logins.smtp.username
    row.password = keyring.seal(
        logins.smtp.password, place=PASSWORD, company_id=company_id, row_id=account_id
    )
    for name, login in (("smtp", logins.smtp), ("imap", logins.imap)):
        setattr(row, f"{name}_host", login.server.host)
        setattr(row, f"{name}_port", login.server.port)
        setattr(row, f"{name}_security", login.server.security)


async def read_logins(
    database: Database, keyring: Keyring, *, company_id: UUID, account_id: UUID, user_id: UUID
) -> MailLogins:
    """Raises AuthExpired when the account is not connected."""
    async with database.company_session(company_id, user_id=user_id) as session:
        row = await session.scalar(
            select(MailLoginRow).where(MailLoginRow.account_id == account_id)
        )
    if row is None:
        raise AuthExpired("The account is not connected")
    password = keyring.open(row.password, place=PASSWORD, company_id=company_id, row_id=account_id)
    return MailLogins(
        smtp=_login(row, "smtp", password),
        imap=_login(row, "imap", password),
        account_type=row.account_type,
    )


def _login(row: MailLoginRow, name: str, password: str) -> MailLogin:
    kept: dict[str, Any] = {
        part: getattr(row, f"{name}_{part}") for part in ("host", "port", "security")
    }
    server = Server(host=kept["host"], port=kept["port"], security=Security(kept["security"]))
    return MailLogin(server=server, username=row.username, password=password)
