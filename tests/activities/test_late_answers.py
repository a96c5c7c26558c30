"""What was nobody's is matched later, and Gmail is asked to tell of what comes."""

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

from sqlalchemy import select

from shared.contracts.inbound import InboundEvent
from shared.contracts.recipient import ActionOrder
from shared.db.models import AccountRow, InboundEventRow, LeadRow
from shared.db.session import Database
from shared.domain.inbound import InboundKind, ReplyClass
from shared.domain.recipient import EndReason
from shared.inbound import receive_inbound
from shared.keyring import Keyring
from tests.activities.conftest import Send, at
from tests.activities.test_inbox import events, poll
from tests.factories import NOON, Company
from tests.fakes.conductor import RecordingConductor
from tests.fakes.gmail import FakeGmail
from workflows.parts import Parts


async def lead_of(company: Company, order: ActionOrder) -> LeadRow:
    recipient = await company.recipient(order.recipient_id)
    async with company.session() as session:
        return await session.get_one(LeadRow, recipient.lead_id)


async def test_what_was_nobodys_is_matched_once_its_mail_is_known(
    *,
    parts: Parts,
    company: Company,
    order: ActionOrder,
    send: Send,
    gmail: FakeGmail,
    conductor: RecordingConductor,
    database: Database,
    keyring: Keyring,
) -> None:
    """The answer is told to us before the mail that it answers was recorded."""
    event = InboundEvent(
        company_id=company.id,
        account_id=company.account_id,
        provider="job",
        provider_event_id="job/1",
        kind=InboundKind.REPLY,
        occurred_at=datetime.now(UTC),
        message_ids=("<real-1@mail.gmail.com>",),
        text="Yes, please.",
    )
    assert await receive_inbound(database, keyring, conductor, event)
    assert conductor.stops == []

    await send(order)
    async with company.session() as session:
        action = (await company.actions())[0]
        (await session.merge(action)).message_id = "<real-1@mail.gmail.com>"
        [row] = await session.scalars(select(InboundEventRow))
        row.stored_at = datetime.now(UTC) - timedelta(minutes=2)

    assert await at(NOON).run(parts.answers.match) >= 1
    await at(NOON).run(parts.answers.match)

    [stored] = await events(company)
    assert stored.recipient_id == order.recipient_id
    assert stored.signalled_at is not None
    assert stored.reply_class is ReplyClass.INTERESTED
    assert (await company.recipient(order.recipient_id)).end_reason is EndReason.REPLIED
    assert [ref.recipient_id for ref, _ in conductor.stops] == [order.recipient_id]


async def test_what_a_lead_wrote_before_our_first_mail_does_not_answer_it(
    parts: Parts, company: Company, order: ActionOrder, gmail: FakeGmail, send: Send
) -> None:
    lead = await lead_of(company, order)
    unrelated = EmailMessage()
    unrelated["From"], unrelated["To"] = lead.email or "", "sam@acme.test"
    unrelated.set_content("Did we meet at the fair?")
    await poll(parts, company)
    gmail.box.deliver(bytes(unrelated))
    await poll(parts, company)
    [event] = await events(company)
    assert event.recipient_id is None
    async with company.session() as session:
        row = await session.get_one(InboundEventRow, event.id)
        row.stored_at = NOON - timedelta(hours=1)

    await send(order)
    await at(NOON).run(parts.answers.match)

    assert (await company.recipient(order.recipient_id)).end_reason is None


async def test_watches_are_renewed_daily(
    parts: Parts, company: Company, gmail: FakeGmail, database: Database
) -> None:
    parts.watching._topic = "projects/acme/topics/mail"

    for _ in range(2):
        await at(NOON).run(parts.watching.renew)

    async with company.session() as session:
        account = await session.get_one(AccountRow, company.account_id)
        assert account.watched_until is not None
        assert account.watched_until > datetime.now(UTC) + timedelta(days=6)
        before = len(gmail.watches)
        account.watched_until = datetime.now(UTC) + timedelta(days=5, hours=23)
    assert gmail.watches[0]["topicName"] == "projects/acme/topics/mail"

    assert await at(NOON).run(parts.watching.renew) == 1
    assert len(gmail.watches) == before + 1


async def test_nothing_is_watched_without_a_topic(parts: Parts, company: Company) -> None:
    assert await at(NOON).run(parts.watching.renew) == 0


async def test_a_mailbox_that_cannot_be_watched_holds_up_no_other(
    parts: Parts, company: Company, gmail: FakeGmail
) -> None:
    parts.watching._topic = "projects/acme/topics/mail"
    gmail.be_down(on="watch")
    await at(NOON).run(parts.watching.renew)
    await at(NOON).run(parts.watching.renew)

    async with company.session() as session:
        account = await session.get_one(AccountRow, company.account_id)
    assert account.watched_until is not None
