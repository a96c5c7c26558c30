"""Opens the mailbox of an account."""

import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import httpx

from shared.db.session import Database
from shared.keyring import Keyring
from shared.mail_logins import MailLogins, read_logins
from shared.providers.gmail import GmailClient, RawMail, TokenSource
from shared.providers.imap import ImapClient, NewMail
from shared.tokens import AccountRef

TokenSourceOf = Callable[[AccountRef], TokenSource]
# Threads of their own: a mail server that hangs must not hold up what else runs in threads.
IMAP_AT_ONCE = 10


class Mailboxes:
    def __init__(
        self, *, http: httpx.AsyncClient, endpoint: str, token_source_of: TokenSourceOf
    ) -> None:
        self._http = http
        self._endpoint = endpoint
        self._token_source_of = token_source_of

    def open(self, account: AccountRef) -> GmailClient:
        tokens = self._token_source_of(account)
        return GmailClient(self._http, endpoint=self._endpoint, tokens=tokens)


def to_raw_mail(mail: NewMail) -> RawMail:
    """In the form that Gmail gives, so that both are read alike.

    The id is made of the mail itself: a server may number its mails anew, and move them.
    """
    return RawMail(
        id=f"imap/{sha256(mail.raw).hexdigest()}",
        thread_id="",
        label_ids=frozenset(),
        internal_at=mail.arrived_at,
        raw=mail.raw,
    )


class Postboxes:
    """The mailboxes of other providers. `tls`: whom to trust, else the system's list."""

    def __init__(
        self, *, database: Database, keyring: Keyring, tls: ssl.SSLContext | None = None
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._threads = ThreadPoolExecutor(IMAP_AT_ONCE, "imap")
        self.tls = tls

    async def logins(self, account: AccountRef) -> MailLogins:
        """Raises AuthExpired when the account is not connected."""
        return await read_logins(
            self._database,
            self._keyring,
            company_id=account.company_id,
            account_id=account.account_id,
            user_id=account.user_id,
        )

    async def open(self, account: AccountRef) -> ImapClient:
        logins = await self.logins(account)
        return ImapClient(logins.imap, threads=self._threads, tls=self.tls)
