"""The way of one worker to the mail servers: ports of its own, on which conversations are cut."""

import asyncio
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial
from typing import Any

import shared.providers.smtp
from activities.mailboxes import Postboxes
from deploy.chaos.faults import Fault
from deploy.chaos.wire import Ordeal
from deploy.sandbox.mail_servers import (
    Conversation,
    HangUp,
    ImapConversation,
    Postbox,
    Refusal,
    Silence,
    SmtpConversation,
)
from shared.mail_logins import MailLogins
from shared.providers.imap import ImapClient
from shared.providers.mail_hosts import MailLogin
from shared.tokens import AccountRef

# What a killed process has written to its sockets arrives within this time.
ON_ITS_WAY_SECONDS = 0.02
NOBODY_LISTENS = 1
# Longer than a busy machine takes for an answer that does come.
PHASE_SECONDS = 4


@contextmanager
def impatience() -> Iterator[None]:
    """Nobody waits long for an answer that will not come."""
    patience = shared.providers.smtp.PHASE_SECONDS
    shared.providers.smtp.PHASE_SECONDS = PHASE_SECONDS
    try:
        yield
    finally:
        shared.providers.smtp.PHASE_SECONDS = patience


class MailWire:
    """Of one worker. `postboxes`: by login name."""

    def __init__(self, postboxes: Mapping[str, Postbox]) -> None:
        self.ordeal: Ordeal | None = None
        self.is_cut = False
        self._postboxes = postboxes
        self._servers: dict[type[Conversation], asyncio.Server] = {}
        self._writers: set[asyncio.StreamWriter] = set()
        self._starting = asyncio.Lock()

    async def before(self, operation: str) -> None:
        fault = None if self.is_cut or not self.ordeal else await self.ordeal.before(operation)
        self._misbehave(fault, operation)

    async def after(self, operation: str) -> None:
        fault = None if self.is_cut or not self.ordeal else await self.ordeal.after(operation)
        self._misbehave(fault, operation)

    async def route(self, login: MailLogin, kind: type[Conversation]) -> MailLogin:
        """The same login at this worker's own port, unless nobody is to listen there now."""
        name = "smtp" if kind is SmtpConversation else "imap"
        fault = await self.ordeal.before(f"{name}.connect") if self.ordeal else None
        port = NOBODY_LISTENS
        if fault is None and not self.is_cut:
            port = await self._port(kind)
        return replace(login, server=replace(login.server, port=port))

    def cut(self) -> None:
        """The process has died: what it had sent is still read, and nothing answers."""
        self.is_cut = True
        loop = asyncio.get_running_loop()
        for writer in self._writers:
            loop.call_later(ON_ITS_WAY_SECONDS, writer.transport.abort)

    async def close(self) -> None:
        for server in self._servers.values():
            server.close()
        for writer in list(self._writers):
            writer.transport.abort()

    async def _port(self, kind: type[Conversation]) -> int:
        async with self._starting:
            if kind not in self._servers:
                answer = partial(self._converse, kind)
                self._servers[kind] = await asyncio.start_server(answer, "127.0.0.1", 0)
        port: int = self._servers[kind].sockets[0].getsockname()[1]
        return port

    async def _converse(
        self, kind: type[Conversation], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._writers.add(writer)
        try:
            await kind(reader, writer, postboxes=self._postboxes, watch=self).run()
        finally:
            self._writers.discard(writer)

    def _misbehave(self, fault: Fault | None, operation: str) -> None:
        if self.is_cut and not operation.endswith(("data", "dot")):
            raise HangUp
        if fault is None:
            return
        match fault:
            case Fault.TIMEOUT_AFTER_ACTING:
                raise Silence
            case Fault.REFUSED_FOR_NOW:
                raise Refusal("451 4.3.0 Try again later" if _is_smtp(operation) else _NO)
            case Fault.REFUSED_FOR_GOOD:
                raise Refusal("550 5.1.1 User unknown")
            case Fault.SHORT_RATE_LIMIT:
                raise Refusal("450 4.7.1 Too many connections, slow down")
            case Fault.LONG_RATE_LIMIT:
                raise Refusal("450 4.7.1 Daily user sending limit exceeded")
            case Fault.LOGGED_OUT:
                raise Refusal("535 5.7.8 Authentication failed" if _is_smtp(operation) else _OUT)
            case _:
                raise HangUp


_NO, _OUT = "NO [UNAVAILABLE] later", "NO [AUTHENTICATIONFAILED] who are you"


def _is_smtp(operation: str) -> bool:
    return operation.startswith("smtp")


@cache
def _trust() -> ssl.SSLContext:
    """Made once: reading all certificates takes longer than a conversation."""
    return ssl.create_default_context()


class RoutedPostboxes(Postboxes):
    """Opens the worker's own ways to the servers of every login."""

    def __init__(self, *, wire: MailWire, **wired: Any) -> None:
        super().__init__(tls=_trust(), **wired)
        self._wire = wire

    async def logins(self, account: AccountRef) -> MailLogins:
        logins = await super().logins(account)
        return replace(logins, smtp=await self._wire.route(logins.smtp, SmtpConversation))

    async def open(self, account: AccountRef) -> ImapClient:
        logins = await super().logins(account)
        return ImapClient(await self._wire.route(logins.imap, ImapConversation))
