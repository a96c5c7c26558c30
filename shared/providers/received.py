"""A mail that came in: what it says, and what it is. Nothing here touches the network."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, message_from_string
from email.errors import HeaderParseError
from email.message import EmailMessage, Message
from email.policy import default
from email.utils import parseaddr
from enum import StrEnum
from typing import Any

from shared.providers.html_text import text_of_html
from shared.providers.mime import KEY_HEADER
from shared.providers.quoted import without_quotes
from shared.providers.return_dates import find_return
from shared.providers.stop_words import asks_to_stop

_LONGEST_TEXT = 100_000
# What the standard library raises for headers and charsets that nobody should write.
_UNREADABLE = (
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
    UnboundLocalError,
    HeaderParseError,
)
_ID = re.compile(r"<[^<>\s]+>")
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_QUOTED_ID = re.compile(r"(?im)^[> \t]*message-id:\s*(<[^<>\s]+>)")
_QUOTED_KEY = re.compile(rf"(?im)^[> \t]*{KEY_HEADER}:\s*(\S+)")
_POSTMASTER = re.compile(r"(?i)^(mailer-daemon|postmaster)@|^mailer-daemon$")
_NO_REPLY = re.compile(r"(?i)^(do-?not-?reply|no-?reply)@")
_AUTOMATIC_SUBJECT = re.compile(
    r"(?i)^\W*(automatic reply|auto(matic)?[- ]?(reply|response)|out of (the )?office"
    r"|abwesenheit|automatische antwort|abwesend|réponse automatique|absence du bureau"
    r"|respuesta automática|fuera de la oficina|risposta automatica|fuori sede"
    r"|automatisch antwoord|afwezig)"
)
_SAYS_WHAT_IT_IS = (
    "auto-submitted",
    "x-autoreply",
    "x-autorespond",
    "x-autoresponder",
    "x-auto-response-suppress",
    "x-failed-recipients",
    "precedence",
    "list-id",
    "return-path",
    "content-type",
)

# RFC 3463: this address will never work. Other 5.x.x are about size, policy, content or us.
_DEAD_ADDRESS = {"5.0.0", "5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.4", "5.1.6", "5.1.10"} | {
    "5.2.1",  # the mailbox is disabled
    "5.4.1",  # how Microsoft says that nobody has this address
    "5.4.4",  # the domain leads nowhere
    "5.4.310",  # Microsoft: there is no such domain
}


class Kind(StrEnum):
    REPLY = "reply"
    AUTO_REPLY = "auto_reply"
    BOUNCE_HARD = "bounce_hard"
    BOUNCE_SOFT = "bounce_soft"
    UNSUBSCRIBE = "unsubscribe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report on a mail's delivery (RFC 3464). `message_ids` and `key` are those of that mail."""

    action: str
    status: str
    recipients: tuple[str, ...]
    message_ids: tuple[str, ...]
    key: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """`reply_text` is what was written now, without what it quotes. `key` is ours, if it is ours.

    `headers` are those by which mails say what they are, their names in lower case.
    """

    message_id: str | None
    in_reply_to: str | None
    references: tuple[str, ...]
    sender: str
    sender_name: str
    subject: str
    text: str
    reply_text: str
    key: str | None
    headers: Mapping[str, str]
    report: Report | None


def read(raw: bytes) -> Received:
    """Never fails: what cannot be read is empty."""
    message = message_from_bytes(raw, policy=default)
    text = _text(message)[:_LONGEST_TEXT]
    name, address = parseaddr(_header(message, "From"))
    headers = {name: _header(message, name) for name in _SAYS_WHAT_IT_IS if name in message}
    return Received(
        message_id=_first(_ids(message, "Message-ID")),
        in_reply_to=_first(_ids(message, "In-Reply-To")),
        references=_ids(message, "References"),
        sender=address.lower(),
        sender_name=name,
        subject=" ".join(_header(message, "Subject").split()),
        text=text,
        reply_text=without_quotes(text),
        key=_header(message, KEY_HEADER) or None,
        headers=headers,
        report=_report(message) or _report_in_words(address, headers, text),
    )


def classify(received: Received) -> Kind:
    if received.report is not None:
        return kind_of_report(received.report.action, received.report.status)
    if is_automatic(received.headers, sender=received.sender, subject=received.subject):
        return Kind.AUTO_REPLY
    if asks_to_stop(received.reply_text, subject=received.subject):
        return Kind.UNSUBSCRIBE
    return Kind.REPLY


def return_at(received: Received, now: datetime) -> datetime | None:
    """When the person who is away says to be back; None when that is not said or not ahead."""
    return find_return(f"{received.subject}\n{received.reply_text}", now)


def kind_of_report(action: str, status: str) -> Kind:
    """RFC 3464 section 2.3.3 for the action, RFC 3463 for the status."""
    if action in {"delivered", "relayed", "expanded"} or status.startswith("2."):
        return Kind.AUTO_REPLY
    is_dead = action != "delayed" and status in _DEAD_ADDRESS
    return Kind.BOUNCE_HARD if is_dead else Kind.BOUNCE_SOFT


def is_automatic(headers: Mapping[str, str], *, sender: str, subject: str) -> bool:
    """RFC 3834 section 5, and what was in use before and beside it."""
    submitted = headers.get("auto-submitted", "no").partition(";")[0].strip().lower()
    precedence = headers.get("precedence", "").strip().lower()
    return (
        submitted != "no"
        or precedence in {"auto_reply", "bulk", "junk", "list"}
        or any(name in headers for name in ("x-autoreply", "x-autorespond", "x-autoresponder"))
        or "list-id" in headers
        or headers.get("return-path", "").strip() == "<>"
        or headers.get("content-type", "").lower().startswith("multipart/report")
        or _POSTMASTER.search(sender) is not None
        or _NO_REPLY.search(sender) is not None
        or _AUTOMATIC_SUBJECT.search(subject) is not None
    )


def _report(message: Message) -> Report | None:
    if message.get_content_type() != "multipart/report":
        return None
    parts: dict[str, Message] = {}
    for part in message.walk():
        parts.setdefault(part.get_content_type(), part)
    status_part = parts.get("message/delivery-status") or parts.get(
        "message/global-delivery-status"
    )
    if status_part is None:
        return None
    blocks = [block for block in _blocks(status_part) if _header(block, "Action")]
    worst = max(blocks, key=lambda block: _status(block), default=None)
    original = _original(parts)
    return Report(
        action=_header(worst, "Action").lower() if worst else "failed",
        status=_status(worst) if worst else "4.0.0",
        recipients=tuple(_address(block) for block in blocks),
        message_ids=_ids(original, "Message-ID") if original else (),
        key=(_header(original, KEY_HEADER) or None) if original else None,
    )


def _blocks(part: Message) -> Iterator[Message]:
    """The groups of fields: one about the mail, then one for each recipient.

    Python parses those of RFC 3464, and takes those of RFC 6533 for a mail with a body.
    """
    payload = part.get_payload()
    if isinstance(payload, str):
        yield from map(message_from_string, re.split(r"\n\s*\n", payload.replace("\r", "")))
        return
    for block in payload if isinstance(payload, list) else []:
        if isinstance(block, Message):
            yield block
            yield from _blocks(block)


def _status(block: Message) -> str:
    """The diagnosis is more exact than a status that ends in zeros."""
    status = _STATUS.search(_header(block, "Status"))
    found = status.group(1) if status else "4.0.0"
    diagnosis = _STATUS.search(_header(block, "Diagnostic-Code"))
    is_vague = found.endswith(".0.0") or status is None
    return diagnosis.group(1) if diagnosis and is_vague else found


def _address(block: Message) -> str:
    recipient = _header(block, "Final-Recipient") or _header(block, "Original-Recipient")
    return recipient.rpartition(";")[2].strip().lower()


def _original(parts: Mapping[str, Message]) -> Message | None:
    whole = parts.get("message/rfc822") or parts.get("message/global")
    if whole is not None and isinstance(whole.get_payload(), list):
        return whole.get_payload(0)  # type: ignore[return-value]  # typeshed: a part or text
    headers = parts.get("text/rfc822-headers")
    return message_from_string(_decoded(headers), policy=default) if headers else None


def _report_in_words(sender: str, headers: Mapping[str, str], text: str) -> Report | None:
    """Of servers that do not follow RFC 3464; X-Failed-Recipients is Exim's and Gmail's."""
    failed = headers.get("x-failed-recipients", "")
    if not failed and not (_POSTMASTER.search(sender) and _STATUS.search(text)):
        return None
    status = _STATUS.search(text)
    return Report(
        action="failed",
        status=status.group(1) if status else "5.0.0",
        recipients=tuple(address.strip().lower() for address in failed.split(",") if address),
        message_ids=tuple(_QUOTED_ID.findall(text)),
        key=_first(_QUOTED_KEY.findall(text)),
    )


def _text(message: EmailMessage) -> str:
    for kind in ("plain", "html"):
        part = message.get_body(preferencelist=(kind,))
        text = _decoded(part) if part is not None else ""
        if text.strip():
            return text_of_html(text) if kind == "html" else text
    return ""


def _decoded(part: Any) -> str:
    try:
        text = str(part.get_content())
    except _UNREADABLE:
        text = (part.get_payload(decode=True) or b"").decode("utf-8", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _header(message: Message, name: str) -> str:
    try:
        return str(message[name] or "").strip()
    except _UNREADABLE:
        return _as_written(message, name)


def _as_written(message: Message, name: str) -> str:
    raw = (str(value) for key, value in message.raw_items() if key.lower() == name.lower())
    return " ".join(next(raw, "").encode("ascii", "replace").decode().split())


def _ids(message: Message, name: str) -> tuple[str, ...]:
    """Not parsed: the library shortens ids that are odd, and they would match no more."""
    return tuple(_ID.findall(_as_written(message, name)))


def _first(values: Iterable[str]) -> str | None:
    return next(iter(values), None)
