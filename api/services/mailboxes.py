"""Connects a mailbox by its SMTP and IMAP servers, after a log-in at both of them."""

import asyncio
import ssl
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from api.callers import Caller
from api.conducting import Conducting
from shared.db.models import AccountRow
from shared.db.models.accounts import COLD_MAILS_A_DAY, AccountStatus
from shared.db.repositories.wakings import ask_waking
from shared.db.session import Database
from shared.domain.channels import AccountKind
from shared.errors import AccountRefused, AuthExpired, Conflict, Invalid, ProviderError, Unavailable
from shared.keyring import Keyring
from shared.mail_logins import MailLogins, store_logins
from shared.providers.imap import ImapClient
from shared.providers.mail_hosts import (
    HOSTS,
    IMAP_PORTS,
    MAIL_PORTS,
    SMTP_PORTS,
    MailHost,
    MailLogin,
    Security,
    Server,
    find_host,
    is_open,
)
from shared.providers.smtp import smtp_session
from shared.webhooks import Destinations, is_public

CHECK_SECONDS = 45


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedServer:
    """What a person has filled in. `field` is what the names of its fields begin with."""

    field: str
    host: str | None
    port: int | None
    security: Security | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedMailbox:
    email: str
    password: str = field(repr=False)
    account_type: str | None
    username: str | None
    smtp: AskedServer
    imap: AskedServer
    more: dict[str, Any]


class MailboxService:
    """`places`: which servers may be called. `tls`: whom to trust, else the system's list."""

    def __init__(
        self,
        *,
        database: Database,
        keyring: Keyring,
        conducting: Conducting,
        places: Destinations,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._conducting = conducting
        self._places = places
        self._tls = tls

    async def connect(self, caller: Caller, asked: AskedMailbox) -> UUID:
        """Log in at both servers, keep the account, and wake who has waited for it.

        The same address again is the same account with a new password. Raises Invalid, Conflict
        and ProviderError.
        """
        host = find_host(account_type=asked.account_type, email=asked.email)
        logins = _logins(asked, host)
        await self._check_place(logins.smtp.server, asked.smtp)
        await self._check_place(logins.imap.server, asked.imap)
        await self._log_in(logins, asked, host)
        company_id, user_id = caller.company_id, caller.person
        async with self._database.company_session(company_id, user_id=user_id) as session:
            account = await _keep(session, user_id, asked)
            await store_logins(
                session,
                self._keyring,
                logins,
                account_id=account.id,
                user_id=user_id,
                company_id=company_id,
            )
            waking = await ask_waking(session, account_id=account.id, parked=True)
        await self._conducting.wake_many(waking)
        return account.id

    async def _check_place(self, server: Server, asked: AskedServer) -> None:
        """A caller makes our machines connect: to mail servers of the world, and to no others."""
        if is_open(server):
            raise Invalid(
                "Use tls or starttls: without them everybody on the way could read the password",
                field=f"{asked.field}security",
            )
        try:
            found = await self._places.find(server.host, server.port)
        except Invalid:
            raise Invalid(
                "This server lies in a private network, where this installation does not go",
                field=f"{asked.field}host",
            ) from None
        except (OSError, TimeoutError):
            raise Invalid(
                f"There is no server {server.host}: check the name", field=f"{asked.field}host"
            ) from None
        if server.port not in MAIL_PORTS and any(is_public(it) for it in found):
            ports = ", ".join(str(port) for port in sorted(MAIL_PORTS))
            raise Invalid(f"Use a port of mail servers: {ports}", field=f"{asked.field}port")

    async def _log_in(self, logins: MailLogins, asked: AskedMailbox, host: MailHost | None) -> None:
        """At both at once, so that one answer tells of every mistake's first part."""
        smtp, imap = await asyncio.gather(
            _failure(_log_in_to_smtp(logins.smtp, self._tls)),
            _failure(ImapClient(logins.imap, tls=self._tls).check()),
        )
        for failure, server in ((smtp, asked.smtp), (imap, asked.imap)):
            if failure is not None:
                raise _explained(failure, server, host) from failure


async def _log_in_to_smtp(login: MailLogin, tls: ssl.SSLContext | None) -> None:
    async with smtp_session(login, tls=tls):
        pass


async def _failure(check: Awaitable[None]) -> ProviderError | None:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check
    except ProviderError as error:
        return error
    except TimeoutError:
        return Unavailable("The server took too long to answer.")
    return None


def _explained(failure: ProviderError, server: AskedServer, host: MailHost | None) -> Exception:
    """What the person who has filled this in can do about it."""
    protocol = "IMAP" if server.field else "SMTP"
    hint = f" Perhaps {host.hint}." if host and host.hint else ""
    match failure:
        case AuthExpired():
            message = f"The {protocol} server does not accept this user name and password.{hint}"
            return Invalid(message, field="account_password")
        case AccountRefused():
            return AccountRefused(f"{failure}{hint}")
        case Unavailable():
            message = f"{failure} Check host, port and security ({protocol})."
            return Invalid(message, field=f"{server.field}host")
        case _:
            return failure


def _logins(asked: AskedMailbox, host: MailHost | None) -> MailLogins:
    username = asked.username or asked.email
    smtp = _server(asked, asked.smtp, host.smtp if host else None, SMTP_PORTS)
    imap = _server(asked, asked.imap, host.imap if host else None, IMAP_PORTS)
    known = next((name for name, it in HOSTS.items() if it is host), None)
    login = MailLogin(server=smtp, username=username, password=asked.password)
    return MailLogins(smtp=login, imap=replace(login, server=imap), account_type=known)


def _server(
    asked: AskedMailbox, part: AskedServer, known: Server | None, ports: dict[Security, int]
) -> Server:
    """What was filled in, else what is known of the provider, else what is usual."""
    name = part.host or (known.host if known else None)
    if name is None:
        domain = asked.email.rpartition("@")[2]
        raise Invalid(
            f"We do not know where mail of {domain} lives: fill in `{part.field}host`, or name a"
            f" provider in `account_type` ({', '.join(HOSTS)})",
            field=f"{part.field}host",
        )
    is_known = known is not None and part.host in {None, known.host}
    usual = known.security if known and is_known else _of_port(part.port, ports)
    security = part.security or usual
    port = part.port or (known.port if known and is_known and not part.security else None)
    return Server(host=name, port=port or ports[security], security=security)


def _of_port(port: int | None, ports: dict[Security, int]) -> Security:
    """The usual one of a port; TLS where there is none."""
    is_late = port in {ports[Security.STARTTLS], ports[Security.NONE], 2525}
    return Security.STARTTLS if is_late else Security.TLS


async def _keep(session: AsyncSession, user_id: UUID, asked: AskedMailbox) -> AccountRow:
    """A new account, or the old one awake again. The company's first one becomes primary."""
    account = await session.scalar(
        select(AccountRow)
        .where(AccountRow.user_id == user_id, AccountRow.email == asked.email)
        .with_for_update()
    )
    if account is None:
        is_first = not await session.scalar(select(exists().where(AccountRow.is_primary)))
        account = AccountRow(
            id=uuid7(),
            user_id=user_id,
            kind=AccountKind.SMTP,
            email=asked.email,
            is_primary=is_first,
            daily_limit=COLD_MAILS_A_DAY,
        )
        session.add(account)
    elif account.kind is not AccountKind.SMTP:
        if account.status is not AccountStatus.DISCONNECTED:
            raise Conflict(f"{asked.email} is connected with Google: disconnect it there first")
        account.kind, account.history_id, account.scopes = AccountKind.SMTP, None, []
    account.status, account.status_reason = AccountStatus.ACTIVE, None
    for name, value in asked.more.items():
        setattr(account, name, value)
    await session.flush()
    return account
