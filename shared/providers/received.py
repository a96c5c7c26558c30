"""A mail that came in: what it says, and what it is. Nothing here touches the network."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr
from enum import StrEnum

from shared.providers.html_text import text_of_html
from shared.providers.mail_parts import body_of, first, header_of, ids_of
from shared.providers.mime import KEY_HEADER
from shared.providers.quoted import without_quotes
from shared.providers.reports import POSTMASTER, Report, find_report
from shared.providers.return_dates import find_return
from shared.providers.stop_words import asks_to_stop

_LONGEST_TEXT = 100_000
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
    BLOCKED = "blocked"
    DELAYED = "delayed"
    COMPLAINT = "complaint"
    UNSUBSCRIBE = "unsubscribe"


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
    name, address = parseaddr(header_of(message, "From"))
    headers = {name: header_of(message, name) for name in _SAYS_WHAT_IT_IS if name in message}
    subject = " ".join(header_of(message, "Subject").split())
    return Received(
        message_id=first(ids_of(message, "Message-ID")),
        in_reply_to=first(ids_of(message, "In-Reply-To")),
        references=ids_of(message, "References"),
        sender=address.lower(),
        sender_name=name,
        subject=subject,
        text=text,
        reply_text=without_quotes(text),
        key=header_of(message, KEY_HEADER) or None,
        headers=headers,
        report=find_report(
            message, sender=address.lower(), subject=subject, headers=headers, text=text
        ),
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
    if action == "complaint":
        return Kind.COMPLAINT
    if action == "delayed":
        return Kind.DELAYED
    # X.7.X is the receiver's policy: it says something about us, and nothing about the address.
    if status.startswith("5.7."):
        return Kind.BLOCKED
    return Kind.BOUNCE_HARD if status in _DEAD_ADDRESS else Kind.BOUNCE_SOFT


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
        or POSTMASTER.search(sender) is not None
        or _NO_REPLY.search(sender) is not None
        or _AUTOMATIC_SUBJECT.search(subject) is not None
    )


def _text(message: EmailMessage) -> str:
    for kind in ("plain", "html"):
        part = message.get_body(preferencelist=(kind,))
        text = body_of(part) if part is not None else ""
        if text.strip():
            return text_of_html(text) if kind == "html" else text
    return ""
