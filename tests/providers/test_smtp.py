"""A mail handed over to a real SMTP server, and what its refusals mean."""

import ssl
from datetime import timedelta
from pathlib import Path

import pytest

from shared.errors import (
    AccountRefused,
    Ambiguous,
    AuthExpired,
    ProviderError,
    RateLimited,
    Refused,
    Unavailable,
)
from shared.providers.mail_hosts import MailLogin, Security, Server
from shared.providers.smtp import smtp_session
from shared.providers.smtp_errors import Stage, translate
from tests.fakes.mail_server import PASSWORD, USER, Certificate, FakeSmtp, make_certificate
from tests.fakes.mail_server import smtp_server as serving

ADA = "ada@example.test"
MAIL = b"Subject: Hello\r\n\r\nFirst\n.\n..two\r\nlast"
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def server(smtp: FakeSmtp) -> FakeSmtp:
    return smtp


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(Path(tmp_path_factory.mktemp("tls")))


def login(
    port: int,
    *,
    password: str = PASSWORD,
    security: Security = Security.NONE,
    host: str = "127.0.0.1",
) -> MailLogin:
    server = Server(host=host, port=port, security=security)
    return MailLogin(server=server, username=USER, password=password)


async def hand_over(
    login: MailLogin, raw: bytes = MAIL, *, tls: ssl.SSLContext | None = None
) -> None:
    async with smtp_session(login, tls=tls) as session:
        await session.address(sender=USER, to=ADA)
        await session.begin()
        await session.finish(raw)


async def test_a_mail_arrives_as_it_was_written(server: FakeSmtp) -> None:
    await hand_over(login(server.port))

    [mail], [envelope] = server.mails, server.envelopes
    assert envelope == (USER, ADA)
    assert mail["Subject"] == "Hello"
    # A dot alone in a line did not end it.
    assert mail.get_payload(decode=True) == b"First\r\n.\r\n..two\r\nlast\r\n"


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
async def test_a_mail_goes_over_tls(certificate: Certificate, security: Security) -> None:
    is_implicit = security is Security.TLS
    async with serving(FakeSmtp(), tls=certificate.server, is_implicit=is_implicit) as server:
        await hand_over(login(server.port, security=security), tls=certificate.client)

        with pytest.raises(AccountRefused, match="certificate"):
            await hand_over(login(server.port, security=security))

    assert len(server.mails) == 1


async def test_a_server_without_starttls_is_refused(
    server: FakeSmtp, certificate: Certificate
) -> None:
    with pytest.raises(AccountRefused, match="STARTTLS"):
        await hand_over(login(server.port, security=Security.STARTTLS), tls=certificate.client)
    assert server.logins == 0


async def test_a_password_never_crosses_a_network_in_the_open() -> None:
    with pytest.raises(AccountRefused, match="TLS"):
        await hand_over(login(25, host="mail.acme.test"))


async def test_a_wrong_password_needs_a_person(server: FakeSmtp) -> None:
    with pytest.raises(AuthExpired):
        await hand_over(login(server.port, password="wrong"))


@pytest.mark.parametrize(
    ("command", "answer", "expected"),
    [
        ("AUTH", "535 5.7.8 Bad credentials", AuthExpired),
        ("AUTH", "454 4.7.0 Temporary authentication failure", Unavailable),
        ("MAIL", "550 5.7.60 Not allowed to send as this sender", AccountRefused),
        ("RCPT", "550 5.1.1 User unknown", Refused),
        ("RCPT", "451 4.7.1 Greylisted, come back later", RateLimited),
        ("DATA", "554 5.7.1 Rejected as spam", AccountRefused),
        ("DATA", "451 4.3.0 Try later", Unavailable),
        ("dot", "552 5.3.4 Message too big", Refused),
        ("dot", "450 4.2.1 Too many messages, slow down", RateLimited),
    ],
    ids=lambda it: it if isinstance(it, str) else it.__name__,
)
async def test_a_refusal_at_any_point_sends_nothing(
    server: FakeSmtp, command: str, answer: str, expected: type[ProviderError]
) -> None:
    server.answers[command] = answer

    with pytest.raises(ProviderError) as raised:
        await hand_over(login(server.port))

    assert type(raised.value) is expected
    assert server.mails == []


async def test_nobody_there_is_no_refusal() -> None:
    with pytest.raises(Unavailable) as raised:
        await hand_over(login(1))
    assert type(raised.value) is Unavailable


async def test_a_line_cut_before_the_mail_was_read_is_known_to_have_sent_nothing(
    server: FakeSmtp,
) -> None:
    server.loses = "DATA"

    with pytest.raises(Unavailable) as raised:
        await hand_over(login(server.port))

    assert type(raised.value) is Unavailable


async def test_an_answer_lost_after_the_dot_says_nothing(server: FakeSmtp) -> None:
    server.loses = "dot"

    with pytest.raises(Ambiguous):
        await hand_over(login(server.port))

    assert len(server.mails) == 1


# Words of Google, Microsoft, Exchange, Postfix, Exim and Yahoo, as their help pages quote them.
@pytest.mark.parametrize(
    ("stage", "answer", "expected", "wait"),
    [
        ("login", "535 5.7.8 Username and Password not accepted", AuthExpired, None),
        ("login", "534 5.7.9 Application-specific password required", AuthExpired, None),
        (
            "login",
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled",
            AccountRefused,
            None,
        ),
        ("login", "421 4.7.0 Too many login attempts, try again later", RateLimited, MINUTE),
        ("greeting", "421 4.3.2 Service not available", Unavailable, None),
        ("greeting", "554 No SMTP service here", AccountRefused, None),
        ("sender", "530 5.7.57 Client not authenticated to send mail", AuthExpired, None),
        ("sender", "530 5.7.0 Authentication Required", AuthExpired, None),
        ("sender", "553 5.7.1 Sender address rejected: not owned by user", AccountRefused, None),
        ("sender", "452 4.3.1 Insufficient system storage", Unavailable, None),
        ("content", "550 5.4.5 Daily user sending limit exceeded", RateLimited, DAY),
        (
            "content",
            "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException",
            RateLimited,
            DAY,
        ),
        ("content", "432 4.3.2 Concurrent connections limit exceeded", RateLimited, MINUTE),
        ("recipient", "421 4.7.28 Unusual rate of mail", RateLimited, MINUTE),
        ("recipient", "450 4.2.0 Recipient address rejected: Greylisted", RateLimited, MINUTE),
        ("recipient", "550 5.1.1 The email account does not exist", Refused, None),
        ("recipient", "550 No such user here", Refused, None),
        ("recipient", "553 5.1.3 The recipient address is not valid", Refused, None),
        ("recipient", "554 5.7.1 Relay access denied", AccountRefused, None),
        ("recipient", "452 4.2.2 Mailbox full", Unavailable, None),
        ("recipient", "550 Something else", Refused, None),
        ("content", "552 5.3.4 Message size exceeds fixed limit", Refused, None),
        ("content", "550 5.7.1 Our system has detected spam", AccountRefused, None),
        ("content", "554 5.7.0 Account suspended", AccountRefused, None),
        ("content", "554 Transaction failed", Refused, None),
        ("content", "999 What", Unavailable, None),
    ],
    ids=lambda it: it if isinstance(it, str) else "",
)
def test_what_servers_say_means(
    stage: str, answer: str, expected: type[ProviderError], wait: timedelta | None
) -> None:
    code, _, words = answer.partition(" ")

    error = translate(int(code), words, Stage(stage))

    assert type(error) is expected
    assert error.retry_after == wait
    # What a server says can carry addresses, and this goes to people and into histories.
    assert words not in str(error)
