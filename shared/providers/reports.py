"""Reports on a mail's delivery: those of RFC 3464, and those that other servers put in words."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email import message_from_string
from email.message import Message
from email.policy import default

from shared.providers.mail_parts import body_of, first, header_of, ids_of
from shared.providers.mime import KEY_HEADER

POSTMASTER = re.compile(
    r"(?i)^(mailer-daemon|postmaster|mdaemon|mail[.-]?delivery[.-]?(sub)?system)@|^mailer-daemon$"
)
_STATUS = re.compile(r"(?<![\d.])([45]\.\d{1,3}\.\d{1,3})(?![\d.])")
_ANY_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_QUOTED_ID = re.compile(r"(?im)^[> \t]*message-id:\s*(<[^<>\s]+>)")
_QUOTED_KEY = re.compile(rf"(?im)^[> \t]*{KEY_HEADER}:\s*(\S+)")
_QUOTED_FIELD = re.compile(r"(?im)^[> \t]*(final-recipient|action|status):[ \t]*([^\n]{1,200})")
_SUBJECT = re.compile(
    r"(?i)^\W*(undeliver|(mail )?deliver\w* (status|report|failure|has failed|problem|error"
    r"|notification|warning)|(permanent )?delivery fail|returned mail|failed mail|failure notice"
    r"|failure delivery|mail (delivery )?(failed|failure|error|system error|could not"
    r"|not delivered|delivery (warning|failed))|message (delivery|delayed)|warning: |delayed mail"
    r"|automatically rejected|non[- ]?(delivery|remis)|unzustellbar|unknown user"
    r"|your message to \S+ (could not|cannot)|processing error|(mail|message) not delivered"
    r"|.{0,200}\(delivery failed\))"
)
# What follows is a copy of the mail, and would be read as the reason.
_COPY = re.compile(
    r"(?im)^.{0,40}\b(copy of (your|the) (message|mail)|original message|returned message|unsent"
    r" message|message header|first part of the message|start of returned|message follows"
    r"|the message that was returned).*$|^[> \t]*(received: from|return-path: <)"
)
# In this order: a full mailbox is often called unavailable as well.
_REASONS = tuple(
    (status, re.compile(rf"(?i)({words})"))
    for status, words in (
        (
            "4.4.7 delayed",
            r"still being retried|will (be retried|(continue to |keep )try)|temporarily (deferred"
            r"|unable)|(has|have) not yet been (delivered|sent)|need not resend"
            r"|do not need to (resend|retry)|delivery (is|was|has been) (delayed|temporarily)"
            r"|delayed mail|message delayed|transient non-fatal|this is a warning",
        ),
        (
            "5.2.2",
            r"(box|folder) (is |was )?(currently )?full|quota|exceed\w* (the |its |his |their )?"
            r"(maximum|storage|mailbox|disk|size|allowed)|insufficient (system )?storage|too large"
            r"|out of (disk )?space|not been collected",
        ),
        (
            "5.1.1",
            r"(user|recipient|address|account|mailbox|addressee|alias|username)( name)?( is| was)?"
            r" (un(known|available)|not (known|found|listed|valid)|invalid|disabled|rejected"
            r"|inactive|suspended|(does|did)( not|n't) exist)|unknown (user|recipient|address"
            r"|local|account|mailbox)|(no|not an?( valid)?|invalid|bad|non-?existent|illegal"
            r"|unrecognized) (such )?(user|recipient|mailbox|account|address|addressee|person|local"
            r"|host|domain|destination|final delivery)|does( not|n't) (exist|have an?|like recip)"
            r"|doesn't have a|unrout(e)?able|host (name )?(not found|(is )?unknown|lookup)"
            r"|user unknown|not listed in|no longer (valid|available|in use|active|works|on server)"
            r"|mailbox not found|couldn't find any host|name service error|destinataire inconnu"
            r"|non recensé|unknown to|no mx|recipient rejected|user doesn't|is not a (user|known)"
            r"|this (user|account|address) (has|is)|(has been|is) (disabled|discontinued)",
        ),
        (
            "5.7.1",
            r"spam|policy|block(ed|list)|blacklist|denied|not (authorized|allowed|permitted)|virus"
            r"|content (filter|reject)|rejected (by|for|due)|prohibited",
        ),
    )
)
_DEFAULT_REASON = "5.3.0"  # it will not arrive, and nobody says that the address is to blame


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`message_ids` and `key` are those of the mail that it is about."""

    action: str
    status: str
    recipients: tuple[str, ...]
    message_ids: tuple[str, ...]
    key: str | None


def find_report(
    message: Message, *, sender: str, subject: str, headers: Mapping[str, str], text: str
) -> Report | None:
    """RFC 3464 where the mail has it, else what its words say; None: it is no report."""
    is_report = message.get_content_type() == "multipart/report"
    is_likely = is_report or bool(POSTMASTER.search(sender) or _SUBJECT.search(subject))
    found = _by_fields(message) if is_likely else None
    if found is not None:
        return found
    failed = headers.get("x-failed-recipients", "")
    is_said = bool(POSTMASTER.search(sender)) and _reason(text) is not None
    is_said = is_said or sender.startswith("mailer-daemon")
    if not (failed or is_said or _SUBJECT.search(subject)):
        return None
    # A read receipt is a multipart/report as well (RFC 8098).
    is_receipt = is_report and "disposition" in headers.get("content-type", "")
    is_receipt = is_receipt and not _SUBJECT.search(subject)
    return None if is_receipt else _in_words(failed, text)


def _by_fields(message: Message) -> Report | None:
    parts: dict[str, Message] = {}
    for part in message.walk():
        parts.setdefault(part.get_content_type(), part)
    if "message/feedback-report" in parts:
        return _complaint(parts)
    status_part = parts.get("message/delivery-status") or parts.get(
        "message/global-delivery-status"
    )
    if status_part is None:
        return None
    blocks = [block for block in _blocks(status_part) if header_of(block, "Action")]
    worst = max(blocks, key=lambda block: _status(block), default=None)
    original = _original(parts)
    return Report(
        action=_action(header_of(worst, "Action")) if worst else "failed",
        status=_status(worst) if worst else "4.0.0",
        recipients=tuple(dict.fromkeys(_address(block) for block in blocks)),
        message_ids=ids_of(original, "Message-ID") if original else (),
        key=(header_of(original, KEY_HEADER) or None) if original else None,
    )


def _complaint(parts: Mapping[str, Message]) -> Report:
    """RFC 5965: somebody has called our mail spam."""
    fields = message_from_string(_raw_text(parts["message/feedback-report"]))
    original = _original(parts)
    is_abuse = header_of(fields, "Feedback-Type").lower() in {"abuse", "fraud", "opt-out"}
    recipient = header_of(fields, "Original-Rcpt-To")
    if not recipient and original:
        recipient = header_of(original, "To")
    return Report(
        action="complaint" if is_abuse else "delivered",
        status="",
        recipients=(recipient.rpartition(";")[2].strip().strip("<>").lower(),),
        message_ids=ids_of(original, "Message-ID") if original else (),
        key=(header_of(original, KEY_HEADER) or None) if original else None,
    )


def _raw_text(part: Message) -> str:
    """The fields of a type that Python does not know; it takes message/* for a mail in a mail."""
    payload = part.get_payload()
    if isinstance(payload, list):
        return "\n".join(str(it) for it in payload)
    return str(payload).replace("\r", "")


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


def _action(written: str) -> str:
    """Some servers write `failure`, `error`, or an explanation behind the word."""
    word = re.split(r"[^a-z]", written.strip().lower(), maxsplit=1)[0]
    return word if word in {"delayed", "delivered", "relayed", "expanded"} else "failed"


def _status(block: Message) -> str:
    """The diagnosis is more exact than a status that ends in zeros."""
    status = _ANY_STATUS.search(header_of(block, "Status"))
    found = status.group(1) if status else "4.0.0"
    diagnosis = _ANY_STATUS.search(header_of(block, "Diagnostic-Code"))
    is_vague = found.endswith(".0.0") or status is None
    return diagnosis.group(1) if diagnosis and is_vague else found


def _address(block: Message) -> str:
    """As we wrote it, if the server says so; behind an alias the final one is another."""
    recipient = header_of(block, "Original-Recipient") or header_of(block, "Final-Recipient")
    return recipient.rpartition(";")[2].strip().strip("<>").lower()


def _original(parts: Mapping[str, Message]) -> Message | None:
    whole = parts.get("message/rfc822") or parts.get("message/global")
    if whole is not None and isinstance(whole.get_payload(), list):
        return whole.get_payload(0)  # type: ignore[return-value]  # typeshed: a part or text
    headers = parts.get("text/rfc822-headers")
    return message_from_string(body_of(headers), policy=default) if headers else None


def _in_words(failed: str, text: str) -> Report:
    """Of servers that do not follow RFC 3464; X-Failed-Recipients is Exim's and Gmail's."""
    fields = {name.lower(): value for name, value in reversed(_QUOTED_FIELD.findall(text))}
    status, _, action = (_reason(text) or _DEFAULT_REASON).partition(" ")
    if exact := _ANY_STATUS.search(fields.get("status", "")):
        status = exact.group(1)
    recipients = failed or fields.get("final-recipient", "").rpartition(";")[2]
    return Report(
        action=_action(fields.get("action") or action),
        status=status,
        recipients=tuple(
            address.strip().strip("<>").lower() for address in recipients.split(",") if address
        ),
        message_ids=tuple(_QUOTED_ID.findall(text)),
        key=first(_QUOTED_KEY.findall(text)),
    )


def _reason(text: str) -> str | None:
    """A status of RFC 3463, with " delayed" behind it while the server goes on trying."""
    said = _COPY.split(text, maxsplit=1)[0][:4_000]
    found = (status for status, words in _REASONS if words.search(said))
    worded = next(found, None)
    exact = _STATUS.search(said)
    is_vague = exact is None or exact.group(1).endswith(".0.0")
    if worded and (is_vague or worded.endswith("delayed")):
        return worded
    return exact.group(1) if exact else None
