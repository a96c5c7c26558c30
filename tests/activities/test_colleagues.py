"""A company may want that one reply holds the mails to everybody who works with that person."""

from datetime import timedelta
from uuid import UUID

import pytest

from shared.contracts.recipient import RecipientRef
from shared.db.models import CompanyRow
from shared.domain.mail_domains import company_domain
from shared.domain.recipient import EndReason
from tests.activities.conftest import Send
from tests.activities.test_inbox import answer, poll
from tests.factories import NOON, Campaign, Company
from tests.fakes.gmail import FakeGmail
from workflows.parts import Parts


async def make(company: Company, campaign: Campaign, email: str) -> RecipientRef:
    lead_id: UUID = await company.make_lead(email=email)
    return await company.make_recipient(campaign, lead_id=lead_id)


@pytest.mark.parametrize("is_wanted", [True, False])
async def test_a_reply_holds_the_colleagues_where_the_company_wants_it(
    *, send: Send, parts: Parts, company: Company, gmail: FakeGmail, is_wanted: bool
) -> None:
    async with company.session() as session:
        row = await session.get_one(CompanyRow, company.id)
        row.settings = {"reply_holds_colleagues": is_wanted}
    campaign = await company.make_campaign()
    domain = f"lead-{company.id}.test"
    replier, colleague = [await make(company, campaign, f"{it}@{domain}") for it in ("ada", "bob")]
    other = await make(company, campaign, f"eve@not-{domain}")
    await send(company.order(replier, campaign.step_ids[0]))
    [mail] = gmail.sent
    gmail.box.deliver(answer(mail, "Yes."), thread_id=mail.thread_id)

    await poll(parts, company)

    held = await company.recipient(colleague.recipient_id)
    assert (await company.recipient(replier.recipient_id)).end_reason is EndReason.REPLIED
    assert (held.paused_at is not None, held.end_reason) == (is_wanted, None)
    assert (await company.recipient(other.recipient_id)).paused_at is None
    # What is held is not sent, though it is due.
    await send(company.order(colleague, campaign.step_ids[0]), NOON + timedelta(minutes=1))
    assert len(gmail.sent) == (1 if is_wanted else 2)


@pytest.mark.parametrize(
    ("email", "domain"),
    [
        ("ada@Lead.Test", "lead.test"),
        ("ada@gmail.com", None),
        ("ada@web.de", None),
        ("", None),
        (None, None),
    ],
)
def test_an_address_that_anybody_may_have_is_no_companys(
    email: str | None, domain: str | None
) -> None:
    assert company_domain(email) == domain
