"""Reading a real IMAP server's mailbox."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from uuid_utils.compat import uuid7

from shared.errors import AccountRefused, AuthExpired, ProviderError, RateLimited, Unavailable
from shared.providers.imap import ImapClient, rule_error
from shared.providers.mail_hosts import MailLogin, Security, Server
from tests.fakes.mail_server import PASSWORD, USER, ImapServer

NOW = datetime.now(UTC)


@pytest.fixture
def server(imap: ImapServer) -> ImapServer:
    return imap


def client(port: int, *, password: str = PASSWORD, host: str = "127.0.0.1") -> ImapClient:
    place = Server(host=host, port=port, security=Security.NONE)
    return ImapClient(MailLogin(server=place, username=USER, password=password))


def mail(number: int | str = 1) -> bytes:
    return f"Message-ID: <{number}@example.test>\r\nSubject: {number}\r\n\r\nHi\r\n".encode()


async def test_what_came_since_the_last_time_is_read_once(server: ImapServer) -> None:
    inbox = client(server.port)
    server.put(mail("before"))
    first = await inbox.new_since(None, since=NOW)
    server.put(mail("one"))
    server.put(mail("two"))

    second = await inbox.new_since(first.position, since=NOW)
    third = await inbox.new_since(second.position, since=NOW)

    assert (first.mails, third.mails) == ((), ())
    assert [arrived.raw for arrived in second.mails] == [mail("one"), mail("two")]
    now = datetime.now(UTC)
    assert all(abs(arrived.arrived_at - now) < timedelta(minutes=5) for arrived in second.mails)


async def test_mails_that_were_numbered_anew_are_named_once_more(server: ImapServer) -> None:
    inbox = client(server.port)
    server.put(mail("kept"))
    position = (await inbox.new_since(None, since=NOW)).position
    [(folder, (validity, following))] = json.loads(position).items()
    other = json.dumps({folder: (validity + 1, following + 1000)})

    again = await inbox.new_since(other, since=NOW)

    assert mail("kept") in [arrived.raw for arrived in again.mails]
    assert again.position == position


async def test_a_full_inbox_is_read_in_turns(
    server: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.providers.imap.MOST_AT_ONCE", 2)
    inbox = client(server.port)
    position = (await inbox.new_since(None, since=NOW)).position
    for number in range(3):
        server.put(mail(number))

    first = await inbox.new_since(position, since=NOW)
    second = await inbox.new_since(first.position, since=NOW)

    assert (first.is_all, second.is_all) == (False, True)
    read = [arrived.raw for arrived in (*first.mails, *second.mails)]
    assert read == [mail(number) for number in range(3)]


async def test_a_mail_is_found_among_the_sent_ones(server: ImapServer) -> None:
    sent = str(uuid7())
    server.put(mail(sent), folder="Sent")

    assert await client(server.port).has_sent(f"<{sent}@example.test>") is True
    assert await client(server.port).has_sent(f"<{uuid7()}@example.test>") is False


async def test_a_wrong_password_needs_a_person(server: ImapServer) -> None:
    await client(server.port).check()

    with pytest.raises(AuthExpired):
        await client(server.port, password="wrong").check()


async def test_nobody_there_is_no_refusal() -> None:
    with pytest.raises(Unavailable):
        await client(1).check()


async def test_a_password_never_crosses_a_network_in_the_open() -> None:
    with pytest.raises(AccountRefused, match="TLS"):
        await client(143, host="mail.acme.test").check()


# RFC 5530 for the codes; the words are Gmail's, Exchange's, Yahoo's and Dovecot's.
@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("[ALERT] Application-specific password required", AuthExpired),
        ("[UNAVAILABLE] Temporary authentication failure.", Unavailable),
        ("[INUSE] Mailbox in use", Unavailable),
        ("[LIMIT] LOGIN Rate limit hit", RateLimited),
        ("[ALERT] Too many simultaneous connections.", RateLimited),
        ("[ALERT] Your account is not enabled for IMAP use.", AccountRefused),
        ("[AUTHORIZATIONFAILED] no", AccountRefused),
        ("[PRIVACYREQUIRED] Plaintext authentication disallowed", AccountRefused),
        ("[AUTHENTICATIONFAILED] Invalid credentials", None),
    ],
)
def test_what_servers_say_means(said: str, expected: type[ProviderError] | None) -> None:
    error = rule_error(said)

    assert (type(error) if error else None) is expected
