"""Starting the pending of a campaign with hours, or of accounts with limits."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from shared.contracts.operations import LaunchOrder
from shared.db.models import AccountRow
from tests.activities.conftest import at
from tests.activities.paced import HOUR, OFFICE, set_account, set_campaign
from tests.factories import NOON, Campaign, Company
from tests.fakes.conductor import RecordingConductor
from workflows.parts import Parts


async def launch(parts: Parts, company: Company, campaign: Campaign) -> int:
    order = LaunchOrder(company_id=company.id, campaign_id=campaign.id, rate=200)
    page = await at(NOON).run(parts.launch.start_page, order)
    return page.started


async def test_first_mails_are_booked_three_days_ahead_and_the_rest_stay_pending(
    parts: Parts, company: Company, conductor: RecordingConductor
) -> None:
    await set_account(company, daily_limit=2)
    campaign = await company.make_campaign()
    for _ in range(12):
        await company.make_recipient(campaign)

    assert await launch(parts, company, campaign) == 8
    assert await launch(parts, company, campaign) == 0

    instants = sorted(start.next.at for start in conductor.started)
    days = [(instant - instants[0]).days for instant in instants]
    assert days == [0, 0, 1, 1, 2, 2, 3, 3]


async def test_new_leads_per_day_are_no_more_than_the_campaign_wants(
    parts: Parts, company: Company, conductor: RecordingConductor
) -> None:
    campaign = await company.make_campaign()
    await set_campaign(company, campaign, limits={"new_leads_per_day": 3})
    for _ in range(5):
        await company.make_recipient(campaign)

    assert await launch(parts, company, campaign) == 3
    assert await launch(parts, company, campaign) == 0


@pytest.mark.parametrize(
    ("rotation", "shares"), [("even", [15, 15]), ("weighted", [20, 10])], ids=str
)
async def test_accounts_take_turns_by_their_weight(
    parts: Parts, company: Company, conductor: RecordingConductor, rotation: str, shares: list[int]
) -> None:
    second = UUID(int=company.account_id.int + 1)
    await set_account(company, daily_limit=400)
    async with company.session() as session:
        first = await session.get_one(AccountRow, company.account_id)
        session.add(
            AccountRow(
                id=second,
                user_id=first.user_id,
                kind=first.kind,
                email="sue@acme.test",
                daily_limit=200,
            )
        )
    campaign = await company.make_campaign()
    limits = {"rotation": rotation}
    ids = [company.account_id, second]
    await set_campaign(company, campaign, limits=limits, account_ids=ids)
    for _ in range(30):
        await company.make_recipient(campaign)

    assert await launch(parts, company, campaign) == 30

    chosen = [start.account_id for start in conductor.started]
    assert [chosen.count(account_id) for account_id in ids] == shares


async def test_leads_are_started_in_their_window_one_after_the_other(
    parts: Parts, company: Company, conductor: RecordingConductor
) -> None:
    campaign = await company.make_campaign()
    window = OFFICE | {"spread_minutes": 60}
    await set_campaign(company, campaign, window=window, start_at=datetime(2030, 6, 1, tzinfo=UTC))
    for _ in range(10):
        await company.make_recipient(campaign)

    await launch(parts, company, campaign)

    instants = {start.next.at for start in conductor.started}
    assert len(instants) > 5
    opens = datetime(2030, 6, 3, 9, tzinfo=UTC)
    assert all(opens <= instant <= opens + HOUR for instant in instants)
    [row] = [await company.recipient(conductor.started[0].recipient.recipient_id)]
    assert row.next_at == conductor.started[0].next.at
