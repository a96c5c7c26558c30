"""What a Gmail account keeps: mails in threads, drafts, a history. Behaves as Gmail documents."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import cached_property
from itertools import count
from typing import Any

Json = dict[str, Any]

_HIDDEN = {"SPAM", "TRASH"}
_MESSAGE_ID_HEADER = re.compile(rb"(?im)^message-id:.*\r?\n(?:[ \t].*\r?\n)*")


@dataclass(kw_only=True)
class StoredMail:
    id: str
    thread_id: str
    labels: set[str]
    raw: bytes
    internal_at: datetime
    history_id: int

    @cached_property
    def headers(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=default)

    @property
    def key(self) -> str | None:
        key = self.headers["X-Drumbeat-Key"]
        return None if key is None else str(key)

    @property
    def message_id(self) -> str:
        return str(self.headers["Message-ID"] or "").strip()

    def resource(self, form: str) -> Json:
        """The answer of messages.get in this format."""
        resource: Json = {
            "id": self.id,
            "threadId": self.thread_id,
            "labelIds": sorted(self.labels),
            "historyId": str(self.history_id),
            "internalDate": str(int(self.internal_at.timestamp()) * 1000),
        }
        if form == "raw":
            resource["raw"] = urlsafe_b64encode(self.raw).decode()
        if form in {"full", "metadata"}:
            headers = [{"name": n, "value": str(v)} for n, v in self.headers.items()]
            resource["payload"] = {"headers": headers}
        return resource


class Mailbox:
    """`mails` are all of them by id, drafts included; `drafts` point at theirs by draft id."""

    def __init__(self, clock: Callable[[], datetime] | None = None) -> None:
        self.mails: dict[str, StoredMail] = {}
        self.drafts: dict[str, StoredMail] = {}
        self.history: list[StoredMail] = []
        self.history_id = 1000
        self.clock = clock or (lambda: datetime.now(UTC))
        self._ids = count(1)

    @property
    def sent(self) -> list[StoredMail]:
        return [mail for mail in self.mails.values() if "SENT" in mail.labels]

    def deliver(
        self,
        raw: bytes,
        *,
        thread_id: str | None = None,
        labels: Iterable[str] = ("INBOX", "UNREAD"),
    ) -> StoredMail:
        """A mail comes in, into the thread that its headers name unless told otherwise."""
        return self._add(raw, thread_id or self._thread_of(raw), labels)

    def write_by_hand(self, raw: bytes, *, thread_id: str | None = None) -> StoredMail:
        """A person sends a mail from this mailbox, without us."""
        rewritten = _with_new_message_id(raw, next(self._ids))
        return self.deliver(rewritten, thread_id=thread_id, labels=["SENT"])

    def add_draft(self, raw: bytes, thread_id: str | None) -> tuple[str, StoredMail]:
        mail = self._add(raw, thread_id or self._new_thread(), ["DRAFT"])
        draft_id = f"draft-{next(self._ids)}"
        self.drafts[draft_id] = mail
        return draft_id, mail

    def send_draft(self, draft_id: str) -> StoredMail:
        """The draft goes, and a mail with another id and another Message-ID comes."""
        draft = self.drafts.pop(draft_id)
        del self.mails[draft.id]
        raw = _with_new_message_id(draft.raw, next(self._ids))
        return self._add(raw, draft.thread_id, ["SENT"])

    def delete_draft(self, draft_id: str) -> None:
        del self.mails[self.drafts.pop(draft_id).id]

    def delete(self, mail: StoredMail) -> None:
        del self.mails[mail.id]

    def thread(self, thread_id: str) -> list[StoredMail]:
        return [mail for mail in self.mails.values() if mail.thread_id == thread_id]

    def search(self, query: str, *, everywhere: bool) -> list[StoredMail]:
        """The newest first. Knows in:, to:, from: and after:, and refuses the rest."""
        found = [mail for mail in self.mails.values() if everywhere or not mail.labels & _HIDDEN]
        for term in query.split():
            found = [mail for mail in found if _matches(mail, *term.split(":", 1))]
        return found[::-1]

    def _add(self, raw: bytes, thread_id: str, labels: Iterable[str]) -> StoredMail:
        self.history_id += 7  # Gmail's ids grow, with gaps
        mail = StoredMail(
            id=f"mail-{next(self._ids)}",
            thread_id=thread_id,
            labels=set(labels),
            raw=raw,
            internal_at=self.clock(),
            history_id=self.history_id,
        )
        self.mails[mail.id] = mail
        self.history.append(mail)
        return mail

    def _thread_of(self, raw: bytes) -> str:
        headers = message_from_bytes(raw, policy=default)
        named = f"{headers['In-Reply-To'] or ''} {headers['References'] or ''}".split()
        parents = (mail for mail in self.mails.values() if mail.message_id in named)
        return next((mail.thread_id for mail in parents), None) or self._new_thread()

    def _new_thread(self) -> str:
        return f"thread-{next(self._ids)}"


def _with_new_message_id(raw: bytes, number: int) -> bytes:
    head, end, body = raw.partition(b"\r\n\r\n")
    kept = _MESSAGE_ID_HEADER.sub(b"", head + b"\r\n")
    return kept + f"Message-ID: <CA+{number}@mail.gmail.com>".encode() + end + body


def _matches(mail: StoredMail, name: str, value: str) -> bool:
    match name:
        case "in":
            return value.upper() in mail.labels
        case "to" | "from":
            return value.lower() in str(mail.headers[name] or "").lower()
        case "after":
            return mail.internal_at.timestamp() >= int(value)
        case _:
            raise AssertionError(f"the fake Gmail cannot search {name}:")
