"""Mails in a campaign of several channels and ways."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from activities.mail_addresses import NO_ADDRESS
from shared.contracts.recipient import ActionOrder
from shared.db.models import ActionStatus, CampaignRow, LeadRow, RecipientRow, StepRow
from shared.db.repositories.versions import publish_version
from shared.domain.branches import Guard, LeadIs, LeadTest, StepOutcome
from shared.domain.guard_json import guard_to_json
from shared.domain.recipient import Planned
from tests.activities.conftest import Send
from tests.factories import NOON, Company
from tests.fakes.gmail import FakeGmail

THIRD_DAY = NOON + timedelta(days=3)
LIVES_IN = LeadIs(field="city", test=LeadTest.IS, value="Rome")


@pytest.fixture
async def order(company: Company) -> ActionOrder:
    return await company.make_order()


async def test_a_mail_is_passed_over_for_a_lead_without_an_address(
    send: Send, order: ActionOrder, gmail: FakeGmail, company: Company
) -> None:
    recipient = await company.recipient(order.recipient_id)
    async with company.session() as session:
        lead = await session.get_one(LeadRow, recipient.lead_id)
        lead.email = None

    outcome = await send(order)

    [action] = await company.actions()
    assert isinstance(outcome, Planned)
    assert outcome.at == THIRD_DAY
    assert gmail.sent == []
    assert action.status is ActionStatus.SKIPPED
    assert NO_ADDRESS in (action.refusal or "")
    assert list(action.outcomes) == [StepOutcome.SKIPPED]


async def test_a_follow_up_takes_its_subject_from_a_mail_that_the_lead_has_had(
    send: Send, order: ActionOrder, gmail: FakeGmail, company: Company
) -> None:
    await stand_on_ways(company, order)

    second = await send(order)
    assert isinstance(second, Planned)
    await send(replace(order, step_id=second.step_id), THIRD_DAY)

    assert [mail.headers["Subject"] for mail in gmail.sent] == ["Hello", "Re: Hello"]


async def stand_on_ways(company: Company, order: ActionOrder) -> None:
    """The second step is for leads in Rome only, with a subject of its own."""
    recipient = await company.recipient(order.recipient_id)
    async with company.session() as session:
        row = await session.get_one(RecipientRow, recipient.id)
        campaign = await session.get_one(CampaignRow, row.campaign_id)
        second = select(StepRow).where(StepRow.campaign_id == campaign.id, StepRow.position == 2)
        step = (await session.scalars(second)).one()
        guard = Guard(decision_id=UUID(int=1), condition=LIVES_IN)
        step.guards, step.subject = [guard_to_json(guard)], "Rome"
        await session.flush()
        campaign.version_id = await publish_version(session, campaign.id)
