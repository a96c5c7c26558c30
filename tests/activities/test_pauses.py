"""A campaign that was paused goes on within its account's limits and hours, without a pile."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select, text

from shared.contracts.recipient import ActionOrder
from shared.db.models import RecipientRow
from shared.db.models.campaigns import CampaignStatus
from shared.db.session import Database
from shared.domain.recipient import ActivityName, HoldReason, Parked, Planned
from tests.activities.conftest import Send, at
from tests.activities.paced import OFFICE, set_account, set_campaign
from tests.factories import Campaign, Company
from tests.fakes.gmail import FakeGmail
from workflows.parts import Parts

HOUR = timedelta(hours=1)
# A Monday; the campaign is resumed on the Monday after the next one, as the office opens.
PAUSED_AT = datetime(2026, 3, 2, tzinfo=UTC)
BACK = datetime(2026, 3, 16, 9, tzinfo=UTC)


async def held_up(company: Company, campaign: Campaign, number: int, database: Database) -> None:
    """Recipients that came due one after the other during the pause, and were parked."""
    refs = [await company.make_recipient(campaign) for _ in range(number)]
    async with database.company_transaction(company.id) as connection:
        await connection.execute(
            text(
                "update recipients r set started_at = w.at, launched_at = w.at, parked_at = w.at,"
                " hold_reason = :reason, account_id = :account_id"
                " from unnest(cast(:ids as uuid[]), cast(:instants as timestamptz[])) as w (id, at)"
                " where r.id = w.id"
            ),
            {
                "ids": [ref.recipient_id for ref in refs],
                "instants": [PAUSED_AT + n * HOUR for n in range(number)],
                "reason": HoldReason.CAMPAIGN_PAUSED,
                "account_id": company.account_id,
            },
        )


async def wake_everybody(parts: Parts, company: Company) -> list[datetime]:
    """What each decides when it is woken, in the order of the instants."""
    async with company.session() as session:
        ids = (await session.scalars(select(RecipientRow.id).order_by(RecipientRow.id))).all()
    plans = []
    for recipient_id in ids:
        order = ActionOrder(
            company_id=company.id,
            recipient_id=recipient_id,
            activity=ActivityName.RECIPIENT_PLAN,
            step_id=None,
        )
        plan = await at(BACK).run(parts.recipient.plan, order)
        assert isinstance(plan, Planned)
        plans.append(plan.at)
    return sorted(plans)


def most_within(instants: list[datetime], span: timedelta) -> int:
    return max(sum(it <= other < it + span for other in instants) for it in instants)


async def test_after_a_holiday_nothing_goes_faster_than_limits_and_hours_say(
    parts: Parts, company: Company, database: Database
) -> None:
    """200 came due in two weeks; the account may do 40 a day, 8 an hour."""
    campaign = await company.make_campaign(waits=(0,))
    await set_account(company, daily_limit=40, limits={"per_hour": 8, "min_gap_seconds": 60})
    pause = {"paused_at": PAUSED_AT, "resumed_at": BACK}
    await set_campaign(company, campaign, window=OFFICE, **pause)
    await held_up(company, campaign, 200, database)

    plans = await wake_everybody(parts, company)

    assert len(plans) == 200
    assert min(plans) >= BACK
    assert most_within(plans, timedelta(days=1)) <= 40
    assert most_within(plans, HOUR) <= 8
    assert most_within(plans, timedelta(minutes=1)) == 1
    assert {plan.weekday() for plan in plans} <= {0, 1, 2, 3, 4}
    assert all(9 <= plan.hour < 17 for plan in plans)
    # Five working days are enough for 200 at 40 a day, but for the minutes that a gap's jitter
    # moves the last ones behind the weekend.
    assert sorted(plans)[189] < BACK + timedelta(days=5)
    assert max(plans) < BACK + timedelta(days=8)


async def test_without_limits_they_come_over_a_working_day_and_not_at_once(
    parts: Parts, company: Company, database: Database
) -> None:
    campaign = await company.make_campaign(waits=(0,))
    pause = {"paused_at": PAUSED_AT, "resumed_at": BACK}
    await set_campaign(company, campaign, window=OFFICE, **pause)
    await held_up(company, campaign, 100, database)

    plans = await wake_everybody(parts, company)

    assert most_within(plans, HOUR) < 35
    assert max(plans) - min(plans) > 5 * HOUR


async def test_a_pause_counts_from_the_next_transaction(
    send: Send, company: Company, gmail: FakeGmail, parts: Parts
) -> None:
    """Also for whoever is due at this moment, and the pause lasts as long as it lasts."""
    campaign = await company.make_campaign()
    order = await company.make_order(campaign)
    await set_campaign(company, campaign, status=CampaignStatus.PAUSED)

    held = await send(order)
    await set_campaign(company, campaign, status=CampaignStatus.ACTIVE)
    await send(order)

    assert held == Parked(reason=HoldReason.CAMPAIGN_PAUSED)
    assert len(gmail.sent) == 1
