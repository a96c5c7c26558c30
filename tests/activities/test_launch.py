"""Starting the pending: each exactly once, whatever dies in between."""

import asyncio

import pytest

from shared.contracts.operations import LaunchOrder
from shared.db.models import CampaignRow
from shared.db.models.campaigns import CampaignStatus
from shared.db.session import Database
from shared.domain.recipient import ActivityName
from shared.launching import launch_page
from tests.activities.conftest import at
from tests.factories import NOON, Campaign, Company
from tests.fakes.conductor import RecordingConductor
from workflows.parts import Parts


@pytest.fixture
async def campaign(company: Company) -> Campaign:
    campaign = await company.make_campaign()
    for _ in range(5):
        await company.make_recipient(campaign)
    return campaign


async def test_pages_start_everybody_once(
    parts: Parts, company: Company, campaign: Campaign, conductor: RecordingConductor
) -> None:
    order = LaunchOrder(company_id=company.id, campaign_id=campaign.id, rate=2)
    pages = [await at(NOON).run(parts.launch.start_page, order) for _ in range(4)]

    assert [(page.started, page.is_last) for page in pages] == [
        (2, False),
        (2, False),
        (1, True),
        (0, True),
    ]
    started = [start.recipient.recipient_id for start in conductor.started]
    assert len(started) == len(set(started)) == 5
    assert {start.next.activity for start in conductor.started} == {ActivityName.GMAIL_SEND}


async def test_a_page_that_died_is_started_again(
    database: Database, company: Company, campaign: Campaign, conductor: RecordingConductor
) -> None:
    conductor.is_down = True
    with pytest.raises(ExceptionGroup):
        await launch_page(database, conductor, company.id, campaign.id)
    conductor.is_down = False

    page = await launch_page(database, conductor, company.id, campaign.id)

    assert page.started == 5
    # The rows were planned before it died; the workflow looks at them instead of planning anew.
    assert {start.next.activity for start in conductor.started} == {ActivityName.RECIPIENT_PLAN}


async def test_two_launchers_at_once_start_nobody_twice(
    database: Database, company: Company, campaign: Campaign, conductor: RecordingConductor
) -> None:
    pages = await asyncio.gather(
        *(launch_page(database, conductor, company.id, campaign.id, size=5) for _ in range(4))
    )

    started = {start.recipient.recipient_id for start in conductor.started}
    assert len(started) == 5
    assert sum(page.started for page in pages) >= 5


@pytest.mark.parametrize("status", [CampaignStatus.PAUSED, CampaignStatus.DRAFT])
async def test_a_campaign_that_is_not_active_starts_nobody(
    database: Database,
    company: Company,
    campaign: Campaign,
    conductor: RecordingConductor,
    status: CampaignStatus,
) -> None:
    async with company.session() as session:
        (await session.get_one(CampaignRow, campaign.id)).status = status

    page = await launch_page(database, conductor, company.id, campaign.id)

    assert (page.started, page.is_last) == (0, True)
    assert conductor.started == []
