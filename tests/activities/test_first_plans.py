"""Starting the pending of a campaign with hours, or of accounts with limits."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import text

from shared.contracts.operations import LaunchOrder
from shared.db.models import AccountRow
from shared.db.repositories.first_plans import note_begun
from shared.db.session import Database
from shared.domain.channels import AccountKind
from shared.domain.recipient import ActivityName
from tests.activities.conftest import at
from tests.activities.paced import HOUR, OFFICE, set_account, set_campaign
from tests.factories import NOON, Campaign, Company
from tests.fakes.conductor import RecordingConductor
from workflows.parts import Parts


@pytest.fixture
async def campaign(company: Company) -> Campaign:
    return await company.make_campaign()


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


async def test_who_sends_over_smtp_has_it_in_the_first_plan(
    parts: Parts, company: Company, conductor: RecordingConductor
) -> None:
    """Each recipient's plan names what its own account does."""
    second = UUID(int=company.account_id.int + 1)
    async with company.session() as session:
        session.add(
            AccountRow(
                id=second, user_id=company.user_id, kind=AccountKind.SMTP, email="sue@acme.test"
            )
        )
    campaign = await company.make_campaign()
    await set_campaign(company, campaign, account_ids=[company.account_id, second])
    for _ in range(6):
        await company.make_recipient(campaign)

    assert await launch(parts, company, campaign) == 6

    started = [(start.account_id, start.next.activity) for start in conductor.started]
    assert sorted(started) == [
        *[(company.account_id, ActivityName.GMAIL_SEND)] * 3,
        *[(second, ActivityName.SMTP_SEND)] * 3,
    ]
    assert all(str(start.next.activity) in start.next.label for start in conductor.started)
    row = await company.recipient(conductor.started[0].recipient.recipient_id)
    assert row.next_activity is conductor.started[0].next.activity


async def test_what_began_a_day_ago_makes_room_again(
    parts: Parts, company: Company, database: Database
) -> None:
    campaign = await company.make_campaign()
    await set_campaign(company, campaign, limits={"new_leads_per_day": 3})
    for _ in range(5):
        await company.make_recipient(campaign)
    assert await launch(parts, company, campaign) == 3
    async with database.company_transaction(company.id) as connection:
        await connection.execute(
            text("update campaign_starts set begun_at = begun_at - interval '25 hours'")
        )

    assert await launch(parts, company, campaign) == 2


async def test_new_leads_are_counted_by_pages_however_many_recipients_there_are(
    company: Company, campaign: Campaign, database: Database
) -> None:
    """A row for each page of the last three days, found by an index."""
    async with database.company_transaction(company.id) as connection:
        for hours in (100, 50, 1, 0):
            at_ = NOON - hours * HOUR
            await note_begun(connection, campaign.id, 200, at_)
        begun = text(
            "select count(*) from campaign_starts where campaign_id = :id and begun_at > :since"
        )
        values = {"id": campaign.id, "since": NOON - 24 * HOUR}
        assert await connection.scalar(begun, values) == 2
        assert await connection.scalar(begun, values | {"since": NOON - 900 * HOUR}) == 3
        await connection.execute(text("set local enable_seqscan = off"))
        plan = "\n".join(await connection.scalars(text(f"explain {begun}"), values))
    assert "ix_campaign_starts_company_id_campaign_id_begun_at" in plan


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
