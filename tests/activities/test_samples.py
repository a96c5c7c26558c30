"""A test mail is the lead's mail, byte for byte, but for whom it goes to."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID

import pytest

from shared.contracts.operations import SampleOrder
from shared.contracts.recipient import ActionOrder
from shared.db.models import (
    AccountRow,
    CampaignRow,
    CompanyRow,
    LeadRow,
    SampleMailRow,
    SampleStatus,
    StepRow,
)
from shared.db.repositories.versions import publish_version
from shared.db.session import Database
from shared.domain.recipient import ActivityName, Planned
from shared.errors import ProviderError
from shared.keyring import Keyring
from tests.activities.conftest import Send, at
from tests.factories import NOON, Campaign, Company
from tests.fakes.gmail import FakeGmail
from tests.fakes.mail_server import FakeSmtp, ImapServer, imap_server, move_to_smtp, smtp_server
from workflows.parts import Parts

COLLEAGUE = "kim@acme.test"
HTML = (
    "<style>p {color: red}</style><p>Dear {{ lead.first_name|upper }}, {{ lead.areas }} für"
    " {{ lead.budget_max|floatformat:'0g' }} €. {{ company.name }}, {{ campaign.created_at }}"
)
_TO = re.compile(rb"^To: .*\r\n", re.MULTILINE)
# What each of two mails has of its own: when it left, and what an SMTP server knows it by.
_OF_ITS_OWN = re.compile(rb"^(?:Date|Message-ID): .*\r?\n", re.MULTILINE | re.IGNORECASE)


@pytest.fixture
def handed_over(gmail: FakeGmail, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The bytes as they arrive at Gmail, which writes headers of its own into them."""
    taken: list[bytes] = []
    add = gmail.box.add_draft

    def record(raw: bytes, thread_id: str | None) -> object:
        taken.append(raw)
        return add(raw, thread_id)

    monkeypatch.setattr(gmail.box, "add_draft", record)
    return taken


@pytest.fixture
async def campaign(company: Company) -> Campaign:
    """HTML first, then a follow-up in plain text, from a mailbox with a signature."""
    campaign = await company.make_campaign()
    async with company.session() as session:
        first = await session.get_one(StepRow, campaign.step_ids[0])
        first.subject, first.message_template = "Für {{ lead.first_name }} ☃", HTML
        account = await session.get_one(AccountRow, company.account_id)
        account.signature, account.display_name = "<b>Sam &amp; Co</b>", "Sam Söder"
        (await session.get_one(CompanyRow, company.id)).postal_address = "Weg 1\nKöln"
        row = await session.get_one(CampaignRow, campaign.id)
        await session.flush()
        row.version_id = await publish_version(session, campaign.id)
    return campaign


@pytest.fixture
async def order(company: Company, campaign: Campaign) -> ActionOrder:
    order = await company.make_order(campaign)
    recipient = await company.recipient(order.recipient_id)
    async with company.session() as session:
        lead = await session.get_one(LeadRow, recipient.lead_id)
        lead.areas, lead.budget_max = ["Mitte", "Köln"], 1_500_000
    return order


async def ask(company: Company, order: ActionOrder, step_id: UUID | None = None) -> SampleOrder:
    """For a mail of this recipient's lead."""
    recipient = await company.recipient(order.recipient_id)
    assert order.step_id is not None
    row = SampleMailRow(
        campaign_id=recipient.campaign_id,
        lead_id=recipient.lead_id,
        step_id=step_id or order.step_id,
        to_address=COLLEAGUE,
    )
    async with company.session() as session:
        session.add(row)
    return SampleOrder(company_id=company.id, sample_id=row.id)


async def sample_of(company: Company, order: SampleOrder) -> SampleMailRow:
    async with company.session() as session:
        return await session.get_one(SampleMailRow, order.sample_id)


def but_for_the_recipient(raw: bytes) -> bytes:
    return _TO.sub(b"", raw, count=1)


async def test_a_test_mail_has_the_bytes_of_the_real_one(
    *, send: Send, order: ActionOrder, parts: Parts, company: Company, handed_over: list[bytes]
) -> None:
    sample = await ask(company, order)

    await at(NOON).run(parts.samples.send, sample)
    await send(order)

    test, real = handed_over
    assert b"multipart/alternative" in real
    assert but_for_the_recipient(test) == but_for_the_recipient(real)
    assert (f"To: {COLLEAGUE}\r\n".encode() in test, b"To: ada-" in real) == (True, True)
    row = await sample_of(company, sample)
    assert (row.status, row.settled_at) == (SampleStatus.SENT, NOON)


async def test_a_follow_up_too_with_what_it_answers(
    *, send: Send, order: ActionOrder, parts: Parts, company: Company, handed_over: list[bytes]
) -> None:
    second = await send(order)
    assert isinstance(second, Planned)
    sample = await ask(company, order, second.step_id)

    await at(NOON).run(parts.samples.send, sample)
    await send(replace(order, step_id=second.step_id), second.at)

    _, test, real = handed_over
    assert b"\r\nIn-Reply-To: <" in real
    assert but_for_the_recipient(test) == but_for_the_recipient(real)


async def test_a_test_mail_is_never_taken_for_the_real_one(
    *, send: Send, order: ActionOrder, parts: Parts, company: Company, gmail: FakeGmail
) -> None:
    """It bears the same key. The look-up after a lost request still finds that nothing has left."""
    gmail.lose_request(on="drafts.send")
    with pytest.raises(ProviderError):
        await send(order)
    await at(NOON).run(parts.samples.send, await ask(company, order))

    await send(order)

    assert sorted(mail.headers["To"][:4] for mail in gmail.sent) == ["ada-", "kim@"]


async def test_a_test_mail_is_sent_once(
    order: ActionOrder, parts: Parts, company: Company, gmail: FakeGmail
) -> None:
    sample = await ask(company, order)

    await at(NOON).run(parts.samples.send, sample)
    await at(NOON).run(parts.samples.send, sample)

    assert len(gmail.sent) == 1


async def test_a_refusal_is_shown(
    order: ActionOrder, parts: Parts, company: Company, gmail: FakeGmail
) -> None:
    async with company.session() as session:
        step = await session.get_one(StepRow, order.step_id)
        step.message_template = "{{ lead.city }}"
    sample = await ask(company, order)

    await at(NOON).run(parts.samples.send, sample)

    row = await sample_of(company, sample)
    assert row.status is SampleStatus.FAILED
    assert row.error is not None
    assert "lead.city" in row.error
    assert gmail.sent == []


async def test_what_may_have_left_is_not_called_failed(
    order: ActionOrder, parts: Parts, company: Company, gmail: FakeGmail
) -> None:
    sample = await ask(company, order)
    gmail.lose_answer(on="drafts.send")

    await at(NOON).run(parts.samples.send, sample)

    assert (await sample_of(company, sample)).status is SampleStatus.SENDING
    assert len(gmail.sent) == 1


@pytest.fixture(scope="module")
async def imap() -> AsyncIterator[ImapServer]:
    async with imap_server() as server:
        yield server


async def test_by_smtp_it_is_the_same_mail_under_an_id_of_its_own(
    *,
    order: ActionOrder,
    parts: Parts,
    company: Company,
    database: Database,
    keyring: Keyring,
    imap: ImapServer,
) -> None:
    async with smtp_server(FakeSmtp()) as smtp:
        await move_to_smtp(company, database, keyring, smtp=smtp, imap=imap)
        await at(NOON).run(parts.samples.send, await ask(company, order))
        by_smtp = replace(order, activity=ActivityName.SMTP_SEND)
        await at(NOON).run(parts.smtp.send, by_smtp)

    test, real = (_OF_ITS_OWN.sub(b"", mail.as_bytes()) for mail in smtp.mails)
    assert re.sub(rb"(?m)^(?:To|X-MailFrom|X-RcptTo): .*\r?\n", b"", test) == re.sub(
        rb"(?m)^(?:To|X-MailFrom|X-RcptTo): .*\r?\n", b"", real
    )
    # A look-up for the real one among the sent ones must not find the test.
    assert smtp.mails[0]["Message-ID"] != smtp.mails[1]["Message-ID"]
