"""A real SMTP server (aiosmtpd) that can be told to fail, and a real IMAP server (pymap)."""

import asyncio
import socket
import ssl
import sys
import warnings
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from imapclient import IMAPClient

from shared.db.models import AccountRow
from shared.db.session import Database
from shared.domain.channels import AccountKind
from shared.keyring import Keyring
from shared.mail_logins import MailLogins, store_logins
from shared.providers.mail_hosts import MailLogin, Security, Server
from tests.factories import Company

USER, PASSWORD = "sam@acme.test", "correct horse"


@dataclass
class FakeSmtp:
    """What it took is in `mails`. `answers`: what it says instead, by the command's name.

    `loses`: the moment at which it hangs up: "DATA" before it has read the mail, "dot" after it
    has taken it.
    """

    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, str]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    loses: str | None = None
    logins: int = 0
    port: int = 0

    def authenticate(self, server: SMTP, *given: Any) -> AuthResult:
        self.logins += 1
        login = given[-1]
        if refusal := self.answers.get("AUTH"):
            return AuthResult(success=False, handled=False, message=refusal)
        is_known = (login.login, login.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=is_known, handled=False)

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if refusal := self.answers.get("MAIL"):
            return refusal
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if refusal := self.answers.get("RCPT"):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if refusal := self.answers.get("dot"):
            return refusal
        content = envelope.content
        assert isinstance(content, bytes)
        mail = message_from_bytes(content, policy=default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.envelopes.append((envelope.mail_from or "", envelope.rcpt_tos[0]))
        if self.loses == "dot":
            hang_up(server)
        return "250 2.0.0 OK: queued"


class _Server(SMTP):
    """Says no to the command DATA itself, when it is told to."""

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        fake: FakeSmtp = self.event_handler
        if fake.loses == "DATA":
            hang_up(self)
        elif refusal := fake.answers.get("DATA"):
            await self.push(refusal)
        else:
            await super().smtp_DATA(arg)


def hang_up(server: SMTP) -> None:
    assert isinstance(server.transport, asyncio.WriteTransport)
    server.transport.abort()


@asynccontextmanager
async def smtp_server(
    fake: FakeSmtp, *, tls: ssl.SSLContext | None = None, is_implicit: bool = False
) -> AsyncIterator[FakeSmtp]:
    def make() -> SMTP:
        with warnings.catch_warnings():
            # It advises against a login without TLS, which is what some tests are about.
            warnings.simplefilter("ignore")
            return _Server(
                fake,
                authenticator=fake.authenticate,
                auth_required=True,
                auth_require_tls=False,
                tls_context=None if is_implicit else tls,
                hostname="mail.acme.test",
                loop=asyncio.get_running_loop(),
            )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(make, "127.0.0.1", 0, ssl=tls if is_implicit else None)
    fake.port = server.sockets[0].getsockname()[1]
    try:
        yield fake
    finally:
        server.close()


@dataclass(frozen=True, slots=True)
class ImapServer:
    port: int

    def put(self, raw: bytes, *, folder: str = "INBOX") -> None:
        with self.client() as imap:
            imap.append(folder, raw)

    @contextmanager
    def client(self) -> Iterator[IMAPClient]:
        imap = IMAPClient("127.0.0.1", self.port, ssl=False, timeout=10)
        imap.login(USER, PASSWORD)
        try:
            yield imap
        finally:
            imap.logout()


@asynccontextmanager
async def imap_server() -> AsyncIterator[ImapServer]:
    """One mailbox with an inbox and a folder Sent, in a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    start = "import sys; from pymap.main import main; sys.exit(main())"
    options = ["--host", "127.0.0.1", "--port", str(port), "--no-tls", "dict"]
    user = ["--demo-user", USER, "--demo-password", PASSWORD]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", start, *options, *user, stdout=DEVNULL, stderr=DEVNULL
    )
    try:
        server = ImapServer(port)
        await asyncio.to_thread(_wait_for, server)
        yield server
    finally:
        process.terminate()
        await process.wait()


def _wait_for(server: ImapServer) -> None:
    until = datetime.now(UTC) + timedelta(seconds=20)
    while True:
        try:
            with server.client() as imap:
                if not imap.folder_exists("Sent"):
                    imap.create_folder("Sent")
                return
        except OSError:
            if datetime.now(UTC) > until:
                raise


@dataclass(frozen=True, slots=True)
class Certificate:
    """Of 127.0.0.1. `server` shows it, `client` trusts it and no other one."""

    server: ssl.SSLContext
    client: ssl.SSLContext


def make_certificate(folder: Path) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(pem + certificate.public_bytes(serialization.Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return Certificate(server=server, client=ssl.create_default_context(cafile=str(file)))


async def move_to_smtp(
    company: Company, database: Database, keyring: Keyring, *, smtp: FakeSmtp, imap: ImapServer
) -> None:
    """From now on the company's only account is a mailbox at these servers."""
    ports = {"smtp": smtp.port, "imap": imap.port}
    logins = {
        name: MailLogin(
            server=Server(host="127.0.0.1", port=port, security=Security.NONE),
            username=USER,
            password=PASSWORD,
        )
        for name, port in ports.items()
    }
    async with database.company_session(company.id, user_id=company.user_id) as session:
        account = await session.get_one(AccountRow, company.account_id)
        account.kind = AccountKind.SMTP
        await store_logins(
            session,
            keyring,
            MailLogins(smtp=logins["smtp"], imap=logins["imap"]),
            account_id=company.account_id,
            user_id=company.user_id,
            company_id=company.id,
        )
