"""Reports on our mails add up, and a colleague's mail is no answer."""

from email.message import EmailMessage

import pytest
from sqlalchemy import select
from uuid_utils.compat import uuid7

from shared.contracts.recipient import ActionOrder
from shared.db.models import AccountRow, LeadRow, MembershipRow, Role, SuppressionRow, UserRow
from shared.db.session import Database
from shared.domain.inbound import InboundKind
from shared.domain.leads import LeadStatus
from shared.domain.recipient import EndReason
from tests.activities.conftest import Send
from tests.activities.test_inbox import answer, events, poll
from tests.factories import Company
from tests.fakes.conductor import RecordingConductor
from tests.fakes.gmail import FakeGmail
from tests.fakes.mailbox import StoredMail
from workflows.parts import Parts


@pytest.fixture
async def sent(send: Send, order: ActionOrder, gmail: FakeGmail) -> StoredMail:
    await send(order)
    [mail] = gmail.sent
    return mail


async def lead_of(company: Company, order: ActionOrder) -> LeadRow:
    recipient = await company.recipient(order.recipient_id)
    async with company.session() as session:
        return await session.get_one(LeadRow, recipient.lead_id)


def report(mail: StoredMail, status: str, *, action: str = "failed") -> bytes:
    """Of a server that names neither the thread nor a Message-ID of ours."""
    return f"""\
From: Mail Delivery Subsystem <mailer-daemon@mx.example.test>
To: sam@acme.test
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Type: text/plain

It could not be delivered.
--b1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.test

Final-Recipient: rfc822; {mail.headers["To"]}
Action: {action}
Status: {status}
--b1--
""".encode()


async def test_a_hard_bounce_is_found_by_the_address_and_suppresses_it(
    parts: Parts, company: Company, order: ActionOrder, gmail: FakeGmail, sent: StoredMail
) -> None:
    gmail.box.deliver(report(sent, "5.1.1"))

    await poll(parts, company)

    [event] = await events(company)
    assert (event.kind, event.delivery_status) == (InboundKind.BOUNCE, "5.1.1")
    assert (await company.recipient(order.recipient_id)).end_reason is EndReason.BOUNCED
    async with company.session() as session:
        [suppression] = await session.scalars(select(SuppressionRow))
    assert suppression.reason == "bounce"


async def test_the_third_soft_bounce_is_one_too_many(
    parts: Parts,
    company: Company,
    order: ActionOrder,
    gmail: FakeGmail,
    sent: StoredMail,
    conductor: RecordingConductor,
) -> None:
    reasons = []
    for _ in range(3):
        gmail.box.deliver(report(sent, "4.2.2"))
        await poll(parts, company)
        reasons.append((await company.recipient(order.recipient_id)).end_reason)

    assert reasons == [None, None, EndReason.BOUNCED]
    assert [signal.reason for _, signal in conductor.stops] == [EndReason.BOUNCED]
    assert (await lead_of(company, order)).status is LeadStatus.BOUNCED
    async with company.session() as session:
        assert list(await session.scalars(select(SuppressionRow))) == []


async def test_a_delay_is_no_bounce(
    parts: Parts, company: Company, order: ActionOrder, gmail: FakeGmail, sent: StoredMail
) -> None:
    for _ in range(4):
        gmail.box.deliver(report(sent, "4.4.1", action="delayed"))
    await poll(parts, company)

    assert {event.kind for event in await events(company)} == {InboundKind.DELAYED}
    assert (await company.recipient(order.recipient_id)).end_reason is None


async def test_a_policy_block_warns_about_the_account_and_ends_nobody(
    parts: Parts, company: Company, order: ActionOrder, gmail: FakeGmail, sent: StoredMail
) -> None:
    gmail.box.deliver(report(sent, "5.7.26"))

    await poll(parts, company)

    async with company.session() as session:
        account = await session.get_one(AccountRow, company.account_id)
    assert account.warning is not None
    assert "5.7.26" in account.warning
    assert account.warned_at is not None
    assert (await company.recipient(order.recipient_id)).end_reason is None


async def test_a_colleague_in_the_thread_is_no_lead(
    parts: Parts,
    company: Company,
    order: ActionOrder,
    gmail: FakeGmail,
    sent: StoredMail,
    database: Database,
) -> None:
    colleague, user_id = f"kim-{company.id}@acme.test", uuid7()
    async with database.outside_session() as session:
        session.add(UserRow(id=user_id, email=colleague, name="Kim", password_hash="-"))
    async with company.session() as session:
        session.add(MembershipRow(user_id=user_id, role=Role.MEMBER))
    by_hand = EmailMessage()
    by_hand["From"], by_hand["To"] = f"Kim <{colleague.upper()}>", sent.headers["To"]
    by_hand["Subject"], by_hand["In-Reply-To"] = "Re: Hello", sent.message_id
    by_hand.set_content("Let me add our prices.")
    gmail.box.deliver(bytes(by_hand), thread_id=sent.thread_id)

    await poll(parts, company)

    assert await events(company) == []
    assert (await company.recipient(order.recipient_id)).end_reason is None


async def test_a_colleague_who_is_the_lead_is_one(
    send: Send, parts: Parts, company: Company, gmail: FakeGmail, database: Database
) -> None:
    """People try a campaign on themselves first."""
    async with database.outside_session() as session:
        address = (await session.get_one(UserRow, company.user_id)).email
    async with company.session() as session:
        session.add(MembershipRow(user_id=company.user_id, role=Role.ADMIN))
    campaign = await company.make_campaign()
    recipient = await company.make_recipient(
        campaign, lead_id=await company.make_lead(email=address)
    )
    await send(company.order(recipient, campaign.step_ids[0]))
    [mail] = gmail.sent
    gmail.box.deliver(answer(mail, "It works."), thread_id=mail.thread_id)

    await poll(parts, company)

    assert (await company.recipient(recipient.recipient_id)).end_reason is EndReason.REPLIED
