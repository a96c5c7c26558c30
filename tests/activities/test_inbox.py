"""What a mailbox says: found once, understood, and told to whom it concerns."""

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from uuid import UUID

import pytest
from sqlalchemy import select

from shared.contracts.operations import InboxShard
from shared.contracts.recipient import ActionOrder
from shared.db.models import AccountRow, InboundEventRow, LeadRow
from shared.db.models.accounts import AccountStatus
from shared.domain.inbound import InboundKind
from shared.domain.leads import LeadStatus
from shared.domain.recipient import EndReason
from shared.errors import Misconfigured, Unavailable
from tests.activities.conftest import Send, at
from tests.factories import NOON, Company
from tests.fakes.conductor import RecordingConductor
from tests.fakes.gmail import FakeGmail
from tests.fakes.mailbox import StoredMail
from workflows.parts import Parts

LATER = NOON + timedelta(minutes=5)


def answer(mail: StoredMail, text: str, **headers: str) -> bytes:
    message = EmailMessage()
    message["From"] = mail.headers["To"]
    message["To"] = "sam@acme.test"
    message["Subject"] = f"Re: {mail.headers['Subject']}"
    message["In-Reply-To"] = mail.message_id
    message["Message-ID"] = "<answer-1@example.test>"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return bytes(message)


@pytest.fixture
async def sent(send: Send, order: ActionOrder, gmail: FakeGmail) -> StoredMail:
    await send(order)
    [mail] = gmail.sent
    return mail


async def poll(parts: Parts, company: Company, instant: datetime = LATER) -> None:
    await parts.inbox.reader.poll(company.id, company.account_id, instant)


async def events(company: Company) -> list[InboundEventRow]:
    async with company.session() as session:
        return list(await session.scalars(select(InboundEventRow)))


@pytest.mark.parametrize(
    ("text", "kind", "end_reason", "lead_status"),
    [
        pytest.param(
            "Yes, let us talk.",
            InboundKind.REPLY,
            EndReason.REPLIED,
            LeadStatus.INTERESTED,
            id="reply",
        ),
        pytest.param(
            "Please unsubscribe me.",
            InboundKind.UNSUBSCRIBE,
            EndReason.UNSUBSCRIBED,
            LeadStatus.UNSUBSCRIBED,
            id="unsubscribe in words",
        ),
    ],
)
async def test_an_answer_ends_the_recipient(
    parts: Parts,
    company: Company,
    order: ActionOrder,
    gmail: FakeGmail,
    sent: StoredMail,
    conductor: RecordingConductor,
    text: str,
    kind: InboundKind,
    end_reason: EndReason,
    lead_status: LeadStatus,
) -> None:
    gmail.box.deliver(answer(sent, text), thread_id=sent.thread_id)

    await poll(parts, company)
    await poll(parts, company)

    [event] = await events(company)
    recipient = await company.recipient(order.recipient_id)
    [(stopped, signal)] = conductor.stops
    assert (event.kind, event.recipient_id) == (kind, order.recipient_id)
    assert event.signalled_at is not None
    assert event.text == text
    assert recipient.end_reason is end_reason
    assert (stopped.recipient_id, signal.reason) == (order.recipient_id, end_reason)
    async with company.session() as session:
        assert (await session.get_one(LeadRow, recipient.lead_id)).status is lead_status
    [action] = await company.actions()
    assert action.responded_at is not None


async def test_out_of_office_is_no_reply_and_moves_the_next_step(
    parts: Parts,
    company: Company,
    order: ActionOrder,
    gmail: FakeGmail,
    sent: StoredMail,
    conductor: RecordingConductor,
) -> None:
    back = datetime.now(UTC).replace(microsecond=0) + timedelta(days=10, seconds=30)
    text = f"I am away and will be back on {back:%Y-%m-%d %H:%M:%S} UTC."
    raw = answer(sent, text, Auto_Submitted="auto-replied")
    gmail.box.deliver(raw, thread_id=sent.thread_id)

    await poll(parts, company)

    recipient = await company.recipient(order.recipient_id)
    assert (recipient.end_reason, conductor.stops) == (None, [])
    assert recipient.away_until == back
    assert [ref.recipient_id for ref, _ in conductor.wakes] == [order.recipient_id]


async def test_a_reply_in_one_campaign_ends_the_leads_others(
    parts: Parts,
    company: Company,
    order: ActionOrder,
    gmail: FakeGmail,
    sent: StoredMail,
    conductor: RecordingConductor,
) -> None:
    lead_id = (await company.recipient(order.recipient_id)).lead_id
    other = await company.make_recipient(await company.make_campaign(), lead_id=lead_id)
    gmail.box.deliver(answer(sent, "No, thank you."), thread_id=sent.thread_id)

    await poll(parts, company)

    assert (await company.recipient(other.recipient_id)).end_reason is EndReason.REPLIED
    # It was never started, so there is nobody to tell.
    assert [ref.recipient_id for ref, _ in conductor.stops] == [order.recipient_id]


async def test_our_own_mail_drafts_and_private_mail_are_passed_over(
    parts: Parts, company: Company, gmail: FakeGmail, sent: StoredMail
) -> None:
    private = EmailMessage()
    private["From"], private["To"] = "mother@home.test", "sam@acme.test"
    private.set_content("Dinner on Sunday?")
    by_hand = EmailMessage()
    by_hand["From"], by_hand["To"] = "sam@acme.test", "ada@example.test"
    by_hand.set_content("As discussed.")
    gmail.box.deliver(bytes(private))
    gmail.box.write_by_hand(bytes(by_hand), thread_id=sent.thread_id)

    await poll(parts, company)

    assert await events(company) == []


async def test_an_answer_in_a_new_thread_is_known_by_what_it_answers(
    send: Send, parts: Parts, company: Company, order: ActionOrder, gmail: FakeGmail
) -> None:
    await send(order)
    [mail] = gmail.sent
    gmail.box.deliver(answer(mail, "From my other mailbox."), thread_id="elsewhere")

    await poll(parts, company)

    # The address is the lead's own, so it is known even before the Message-ID is.
    assert (await company.recipient(order.recipient_id)).end_reason is EndReason.REPLIED


async def test_nothing_is_lost_when_history_is_too_old(
    parts: Parts, company: Company, order: ActionOrder, gmail: FakeGmail, sent: StoredMail
) -> None:
    gmail.box.deliver(answer(sent, "Yes."), thread_id=sent.thread_id)
    gmail.oldest_history_id = 10**9

    await poll(parts, company)

    assert (await company.recipient(order.recipient_id)).end_reason is EndReason.REPLIED


async def test_a_mailbox_that_is_read_anew_tells_nothing_twice(
    parts: Parts,
    company: Company,
    order: ActionOrder,
    gmail: FakeGmail,
    sent: StoredMail,
    conductor: RecordingConductor,
) -> None:
    """History answers 404: everything of the last day is listed, and what is known stays known."""
    away = answer(sent, "Away.", Auto_Submitted="auto-replied")
    gmail.box.deliver(away, thread_id=sent.thread_id)
    await poll(parts, company)
    gmail.box.deliver(answer(sent, "Yes."), thread_id=sent.thread_id)
    gmail.oldest_history_id = 10**9
    gmail.requests.clear()

    await poll(parts, company)
    gmail.oldest_history_id = 0
    await poll(parts, company, LATER + timedelta(seconds=30))

    kinds = sorted(event.kind for event in await events(company))
    assert kinds == [InboundKind.AUTO_REPLY, InboundKind.REPLY]
    assert len(conductor.stops) == 1
    assert len(conductor.wakes) == 1
    # The known one is not even fetched again, and history goes on from the fresh position.
    assert gmail.requests["messages.get"] == 1
    assert gmail.requests["messages.list"] == 1


async def test_an_account_that_cannot_be_read_needs_attention(
    parts: Parts, company: Company, gmail: FakeGmail, sent: StoredMail
) -> None:
    gmail.expired_tokens |= {f"token-{number}" for number in range(1, 9)}

    await poll(parts, company)

    async with company.session() as session:
        account = await session.get_one(AccountRow, company.account_id)
    assert account.status is AccountStatus.NEEDS_ATTENTION


async def test_an_outage_is_passed_over_until_the_next_round(
    parts: Parts, company: Company, order: ActionOrder, gmail: FakeGmail, sent: StoredMail
) -> None:
    gmail.box.deliver(answer(sent, "Yes."), thread_id=sent.thread_id)
    gmail.be_down(on="history.list")

    await poll(parts, company)
    assert await events(company) == []
    await poll(parts, company, LATER + timedelta(seconds=30))
    assert (await company.recipient(order.recipient_id)).end_reason is EndReason.REPLIED


async def test_a_reply_that_nobody_has_polled_is_seen_by_the_last_look(
    send: Send, company: Company, order: ActionOrder, gmail: FakeGmail, sent: StoredMail
) -> None:
    gmail.box.deliver(answer(sent, "Yes."), thread_id=sent.thread_id)
    second = (await company.recipient(order.recipient_id)).next_step_id
    follow_up = company.order(company.ref(order), second)

    await send(follow_up, NOON + timedelta(days=3))

    assert len(gmail.sent) == 1
    assert (await company.recipient(order.recipient_id)).end_reason is EndReason.REPLIED


async def test_a_follow_up_waits_while_the_mailbox_cannot_be_read(
    send: Send, company: Company, order: ActionOrder, gmail: FakeGmail, sent: StoredMail
) -> None:
    gmail.be_down(on="history.list")
    second = (await company.recipient(order.recipient_id)).next_step_id
    follow_up = company.order(company.ref(order), second)

    with pytest.raises(Unavailable):
        await send(follow_up, NOON + timedelta(days=3))

    assert len(gmail.sent) == 1


async def test_the_round_goes_over_the_accounts_of_its_shard(
    parts: Parts, company: Company, order: ActionOrder, gmail: FakeGmail, sent: StoredMail
) -> None:
    gmail.box.deliver(answer(sent, "Yes."), thread_id=sent.thread_id)

    await at(LATER).run(parts.inbox.go_round, InboxShard(number=0, of=1), LATER)

    assert (await company.recipient(order.recipient_id)).end_reason is EndReason.REPLIED


async def test_a_mailbox_that_cannot_be_opened_does_not_hold_up_the_others(
    parts: Parts, company: Company, stranger: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []

    async def read_or_not(_: UUID, account_id: UUID, __: datetime) -> None:
        if account_id == company.account_id:
            raise Misconfigured("Its password was sealed with a key that is gone")
        read.append(account_id)

    monkeypatch.setattr(parts.inbox.reader, "poll", read_or_not)

    await at(NOON).run(parts.inbox.go_round, InboxShard(number=0, of=1), NOON)

    assert stranger.account_id in read
