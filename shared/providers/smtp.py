"""Mail over SMTP (RFC 5321, RFC 6409), in steps that tell what can have been sent.

aiosmtplib carries the conversation. The final dot is sent apart from what comes before it, because
until then a server may deliver nothing (RFC 5321 section 4.1.1.4).
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import aiosmtplib

from shared.errors import AccountRefused, Ambiguous, ProviderError
from shared.providers.mail_hosts import MailLogin, Security, is_open
from shared.providers.smtp_errors import Stage, translate, translate_failure

PHASE_SECONDS = 20
GOODBYE_SECONDS = 2

_LINE_END = re.compile(rb"\r\n|\r|\n")
_DOTS = re.compile(rb"^\.", re.MULTILINE)
_GO_AHEAD, _TAKEN = 354, 250


class SmtpSession:
    """One conversation, logged in. Each method is one step of handing over one mail."""

    def __init__(self, smtp: aiosmtplib.SMTP) -> None:
        self._smtp = smtp

    async def address(self, *, sender: str, to: str) -> None:
        """Name sender and recipient. Nothing is sent before `begin` and `finish`."""
        with _translated(Stage.SENDER):
            await self._smtp.mail(sender)
        with _translated(Stage.RECIPIENT):
            await self._smtp.rcpt(to)

    async def begin(self) -> None:
        """Ask to hand over the mail. Raises ProviderError: it was not sent."""
        with _translated(Stage.CONTENT):
            answer = await self._smtp.execute_command(b"DATA", timeout=PHASE_SECONDS)
        if answer.code != _GO_AHEAD:
            raise translate(answer.code, answer.message, Stage.CONTENT)

    async def finish(self, raw: bytes) -> None:
        """Hand it over, with the dot at the end. Raises Ambiguous when the answer was lost.

        Any other ProviderError: the server has said that it did not take it.
        """
        protocol = self._smtp.protocol
        assert protocol is not None  # noqa: S101 - there is one while we are connected
        with _translated(Stage.CONTENT):
            protocol.write(_quoted(raw))
        try:
            protocol.write(b".\r\n")
            answer = await protocol.read_response(timeout=PHASE_SECONDS)
        except (OSError, aiosmtplib.SMTPException) as error:
            message = "The connection to the mail server was lost before its answer came."
            raise Ambiguous(message) from error
        if answer.code != _TAKEN:
            raise translate(answer.code, answer.message, Stage.CONTENT)


@asynccontextmanager
async def smtp_session(
    login: MailLogin, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[SmtpSession]:
    """Connect and log in. Raises ProviderError. `tls`: whom to trust, else the system's list."""
    server = login.server
    if is_open(server):
        raise AccountRefused("A password goes to another machine with TLS or STARTTLS only.")
    smtp = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        use_tls=server.security is Security.TLS,
        start_tls=server.security is Security.STARTTLS,
        timeout=PHASE_SECONDS,
        tls_context=tls or ssl.create_default_context(),
        # The name of this machine would be looked up, and is nobody's business.
        local_hostname=login.username.rpartition("@")[2] or "localhost",
    )
    try:
        with _translated(Stage.GREETING):
            await smtp.connect()
        with _translated(Stage.LOGIN):
            await smtp.login(login.username, login.password)
        yield SmtpSession(smtp)
    finally:
        await _leave(smtp)


async def _leave(smtp: aiosmtplib.SMTP) -> None:
    """Politely when there is time; what was handed over stays handed over either way."""
    if smtp.is_connected:
        with suppress(OSError, aiosmtplib.SMTPException, TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await smtp.quit()
    smtp.close()


@contextmanager
def _translated(stage: Stage) -> Iterator[None]:
    try:
        yield
    except ProviderError:
        raise
    except (OSError, ValueError, aiosmtplib.SMTPException) as error:
        raise translate_failure(error, stage) from error


def _quoted(raw: bytes) -> bytes:
    """Lines end as on the wire, and none of them is taken for the end (section 4.5.2)."""
    lines = _LINE_END.sub(b"\r\n", raw)
    quoted = _DOTS.sub(b"..", lines)
    return quoted if quoted.endswith(b"\r\n") else quoted + b"\r\n"
