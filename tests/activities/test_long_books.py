"""An account with thousands of bookings: what is behind them is found, from a few of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from activities import pacing
from shared.contracts.operations import LaunchOrder
from shared.db.repositories import slots, wishes
from tests.activities.conftest import Send, at
from tests.activities.paced import set_account
from tests.factories import DAY, NOON, Campaign, Company
from tests.fakes.conductor import RecordingConductor
from workflows.parts import Parts

A_DAY = 200
BOOKED = 1_200
GAP = timedelta(days=1) / A_DAY

# Follow-ups of others, one behind the other.
_BOOK = text("""
with named as (
  insert into leads (email, first_name, suppression_keys)
  select 'booked-' || n || '@example.test', 'Ada', '{}' from generate_series(1, :number) n
  returning id)
insert into recipients (campaign_id, lead_id, account_id, next_account_id, started_at, launched_at,
  last_action_at, next_activity, next_step_id, next_at, slot_at, slot_step_id)
select :campaign_id, id, :account_id, :account_id, :now, :now, :last_action_at, 'gmail.send',
  :step_id, at, at, :step_id
from (select id, :begins + row_number() over () * cast(:gap as interval) as at from named) booked
""")


async def book(company: Company, campaign: Campaign, begins: datetime, *, is_first: bool) -> None:
    values: dict[str, Any] = {"begins": begins, "gap": GAP, "now": NOON, "number": BOOKED}
    values |= {"campaign_id": campaign.id, "account_id": company.account_id}
    values |= {"last_action_at": None if is_first else NOON, "step_id": campaign.step_ids[1]}
    async with company.session() as session:
        await session.execute(_BOOK, values)


@pytest.fixture(autouse=True)
def short_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that thousands need not be made."""
    monkeypatch.setattr(pacing, "FEW_READ", 250)
    monkeypatch.setattr(pacing, "MOST_READ", 500)
    monkeypatch.setattr(slots, "MOST_READ", 500)


async def test_a_follow_up_comes_behind_all_that_is_booked_in_its_way(
    send: Send, company: Company
) -> None:
    await set_account(company, daily_limit=A_DAY)
    campaign = await company.make_campaign()
    due_at = NOON + timedelta(seconds=3 * DAY)
    await book(company, campaign, due_at - timedelta(days=1), is_first=False)
    order = await company.make_order(campaign)

    await send(order)

    row = await company.recipient(order.recipient_id)
    last = due_at - timedelta(days=1) + BOOKED * GAP
    assert row.next_at is not None
    assert last - timedelta(seconds=1) <= row.next_at - GAP <= last + timedelta(minutes=10)


async def test_bookings_of_other_weeks_cost_a_follow_up_nothing(
    send: Send, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    await set_account(company, daily_limit=A_DAY)
    campaign = await company.make_campaign()
    await book(company, campaign, NOON + timedelta(days=30), is_first=False)
    looks: list[int] = []

    async def count(*args: Any, **values: Any) -> Any:
        looks.append(values["most"])
        return await slots.read_book(*args, **values)

    monkeypatch.setattr(wishes, "read_book", count)
    order = await company.make_order(campaign)

    await send(order)

    assert looks == [500, 250]
    assert (await company.recipient(order.recipient_id)).next_at == NOON + timedelta(days=3)


async def test_a_launch_books_no_further_than_it_has_seen(
    parts: Parts, company: Company, conductor: RecordingConductor
) -> None:
    """Room behind the first five hundred would be theirs who come behind those."""
    await set_account(company, daily_limit=None, limits={"per_hour": 8})
    campaign = await company.make_campaign()
    await book(company, campaign, datetime.now(UTC), is_first=True)
    for _ in range(3):
        await company.make_recipient(campaign)

    order = LaunchOrder(company_id=company.id, campaign_id=campaign.id)
    page = await at(NOON).run(parts.launch.start_page, order)

    assert (page.started, page.is_last, conductor.started) == (0, True, [])
