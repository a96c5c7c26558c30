"""What people and mail servers write back, as whole messages.

Nothing here asks the clock; only the Message-IDs are drawn at random.

Bounces follow RFC 3464 (report in three parts), automatic answers RFC 3834.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage, Message
from email.policy import SMTP
from email.utils import format_datetime, getaddresses, make_msgid

from deploy.sandbox.behaviour import Answer, Manner, Person

BOUNCER = "Mail Delivery Subsystem <mailer-daemon@googlemail.com>"
REPLIES = {
    Manner.PLAIN: "Thank you, that sounds interesting. Could you send me a few times for a call?",
    Manner.QUOTING: "Yes, please tell me more. Next Tuesday would suit me.",
    Manner.GERMAN: "Vielen Dank, das klingt gut. Rufen Sie mich bitte nächste Woche kurz an.",
}
UNSUBSCRIBES = "Please unsubscribe me and do not write to me again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A mail as it reached a person. `message_id` is the one the mailbox gave it."""

    mail: EmailMessage
    message_id: str

    @property
    def to(self) -> str:
        return first_address(self.mail, "To")

    @property
    def sender(self) -> str:
        return first_address(self.mail, "From")

    @property
    def subject(self) -> str:
        return str(self.mail.get("Subject", ""))

    @property
    def key(self) -> str | None:
        """The sender's own mark of this mail, if it has one."""
        value = self.mail.get("X-Drumbeat-Key")
        return None if value is None else str(value)

    def text(self) -> str:
        part = self.mail.get_body(("plain",))
        return "" if part is None else str(part.get_content())


def write_answer(person: Person, received: Received, now: datetime) -> EmailMessage:
    """The mail with which this person (or their server) answers the one received."""
    match person.answer:
        case Answer.REPLY:
            return _reply(person, received, now, _reply_text(person, received))
        case Answer.UNSUBSCRIBE:
            return _reply(person, received, now, UNSUBSCRIBES)
        case Answer.OUT_OF_OFFICE:
            return _out_of_office(person, received, now)
        case Answer.BOUNCE:
            return _bounce(person, received, now)
        case Answer.SILENT:
            raise ValueError(f"{person.address} is silent and writes nothing")


def first_address(mail: Message, header: str) -> str:
    pairs = getaddresses([str(mail.get(header, ""))])
    return pairs[0][1].lower() if pairs else ""


def _reply_text(person: Person, received: Received) -> str:
    text = REPLIES[person.manner]
    if person.manner is not Manner.QUOTING:
        return text
    sent_at = received.mail.get("Date", "an earlier day")
    quoted = "\n".join(f"> {line}" for line in received.text().splitlines())
    return f"{text}\n\nOn {sent_at}, {received.sender} wrote:\n{quoted}"


def _reply(person: Person, received: Received, now: datetime, text: str) -> EmailMessage:
    mail = _answering(received, person.address, now)
    mail["Subject"] = _re(received.subject)
    mail.set_content(text + "\n")
    return mail


def _out_of_office(person: Person, received: Received, now: datetime) -> EmailMessage:
    back_at = (now + timedelta(seconds=person.away_seconds)).replace(microsecond=0)
    mail = _answering(received, person.address, now)
    mail["Subject"] = f"Automatic reply: {received.subject}"
    mail["Auto-Submitted"] = "auto-replied"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(
        "Thank you for your message. I am out of the office and do not read mail.\n"
        f"I will be back on {back_at:%Y-%m-%d %H:%M:%S} UTC.\n"
    )
    return mail


def _bounce(person: Person, received: Received, now: datetime) -> EmailMessage:
    mail = _answering(received, BOUNCER, now)
    mail["Subject"] = "Delivery Status Notification (Failure)"
    mail["Auto-Submitted"] = "auto-replied"
    mail["X-Failed-Recipients"] = person.address
    mail["Content-Type"] = "multipart/report; report-type=delivery-status"
    explanation = EmailMessage(policy=SMTP)
    explanation.set_content(
        f"Your message was not delivered to {person.address}, because no such address exists.\n"
    )
    for part in (explanation, _delivery_status(person), _original_headers(received)):
        mail.attach(part)
    return mail


def _delivery_status(person: Person) -> EmailMessage:
    """RFC 3464 section 2: one group of fields for the message, one for its only recipient."""
    of_message, of_recipient = Message(policy=SMTP), Message(policy=SMTP)
    of_message["Reporting-MTA"] = "dns; googlemail.com"
    of_recipient["Final-Recipient"] = f"rfc822; {person.address}"
    of_recipient["Action"] = "failed"
    of_recipient["Status"] = "5.1.1"
    of_recipient["Diagnostic-Code"] = "smtp; 550 5.1.1 the account does not exist"
    status = EmailMessage(policy=SMTP)
    status["Content-Type"] = "message/delivery-status"
    status.set_payload([of_message, of_recipient])
    return status


def _original_headers(received: Received) -> EmailMessage:
    """The headers as they were transported, because encoded words are not for us to decode."""
    headers = received.mail.as_bytes(policy=SMTP).partition(b"\r\n\r\n")[0].decode("ascii")
    if "Message-ID" not in received.mail:
        headers += f"\r\nMessage-ID: {received.message_id}"
    part = EmailMessage(policy=SMTP)
    part.set_content(headers.replace("\r\n", "\n") + "\n", subtype="rfc822-headers")
    return part


def _answering(received: Received, sender: str, now: datetime) -> EmailMessage:
    """Headers that tie an answer to its mail, so that it joins the thread (RFC 5322, 3.6.4)."""
    earlier = " ".join(str(received.mail.get("References", "")).split())
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"] = sender, received.sender
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].rstrip(">"))
    mail["In-Reply-To"] = received.message_id
    mail["References"] = f"{earlier} {received.message_id}".strip()
    return mail


def _re(subject: str) -> str:
    return subject if subject.lower().startswith("re:") else f"Re: {subject}"
