"""A dry run records everything as if it were sent, and nothing leaves."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from shared.contracts.operations import LaunchOrder
from shared.db.models import ActionStatus, LeadRow
from shared.db.models.recipients import DRY_RUN
from shared.domain.leads import LeadStatus
from shared.domain.recipient import EndReason, Finished, Planned
from tests.activities.conftest import Send, at
from tests.activities.paced import set_account, set_campaign
from tests.factories import DAY, NOON, Campaign, Company
from tests.fakes.conductor import RecordingConductor
from tests.fakes.gmail import FakeGmail
from workflows.parts import Parts


@pytest.fixture
async def campaign(company: Company) -> Campaign:
    campaign = await company.make_campaign(waits=(0, DAY))
    await set_campaign(company, campaign, dry_run=True)
    return campaign


async def test_every_step_is_recorded_at_its_time_and_nothing_leaves(
    send: Send, company: Company, campaign: Campaign, gmail: FakeGmail
) -> None:
    order = await company.make_order(campaign)

    second = await send(order)
    assert isinstance(second, Planned)
    last = await send(company.order(company.ref(order), second.step_id), second.at)

    assert second.at == NOON + timedelta(days=1)
    assert last == Finished(reason=EndReason.COMPLETED)
    assert gmail.requests.total() == 0
    actions = await company.actions()
    assert [(it.status, it.provider_id) for it in actions] == [(ActionStatus.SENT, DRY_RUN)] * 2
    row = await company.recipient(order.recipient_id)
    assert row.current_step == 2
    async with company.session() as session:
        assert (await session.get_one(LeadRow, row.lead_id)).status is LeadStatus.NEW


async def test_it_takes_no_mail_from_its_accounts_day(
    send: Send,
    parts: Parts,
    company: Company,
    campaign: Campaign,
    gmail: FakeGmail,
    conductor: RecordingConductor,
) -> None:
    await set_account(company, daily_limit=2)
    for _ in range(5):
        await company.make_recipient(campaign)
    order = LaunchOrder(company_id=company.id, campaign_id=campaign.id, rate=200)
    page = await at(NOON).run(parts.launch.start_page, order)
    for start in conductor.started:
        await send(company.order(start.recipient, start.next.step_id), start.next.at)

    real = await company.make_order(await company.make_campaign())
    await send(real, conductor.started[0].next.at)

    assert page.started == 5
    assert len([it for it in await company.actions() if it.provider_id == DRY_RUN]) == 5
    assert len(gmail.sent) == 1


async def test_what_was_sent_for_a_test_is_not_counted_in_the_book(
    send: Send, company: Company, campaign: Campaign, gmail: FakeGmail
) -> None:
    """Nor is it when it was settled and the account is asked for permission."""
    await set_account(company, daily_limit=1)
    await send(await company.make_order(campaign))

    await send(await company.make_order(await company.make_campaign()))

    assert len(gmail.sent) == 1
    async with company.session() as session:
        assert await session.scalar(text("select count(*) from actions")) == 2
