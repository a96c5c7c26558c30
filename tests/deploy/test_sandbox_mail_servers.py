"""The sandbox's mail servers, spoken to by the clients that the product has."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from deploy.sandbox.faulty_mailbox import Mailbox
from deploy.sandbox.mail_servers import (
    Conversation,
    HangUp,
    ImapConversation,
    Postbox,
    Refusal,
    SmtpConversation,
)
from shared.errors import Ambiguous, AuthExpired, ProviderError, Refused, Unavailable
from shared.providers.imap import ImapClient
from shared.providers.mail_hosts import MailLogin, Security, Server
from shared.providers.smtp import smtp_session

RAW = b"From: sam@acme.test\r\nTo: ada@example.test\r\nMessage-ID: <1@acme.test>\r\n\r\n.Hello\r\n"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass
class Script:
    """What happens at which command, `before x` or `after x`."""

    scenes: dict[str, Exception] = field(default_factory=dict)
    is_cut: bool = False

    async def before(self, operation: str) -> None:
        await self._play(f"before {operation}")

    async def after(self, operation: str) -> None:
        await self._play(f"after {operation}")

    async def _play(self, moment: str) -> None:
        if scene := self.scenes.get(moment):
            raise scene


@dataclass
class Servers:
    postbox: Postbox
    script: Script
    ports: dict[type[Conversation], int]

    def login(self, kind: type[Conversation]) -> MailLogin:
        server = Server(host="127.0.0.1", port=self.ports[kind], security=Security.NONE)
        return MailLogin(server=server, username="sam", password="secret")

    @property
    def imap(self) -> ImapClient:
        return ImapClient(self.login(ImapConversation))

    async def send(self) -> None:
        async with smtp_session(self.login(SmtpConversation)) as session:
            await session.address(sender="sam@acme.test", to="ada@example.test")
            await session.begin()
            await session.finish(RAW)


@pytest.fixture
async def servers() -> AsyncIterator[Servers]:
    found = Servers(Postbox(box=Mailbox(lambda: NOON)), Script(), {})
    running = []
    for kind in (SmtpConversation, ImapConversation):

        async def talk(
            reader: asyncio.StreamReader,
            writer: asyncio.StreamWriter,
            kind: type[Conversation] = kind,
        ) -> None:
            postboxes = {"sam": found.postbox}
            await kind(reader, writer, postboxes=postboxes, watch=found.script).run()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        found.ports[kind] = server.sockets[0].getsockname()[1]
        running.append(server)
    yield found
    for server in running:
        server.close()


async def test_a_mail_is_taken_as_it_is_and_lies_among_the_sent_ones(servers: Servers) -> None:
    await servers.send()

    [mail] = servers.postbox.box.sent
    assert mail.raw == RAW
    assert await servers.imap.has_sent("<1@acme.test>")
    assert not await servers.imap.has_sent("<2@acme.test>")


async def test_a_server_need_not_keep_what_was_sent(servers: Servers) -> None:
    servers.postbox.keeps_sent = False
    await servers.send()
    assert not await servers.imap.has_sent("<1@acme.test>")


async def test_what_came_is_read_once(servers: Servers) -> None:
    first = await servers.imap.new_since(None, since=NOON)
    servers.postbox.box.deliver(RAW, thread_id="inbox")

    second = await servers.imap.new_since(first.position, since=NOON)
    third = await servers.imap.new_since(second.position, since=NOON)

    assert [mail.raw for mail in second.mails] == [RAW]
    assert [mail.arrived_at for mail in second.mails] == [NOON]
    assert (first.mails, third.mails) == ((), ())


@pytest.mark.parametrize(
    ("moment", "scene", "error", "taken"),
    [
        ("before smtp.login", Refusal("535 5.7.8 no"), AuthExpired, 0),
        ("before smtp.rcpt", Refusal("550 5.1.1 User unknown"), Refused, 0),
        ("before smtp.data", Refusal("451 4.3.0 later"), Unavailable, 0),
        ("before smtp.data", HangUp(), Unavailable, 0),
        ("before smtp.dot", Refusal("451 4.3.0 later"), Unavailable, 0),
        ("before smtp.dot", HangUp(), Ambiguous, 0),
        ("after smtp.dot", HangUp(), Ambiguous, 1),
    ],
)
async def test_it_misbehaves_as_it_is_told(
    servers: Servers, moment: str, scene: Exception, error: type[ProviderError], taken: int
) -> None:
    servers.script.scenes[moment] = scene

    with pytest.raises(error):
        await servers.send()

    assert len(servers.postbox.box.sent) == taken


async def test_a_login_can_be_turned_down(servers: Servers) -> None:
    servers.script.scenes["before imap.login"] = Refusal("NO [AUTHENTICATIONFAILED] who?")
    with pytest.raises(AuthExpired):
        await servers.imap.check()
