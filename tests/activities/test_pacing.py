"""When it is sent, by the rows: windows, slots, and limits that nobody passes."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import update

from shared.contracts.recipient import ActionOrder
from shared.db.models import CampaignRow, LeadRow, RecipientRow, StepRow
from shared.db.models.campaigns import CampaignStatus
from shared.db.repositories.situation_rows import find_situation
from shared.db.repositories.versions import VersionShelf, publish_version
from shared.db.session import Database
from shared.domain.explanation import explain
from shared.domain.recipient import EndReason, Planned
from tests.activities.conftest import Send, at
from tests.activities.paced import HOUR, OFFICE, set_account, set_campaign
from tests.factories import DAY, NOON, Company
from tests.fakes.gmail import FakeGmail
from workflows.parts import Parts


async def because(database: Database, company: Company, order: ActionOrder, now: datetime) -> str:
    async with database.company_transaction(company.id) as connection:
        situation = await find_situation(connection, order.recipient_id, VersionShelf())
    found = explain(situation.steps, situation.to_progress(now), now)
    recipient = await company.recipient(order.recipient_id)
    assert isinstance(found.move, Planned)
    assert found.move.at == recipient.next_at, "explain and the rows say the same"
    return "; ".join(found.because)


async def test_nothing_is_sent_outside_of_the_window(
    send: Send, company: Company, gmail: FakeGmail, database: Database
) -> None:
    """Noon of a Monday in UTC is 13:00 in Berlin: lunch."""
    campaign = await company.make_campaign()
    await set_campaign(company, campaign, window=OFFICE, time_zone="Europe/Berlin")
    order = await company.make_order(campaign)

    outcome = await send(order)

    assert isinstance(outcome, Planned)
    assert outcome.at == NOON + HOUR / 2
    assert gmail.sent == []
    words = await because(database, company, order, NOON)
    assert "Monday 2026-03-02 13:00 in Europe/Berlin is outside of the sending hours" in words
    await send(order, NOON + HOUR / 2)
    assert len(gmail.sent) == 1


async def test_the_lead_is_asked_what_time_it_is(
    send: Send, company: Company, gmail: FakeGmail
) -> None:
    campaign = await company.make_campaign()
    await set_campaign(company, campaign, window=OFFICE, time_zone="Europe/Berlin")
    order = await company.make_order(campaign)
    recipient = await company.recipient(order.recipient_id)
    async with company.session() as session:
        lead = await session.get_one(LeadRow, recipient.lead_id)
        lead.time_zone, lead.country = "America/New_York", "United States"

    outcome = await send(order)

    assert isinstance(outcome, Planned)
    assert outcome.at == NOON + 2 * HOUR


@pytest.mark.parametrize("holidays", ["DE", "lead"])
async def test_a_public_holiday_is_no_day_for_it(
    send: Send, company: Company, database: Database, holidays: str
) -> None:
    campaign = await company.make_campaign()
    window = OFFICE | {"holidays": holidays}
    await set_campaign(company, campaign, window=window, time_zone="Europe/Berlin")
    order = await company.make_order(campaign)
    recipient = await company.recipient(order.recipient_id)
    async with company.session() as session:
        (await session.get_one(LeadRow, recipient.lead_id)).country = "Germany"
    good_friday = datetime(2026, 4, 3, 10, tzinfo=UTC)

    outcome = await send(order, good_friday)

    assert isinstance(outcome, Planned)
    assert outcome.at == datetime(2026, 4, 7, 7, tzinfo=UTC)
    assert "is a public holiday" in await because(database, company, order, good_friday)


async def test_a_late_step_shifts_the_later_ones(
    send: Send, company: Company, gmail: FakeGmail
) -> None:
    """Business days are counted from the day on which it was really sent."""
    campaign = await company.make_campaign(waits=(0, 0))
    async with company.session() as session:
        second = StepRow.id == campaign.step_ids[1]
        await session.execute(update(StepRow).where(second).values(delay_business_days=2))
        row = await session.get_one(CampaignRow, campaign.id)
        row.version_id = await publish_version(session, campaign.id)
    order = await company.make_order(campaign)

    outcome = await send(order, datetime(2026, 3, 5, 10, tzinfo=UTC))

    assert len(gmail.sent) == 1
    assert isinstance(outcome, Planned)
    assert outcome.at == datetime(2026, 3, 9, 10, tzinfo=UTC)


async def test_a_step_may_wait_for_a_date_and_a_campaign_for_its_start(
    send: Send, company: Company, gmail: FakeGmail
) -> None:
    campaign = await company.make_campaign(waits=(0, 0))
    start_at = NOON + timedelta(days=1)
    await set_campaign(company, campaign, start_at=start_at, time_zone="Europe/Berlin")
    async with company.session() as session:
        second = StepRow.id == campaign.step_ids[1]
        await session.execute(update(StepRow).where(second).values(on_date=date(2026, 3, 20)))
        row = await session.get_one(CampaignRow, campaign.id)
        row.version_id = await publish_version(session, campaign.id)
    order = await company.make_order(campaign)

    early = await send(order)
    assert isinstance(early, Planned)
    assert early.at == start_at
    outcome = await send(order, start_at)

    assert isinstance(outcome, Planned)
    assert outcome.at == datetime(2026, 3, 19, 23, tzinfo=UTC)


async def test_a_used_up_account_answers_its_next_slot_and_says_why(
    send: Send, company: Company, gmail: FakeGmail, database: Database
) -> None:
    await set_account(company, daily_limit=1)
    campaign = await company.make_campaign()
    first, second = await company.make_order(campaign), await company.make_order(campaign)

    await send(first)
    outcome = await send(second, NOON + HOUR)

    assert isinstance(outcome, Planned)
    assert outcome.at == NOON + timedelta(days=1)
    assert outcome.label.endswith("the account's 1 a day")
    words = await because(database, company, second, NOON + HOUR)
    assert "the account's 1 a day: the next free slot is 2026-03-03 12:00:00Z" in words
    await send(second, NOON + timedelta(days=1))
    assert len(gmail.sent) == 2


async def test_a_provider_s_ceiling_holds_whatever_the_limit_says(
    send: Send, company: Company, gmail: FakeGmail
) -> None:
    await set_account(company, daily_limit=1_000, daily_ceiling=1)
    campaign = await company.make_campaign()
    orders = [await company.make_order(campaign) for _ in range(2)]

    for order in orders:
        await send(order)

    assert len(gmail.sent) == 1


async def test_the_next_step_gets_a_slot_when_it_is_planned(send: Send, company: Company) -> None:
    """Three follow-ups would be due in the same second; the gap keeps them apart."""
    await set_account(company, limits={"min_gap_seconds": 60})
    campaign = await company.make_campaign()
    orders = [await company.make_order(campaign) for _ in range(3)]

    outcomes = [await send(order, NOON + i * HOUR / 60) for i, order in enumerate(orders)]

    third_day = NOON + timedelta(seconds=3 * DAY)
    assert [one.at for one in outcomes if isinstance(one, Planned)] == [
        third_day + i * HOUR / 60 for i in range(3)
    ]


async def test_a_follow_up_goes_before_a_first_mail(
    send: Send, company: Company, gmail: FakeGmail
) -> None:
    campaign = await company.make_campaign(waits=(0, DAY))
    begun = await company.make_order(campaign)
    await set_account(company, daily_limit=1)
    await send(begun)
    another = await company.make_order(campaign)

    due = NOON + timedelta(seconds=DAY)
    outcome = await send(another, due - HOUR)
    assert isinstance(outcome, Planned)
    assert outcome.at > due
    follow_up = company.order(company.ref(begun), campaign.step_ids[1])
    await send(follow_up, due)

    assert len(gmail.sent) == 2


@pytest.mark.parametrize("leaves", ["its recipient has ended", "its campaign is paused"])
async def test_a_slot_that_nobody_needs_is_passed_over(
    send: Send, company: Company, leaves: str
) -> None:
    await set_account(company, daily_limit=1)
    campaign, other = await company.make_campaign(), await company.make_campaign()
    done, waiting = await company.make_order(campaign), await company.make_order(campaign)
    late = await company.make_order(other)
    await send(done)
    booked = await send(waiting)
    assert isinstance(booked, Planned)
    assert booked.at == NOON + timedelta(days=1)

    if leaves == "its campaign is paused":
        await set_campaign(company, campaign, status=CampaignStatus.PAUSED)
    else:
        async with company.session() as session:
            row = await session.get_one(RecipientRow, waiting.recipient_id)
            row.end_reason, row.ended_at = EndReason.REPLIED, NOON
    outcome = await send(late)

    assert isinstance(outcome, Planned)
    assert outcome.at == booked.at


async def test_a_plan_that_is_looked_at_again_may_come_forward(
    send: Send, company: Company, parts: Parts
) -> None:
    await set_account(company, daily_limit=1)
    campaign = await company.make_campaign()
    first, second = await company.make_order(campaign), await company.make_order(campaign)
    await send(first)
    await send(second)
    await set_account(company, daily_limit=2)

    look = company.order(company.ref(second), None)
    outcome = await at(NOON + HOUR).run(parts.recipient.plan, look)

    assert isinstance(outcome, Planned)
    assert outcome.at <= NOON + HOUR


async def test_two_instants_of_a_day_never_see_more_than_the_limit(
    send: Send, company: Company, gmail: FakeGmail
) -> None:
    """Everybody comes whenever it was told to; a rolling day never has more than three."""
    await set_account(company, daily_limit=3, limits={"per_hour": 2, "min_gap_seconds": 600})
    campaign = await company.make_campaign(waits=(0, DAY // 2))
    due = [(NOON, number, await company.make_order(campaign)) for number in range(5)]
    for number in range(5, 40):
        due.sort()
        instant, _, order = due.pop(0)
        outcome = await send(order, instant)
        if isinstance(outcome, Planned):
            ref = company.ref(order)
            due.append((outcome.at, number, company.order(ref, outcome.step_id)))
        if not due:
            break

    sent = sorted(action.attempted_at for action in await company.actions())
    assert len(sent) == len(gmail.sent) == 10
    for instant in sent:
        assert sum(instant - timedelta(days=1) < one <= instant for one in sent) <= 3
        assert sum(instant - HOUR < one <= instant for one in sent) <= 2
        assert sum(instant - HOUR / 6 < one <= instant for one in sent) == 1
