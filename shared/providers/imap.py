"""A mailbox over IMAP (RFC 3501): what is new in it, and whether a mail of ours lies in Sent.

IMAPClient blocks, so everything here runs in threads; each method is one connection.
"""

import asyncio
import imaplib
import json
import re
import ssl
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from imapclient import IMAPClient
from imapclient.imapclient import JUNK, SENT

from shared.errors import AccountRefused, AuthExpired, ProviderError, RateLimited, Unavailable
from shared.providers.mail_hosts import MailLogin, Security, is_open

CALL_SECONDS = 20
MOST_AT_ONCE = 200
LARGEST_BYTES = 5_000_000
_INBOX = "INBOX"
_USUAL_SENT = ("Sent", "Sent Items", "Sent Messages", "INBOX.Sent", "Gesendet", "[Gmail]/Sent Mail")
_BODY = f"BODY.PEEK[]<0.{LARGEST_BYTES}>"
# How far a position reaches back when the server has numbered its mails anew.
_AGAIN = timedelta(days=1)

T = TypeVar("T")
Position = dict[str, tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMail:
    arrived_at: datetime
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """What came since the last time, in order. `position` is where to go on from."""

    mails: tuple[NewMail, ...]
    position: str
    is_all: bool


@dataclass(frozen=True, slots=True)
class Rule:
    words: str
    error: type[ProviderError]
    message: str


_PASSWORD = "The IMAP server does not accept this password: connect the account again."  # noqa: S105 - a message
# RFC 5530 names the codes in brackets; the words are those of large providers. First match wins.
RULES: tuple[Rule, ...] = (
    Rule(
        r"application.specific|app(lication)? password",
        AuthExpired,
        "This mailbox needs an app password: make one at the provider and connect it again.",
    ),
    Rule(
        r"\[(unavailable|serverbug|inuse)\]|temporar|try again later",
        Unavailable,
        "The IMAP server cannot answer now.",
    ),
    Rule(
        r"\[limit\]|\[overquota\]|too many|\brate\b|throttl",
        RateLimited,
        "The IMAP server asks us to slow down.",
    ),
    Rule(
        r"\[(authorizationfailed|contactadmin|noperm)\]|imap (access )?(is )?(disabled|not enabled)"
        r"|not enabled for imap|suspend|locked",
        AccountRefused,
        "The provider does not allow IMAP for this mailbox: switch it on in its settings.",
    ),
    Rule(
        r"\[privacyrequired\]|plaintext|logindisabled",
        AccountRefused,
        "The IMAP server wants TLS before a login: check port and security.",
    ),
)


class ImapClient:
    """One mailbox. Cheap: make one whenever needed. Methods raise ProviderError."""

    def __init__(
        self,
        login: MailLogin,
        *,
        threads: ThreadPoolExecutor | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._login = login
        self._threads = threads
        self._tls = tls

    async def check(self) -> None:
        """Log in and open the inbox."""
        await self._run(lambda imap: imap.select_folder(_INBOX, readonly=True))

    async def new_since(self, position: str | None, *, since: datetime) -> Arrivals:
        """What came into the inbox and the folder of unwanted mail; at first only the position.

        When a folder's mails were numbered anew (UIDVALIDITY), all that came in the day before
        `since` is named once more.
        """
        known = _read_position(position)
        return await self._run(lambda imap: _arrivals(imap, known, since))

    async def has_sent(self, message_id: str) -> bool:
        """Whether the mail with this Message-ID lies in the folder of sent ones."""
        return await self._run(lambda imap: _is_in_sent(imap, message_id))

    async def _run(self, deed: Callable[[IMAPClient], T]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._connected, deed)

    def _connected(self, deed: Callable[[IMAPClient], T]) -> T:
        with _translated(), _logged_in(self._login, self._tls) as imap:
            return deed(imap)


@contextmanager
def _logged_in(login: MailLogin, tls: ssl.SSLContext | None) -> Iterator[IMAPClient]:
    server = login.server
    if is_open(server):
        raise AccountRefused("A password goes to another machine with TLS or STARTTLS only.")
    context = tls or ssl.create_default_context()
    imap = IMAPClient(
        server.host,
        port=server.port,
        ssl=server.security is Security.TLS,
        ssl_context=context,
        timeout=CALL_SECONDS,
    )
    try:
        if server.security is Security.STARTTLS:
            imap.starttls(context)
        with _login_translated():
            imap.login(login.username, login.password)
        yield imap
    finally:
        _leave(imap)


def _leave(imap: IMAPClient) -> None:
    try:
        imap.logout()
    except (OSError, imaplib.IMAP4.error):
        # A logout that fails leaves the socket open.
        with suppress(OSError):
            imap.shutdown()


def _arrivals(imap: IMAPClient, known: Position | None, since: datetime) -> Arrivals:
    found: list[NewMail] = []
    reached: Position = {}
    is_all = True
    for folder in _read_folders(imap):
        status = imap.select_folder(folder, readonly=True)
        validity, following = _numbers(imap, folder, status)
        uids = _uids(imap, known.get(folder), validity, since) if known is not None else []
        taken = uids[: max(0, MOST_AT_ONCE - len(found))]
        found += _fetch(imap, taken)
        if taken != uids:
            following, is_all = (uids[len(taken)], False)
        reached[folder] = (validity, max(following, *(uid + 1 for uid in taken), 1))
    return Arrivals(mails=tuple(found), position=json.dumps(reached), is_all=is_all)


def _read_folders(imap: IMAPClient) -> list[str]:
    junk = imap.find_special_folder(JUNK)
    return [_INBOX, junk] if junk else [_INBOX]


def _numbers(imap: IMAPClient, folder: str, status: dict[bytes, Any]) -> tuple[int, int]:
    if b"UIDNEXT" not in status or b"UIDVALIDITY" not in status:
        status = imap.folder_status(folder, ["UIDVALIDITY", "UIDNEXT"])
    return int(status[b"UIDVALIDITY"]), int(status[b"UIDNEXT"])


def _uids(
    imap: IMAPClient, known: tuple[int, int] | None, validity: int, since: datetime
) -> list[int]:
    """A folder that is new, or numbered anew, is read from a day before."""
    if known is None or known[0] != validity:
        return sorted(imap.search(["SINCE", (since - _AGAIN).date()]))
    # `n:*` names the last mail even when its number is below n.
    return sorted(uid for uid in imap.search(["UID", f"{known[1]}:*"]) if uid >= known[1])


def _fetch(imap: IMAPClient, uids: Sequence[int]) -> list[NewMail]:
    found = []
    for uid in uids:
        # One by one: each may have megabytes, and a mail may be gone by now.
        mail = imap.fetch([uid], [_BODY, "INTERNALDATE"]).get(uid, {})
        raw = next((value for key, value in mail.items() if key.startswith(b"BODY[")), None)
        if raw is not None:
            arrived = mail.get(b"INTERNALDATE") or datetime.now(UTC)
            found.append(NewMail(arrived_at=_aware(arrived), raw=raw))
    return found


def _is_in_sent(imap: IMAPClient, message_id: str) -> bool:
    folder = imap.find_special_folder(SENT)
    folders = [folder] if folder else [name for name in _USUAL_SENT if imap.folder_exists(name)]
    for name in folders:
        imap.select_folder(name, readonly=True)
        if imap.search(["HEADER", "Message-ID", message_id]):
            return True
    return False


def _aware(at: datetime) -> datetime:
    """IMAPClient tells the time in this machine's zone, without saying so."""
    return at.astimezone(UTC)


def _read_position(position: str | None) -> Position | None:
    if position is None:
        return None
    return {folder: (numbers[0], numbers[1]) for folder, numbers in json.loads(position).items()}


@contextmanager
def _login_translated() -> Iterator[None]:
    """Whatever a server says no to here, it is about this name and password."""
    try:
        yield
    except UnicodeError:
        # RFC 3501 knows ASCII only.
        raise AuthExpired(_PASSWORD) from None
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        raise rule_error(str(error)) or AuthExpired(_PASSWORD) from error


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise AccountRefused(
            "The IMAP server shows a certificate that is not its own: check the host's name."
        ) from error
    except ssl.SSLError as error:
        raise AccountRefused(
            "The IMAP server speaks no TLS there: check port and security."
        ) from error
    except OSError as error:
        raise Unavailable("The IMAP server could not be reached.") from error
    except imaplib.IMAP4.error as error:
        known = rule_error(str(error))
        raise known or Unavailable("The IMAP server could not answer.") from error


def rule_error(said: str) -> ProviderError | None:
    """The error for what a server said, when its words are known."""
    rule = next((rule for rule in RULES if re.search(rule.words, said, re.IGNORECASE)), None)
    if rule is None:
        return None
    if rule.error is RateLimited:
        return RateLimited(rule.message, retry_after=timedelta(minutes=1))
    return rule.error(rule.message)
