"""What comes back over IMAP to a mailbox that sends over SMTP: real servers on both ends."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

from sqlalchemy import select

from shared.contracts.operations import InboxShard
from shared.contracts.recipient import ActionOrder
from shared.db.models import AccountRow, ActionStatus, InboundEventRow, RecipientRow
from shared.domain.inbound import InboundKind
from shared.domain.recipient import EndReason, Finished, Planned
from tests.activities.conftest import Send, at
from tests.factories import NOON, Company
from tests.fakes.conductor import RecordingConductor
from tests.fakes.mail_server import USER, FakeSmtp, ImapServer
from workflows.parts import Parts

LATER = NOON + timedelta(minutes=1)
THIRD_DAY = NOON + timedelta(days=3)


async def read_mailboxes(parts: Parts) -> None:
    await at(NOON).run(parts.inbox.go_round, InboxShard(number=0, of=1), datetime.now(UTC))


def written(subject: str, **headers: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "ada@example.test", USER, subject
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content("Yes, call me")
    return mail.as_bytes()


def report_on(mail: EmailMessage) -> bytes:
    """As RFC 3464 has it, with the headers of the mail that came back."""
    return (
        b"From: MAILER-DAEMON@acme.test\r\nTo: sam@acme.test\r\nSubject: Undelivered\r\n"
        b"MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status;"
        b' boundary="b"\r\n\r\n--b\r\n\r\nIt could not be delivered.\r\n'
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; acme.test\r\n"
        b"\r\nFinal-Recipient: rfc822; ada@example.test\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        b"\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: "
        + str(mail["Message-ID"]).encode()
        + b"\r\n\r\n--b--\r\n"
    )


async def test_an_answer_to_our_message_id_settles_it(
    *,
    send_by_smtp: Send,
    smtp_order: ActionOrder,
    smtp: FakeSmtp,
    mailbox: Company,
    parts: Parts,
    imap: ImapServer,
) -> None:
    await read_mailboxes(parts)
    smtp.loses = "dot"
    await send_by_smtp(smtp_order)
    away = {"In_Reply_To": smtp.mails[0]["Message-ID"], "Auto_Submitted": "auto-replied"}
    imap.put(written("Away", **away))
    await read_mailboxes(parts)

    assert await at(LATER).run(parts.smtp.settle, smtp_order) is True

    [action] = await mailbox.actions()
    assert action.status is ActionStatus.SENT


async def test_a_reply_that_is_read_ends_the_recipient(
    *,
    send_by_smtp: Send,
    smtp_order: ActionOrder,
    smtp: FakeSmtp,
    mailbox: Company,
    parts: Parts,
    imap: ImapServer,
    conductor: RecordingConductor,
) -> None:
    await read_mailboxes(parts)
    await send_by_smtp(smtp_order)
    imap.put(written("Re: Hello", In_Reply_To=smtp.mails[0]["Message-ID"]))

    await read_mailboxes(parts)
    await read_mailboxes(parts)

    async with mailbox.session() as session:
        [event] = await session.scalars(select(InboundEventRow))
        row = await session.get_one(RecipientRow, smtp_order.recipient_id)
    assert (event.kind, event.provider, event.text) == (InboundKind.REPLY, "imap", "Yes, call me")
    assert row.end_reason is EndReason.REPLIED
    assert [ref.recipient_id for ref, _ in conductor.stops] == [smtp_order.recipient_id]


async def test_the_last_look_finds_a_reply_that_nobody_has_read(
    *,
    send_by_smtp: Send,
    smtp_order: ActionOrder,
    smtp: FakeSmtp,
    mailbox: Company,
    parts: Parts,
    imap: ImapServer,
) -> None:
    await read_mailboxes(parts)
    second = await send_by_smtp(smtp_order)
    assert isinstance(second, Planned)
    imap.put(written("Re: Hello", In_Reply_To=smtp.mails[0]["Message-ID"]))
    async with mailbox.session() as session:
        account = await session.get_one(AccountRow, mailbox.account_id)
        account.last_polled_at = NOON

    outcome = await send_by_smtp(replace(smtp_order, step_id=second.step_id), THIRD_DAY)

    assert outcome == Finished(reason=EndReason.REPLIED)
    assert len(smtp.mails) == 1


async def test_a_report_that_names_our_message_id_is_a_bounce(
    *,
    send_by_smtp: Send,
    smtp_order: ActionOrder,
    smtp: FakeSmtp,
    mailbox: Company,
    parts: Parts,
    imap: ImapServer,
) -> None:
    await read_mailboxes(parts)
    await send_by_smtp(smtp_order)
    [mail] = smtp.mails
    imap.put(report_on(mail))

    await read_mailboxes(parts)

    async with mailbox.session() as session:
        row = await session.get_one(RecipientRow, smtp_order.recipient_id)
    assert row.end_reason is EndReason.BOUNCED
