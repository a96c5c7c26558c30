"""Mail servers small enough to read: submission (RFC 6409) and IMAP (RFC 3501) of one mailbox each.

They speak as much as a client needs that sends mails, reads what is new and looks among the sent
ones. At every command they ask a `Watch` first, which may have them misbehave.
"""

import asyncio
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from deploy.sandbox.faulty_mailbox import Mailbox, StoredMail

FOLDERS = {"INBOX": "INBOX", "Sent": "SENT"}
_UID_SEARCH = re.compile(
    r'SEARCH (?:HEADER Message-ID "?([^"]+)"?|UID (\d+):\*|SINCE .*)', re.IGNORECASE
)
_UID_FETCH = re.compile(r"FETCH (\d+) ", re.IGNORECASE)
_FOLDER = re.compile(r'"?([^"]+?)"?$')


class HangUp(Exception):
    """The connection is reset."""


class Silence(Exception):
    """Nothing more is ever said, and the connection stays open."""


class Refusal(Exception):
    """The server says this line instead."""


class Watch(Protocol):
    """Hears of each command, before and after it is carried out. Raises what is to happen."""

    @property
    def is_cut(self) -> bool: ...
    async def before(self, operation: str) -> None: ...
    async def after(self, operation: str) -> None: ...


@dataclass(slots=True, kw_only=True)
class Postbox:
    """A mailbox at such servers. `keeps_sent`: what leaves lies in its folder Sent."""

    box: Mailbox
    keeps_sent: bool = True


class Conversation:
    """One connection. `postboxes`: by the name that logs in."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        postboxes: Mapping[str, Postbox],
        watch: Watch,
    ) -> None:
        self._reader, self._writer = reader, writer
        self._postboxes, self._watch = postboxes, watch
        self._postbox: Postbox | None = None

    async def run(self) -> None:
        """Talk until one of both has had enough."""
        try:
            await self._greet()
            while line := await self._reader.readline():
                if not await self._answer(line.decode().rstrip("\r\n")):
                    break
        except HangUp:
            self._writer.transport.abort()
        except Silence:
            await self._reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            # The other side was killed.
            self._writer.transport.abort()
        finally:
            self._writer.close()

    async def _greet(self) -> None:
        raise NotImplementedError

    async def _answer(self, line: str) -> bool:
        raise NotImplementedError

    async def _say(self, *lines: str) -> None:
        if self._watch.is_cut:
            # Whoever would hear it is dead.
            return
        self._writer.write("".join(f"{line}\r\n" for line in lines).encode())
        await self._writer.drain()

    def _logged_in(self) -> Postbox:
        if self._postbox is None:
            raise HangUp
        return self._postbox


class SmtpConversation(Conversation):
    async def _greet(self) -> None:
        await self._say("220 mail.test ESMTP")

    async def _answer(self, line: str) -> bool:
        verb = line[:4].upper()
        try:
            await self._obey(verb, line)
        except Refusal as refusal:
            await self._say(str(refusal))
        return verb != "QUIT"

    async def _obey(self, verb: str, line: str) -> None:
        match verb:
            case "EHLO":
                await self._say("250-mail.test", "250-8BITMIME", "250 AUTH PLAIN")
            case "AUTH":
                await self._watch.before("smtp.login")
                name = b64decode(line.split()[2]).split(b"\0")[1].decode()
                self._postbox = self._postboxes[name]
                await self._say("235 2.7.0 Authentication succeeded")
            case "MAIL" | "RCPT":
                await self._watch.before(f"smtp.{verb.lower()}")
                await self._say("250 2.1.0 OK")
            case "DATA":
                await self._take()
            case "QUIT":
                await self._say("221 2.0.0 Bye")
            case _:
                await self._say("250 2.0.0 OK")

    async def _take(self) -> None:
        await self._watch.before("smtp.data")
        await self._say("354 End data with <CR><LF>.<CR><LF>")
        await self._watch.after("smtp.data")
        quoted = await self._reader.readuntil(b"\r\n.\r\n")
        await self._watch.before("smtp.dot")
        raw = quoted[:-3].replace(b"\r\n..", b"\r\n.")
        self._logged_in().box.deliver(raw, thread_id="sent", labels=["SENT"])
        await self._watch.after("smtp.dot")
        await self._say("250 2.0.0 OK: queued")


class ImapConversation(Conversation):
    async def _greet(self) -> None:
        self._folder: list[StoredMail] = []
        await self._say("* OK [CAPABILITY IMAP4rev1 SPECIAL-USE] ready")

    async def _answer(self, line: str) -> bool:
        tag, _, rest = line.partition(" ")
        verb = rest.split(" ", 1)[0].upper()
        try:
            await self._obey(verb, rest)
        except Refusal as refusal:
            await self._say(f"{tag} {refusal}")
        else:
            await self._say(f"{tag} OK {verb} done")
        return verb != "LOGOUT"

    async def _obey(self, verb: str, rest: str) -> None:
        match verb:
            case "CAPABILITY":
                await self._say("* CAPABILITY IMAP4rev1 SPECIAL-USE")
            case "LOGIN":
                await self._watch.before("imap.login")
                self._postbox = self._postboxes[rest.split()[1].strip('"')]
            case "LIST":
                await self._list(rest.split()[-1].strip('"'))
            case "EXAMINE" | "SELECT":
                await self._open(rest)
            case "UID":
                await self._look(rest.partition(" ")[2])
            case "LOGOUT":
                await self._say("* BYE")

    async def _list(self, pattern: str) -> None:
        flags = {"INBOX": "\\HasNoChildren"}
        if self._logged_in().keeps_sent:
            flags["Sent"] = "\\HasNoChildren \\Sent"
        wanted = flags if pattern in {"*", "%"} else flags.keys() & {pattern}
        await self._say(*(f'* LIST ({flags[name]}) "/" "{name}"' for name in wanted))

    async def _open(self, rest: str) -> None:
        found = _FOLDER.search(rest.partition(" ")[2])
        label = FOLDERS.get(found.group(1)) if found else None
        if label is None:
            raise Refusal("NO there is no such folder")
        await self._watch.before("imap.open")
        box = self._logged_in().box
        self._folder = [mail for mail in box.mails.values() if label in mail.labels]
        await self._say(
            f"* {len(self._folder)} EXISTS",
            "* OK [UIDVALIDITY 7] never renumbered",
            f"* OK [UIDNEXT {box.history_id + 1}] grows",
        )

    async def _look(self, command: str) -> None:
        if found := _UID_SEARCH.match(command):
            message_id, first = found.groups()
            uids = [
                mail.history_id
                for mail in self._folder
                if (message_id is None or mail.message_id == message_id)
                and (first is None or mail.history_id >= int(first))
            ]
            await self._say(" ".join(["* SEARCH", *map(str, uids)]))
        elif found := _UID_FETCH.match(command):
            for number, mail in self._numbered(int(found.group(1))):
                head = f"* {number} FETCH (UID {mail.history_id} INTERNALDATE "
                head += f'"{_internal_date(mail.internal_at)}" BODY[]<0> {{{len(mail.raw)}}}\r\n'
                self._writer.write(head.encode() + mail.raw + b")\r\n")

    def _numbered(self, uid: int) -> Iterator[tuple[int, StoredMail]]:
        for number, mail in enumerate(self._folder, 1):
            if mail.history_id == uid:
                yield number, mail


def _internal_date(at: datetime) -> str:
    return f"{at:%d-%b-%Y %H:%M:%S %z}"
