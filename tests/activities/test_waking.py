"""Many recipients are told of a change a page at a time, each of them, whatever happens between."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update
from temporalio.testing import ActivityEnvironment

from activities.waking import WakingActivities
from shared.contracts.operations import WakingOrder
from shared.contracts.recipient import RecipientRef
from shared.db.models import AccountRow, CampaignRow, RecipientRow, WakingRow
from shared.db.models.campaigns import CampaignStatus
from shared.db.repositories.wakings import ask_waking
from shared.db.session import Database
from shared.domain.channels import AccountKind
from shared.domain.recipient import EndReason, HoldReason
from tests.activities.conftest import at
from tests.factories import NOON, Campaign, Company
from tests.fakes.conductor import RecordingConductor
from workflows.parts import Parts

PAUSED = HoldReason.CAMPAIGN_PAUSED


@pytest.fixture
def activities(database: Database, conductor: RecordingConductor) -> WakingActivities:
    return WakingActivities(database=database, conductor=conductor)


@pytest.fixture
async def campaign(company: Company) -> Campaign:
    return await company.make_campaign()


async def begun(company: Company, campaign: Campaign, **values: Any) -> RecipientRef:
    """A recipient that is on its way, with a plan unless it is parked."""
    ref = await company.make_recipient(campaign)
    usual: dict[str, Any] = {"started_at": NOON, "launched_at": NOON, "next_at": NOON}
    usual |= {"account_id": company.account_id}
    if reason := values.get("hold_reason"):
        values |= {"parked_at": NOON, "hold_reason": reason}
    async with company.session() as session:
        row = RecipientRow.id == ref.recipient_id
        await session.execute(update(RecipientRow).where(row).values(**usual | values))
    return ref


async def ask(company: Company, **asked: Any) -> WakingOrder:
    async with company.session() as session:
        return await ask_waking(session, **asked)


async def tell(activities: WakingActivities, order: WakingOrder, *, rate: int = 50) -> int:
    """Everybody, in pages of `rate`; how many pages it took."""
    order = WakingOrder(company_id=order.company_id, waking_id=order.waking_id, rate=rate)
    pages = 1
    while not (await ActivityEnvironment().run(activities.tell_page, order)).is_last:
        pages += 1
    return pages


def told(conductor: RecordingConductor) -> list[UUID]:
    return [ref.recipient_id for ref, _ in conductor.wakes]


async def test_resume_wakes_only_whom_the_pause_has_parked(
    activities: WakingActivities,
    company: Company,
    campaign: Campaign,
    conductor: RecordingConductor,
) -> None:
    parked = await begun(company, campaign, hold_reason=PAUSED)
    await begun(company, campaign)
    await begun(company, campaign, hold_reason=HoldReason.TODO)
    await begun(company, campaign, hold_reason=PAUSED, ended_at=NOON)
    await begun(company, await company.make_campaign(), hold_reason=PAUSED)

    await tell(activities, await ask(company, campaign_id=campaign.id, parked=True))

    assert told(conductor) == [parked.recipient_id]


async def test_everybody_is_told_once_however_many_pages_it_takes(
    activities: WakingActivities,
    company: Company,
    campaign: Campaign,
    conductor: RecordingConductor,
) -> None:
    refs = [await begun(company, campaign, hold_reason=PAUSED) for _ in range(7)]

    pages = await tell(activities, await ask(company, campaign_id=campaign.id, parked=True), rate=2)

    assert sorted(told(conductor)) == sorted(ref.recipient_id for ref in refs)
    assert pages == 4


async def test_a_page_that_died_half_way_is_told_again(
    activities: WakingActivities,
    company: Company,
    campaign: Campaign,
    conductor: RecordingConductor,
) -> None:
    refs = {(await begun(company, campaign, hold_reason=PAUSED)).recipient_id for _ in range(3)}
    order = await ask(company, campaign_id=campaign.id, parked=True)
    conductor.is_down = True
    with pytest.raises(ExceptionGroup):
        await tell(activities, order)
    conductor.is_down = False

    await tell(activities, order)

    assert set(told(conductor)) == refs


async def test_what_is_asked_for_meanwhile_is_told_from_the_beginning(
    activities: WakingActivities,
    company: Company,
    campaign: Campaign,
    conductor: RecordingConductor,
) -> None:
    """A resume and, before its pages are through, an edit of the second step."""
    parked = [await begun(company, campaign, hold_reason=PAUSED) for _ in range(3)]
    waiting = await begun(company, campaign, next_step_id=campaign.step_ids[1])
    await begun(company, campaign, next_step_id=campaign.step_ids[2])
    order = await ask(company, campaign_id=campaign.id, parked=True)
    small = WakingOrder(company_id=company.id, waking_id=order.waking_id, rate=1)
    await ActivityEnvironment().run(activities.tell_page, small)

    steps = [campaign.step_ids[1]]
    again = await ask(company, campaign_id=campaign.id, waiting=True, step_ids=steps)
    await tell(activities, again)

    assert again == order
    assert set(told(conductor)) == {ref.recipient_id for ref in (*parked, waiting)}
    async with company.session() as session:
        [row] = (await session.scalars(select(WakingRow))).all()
        assert (row.done_at is not None, row.told) == (True, 4)


async def test_who_was_told_is_not_told_again_by_the_next_change(
    activities: WakingActivities,
    company: Company,
    campaign: Campaign,
    conductor: RecordingConductor,
) -> None:
    await begun(company, campaign, hold_reason=PAUSED)
    await tell(activities, await ask(company, campaign_id=campaign.id, parked=True))
    conductor.wakes.clear()

    await tell(activities, await ask(company, campaign_id=campaign.id, waiting=True, step_ids=[]))

    assert told(conductor) == []


async def test_an_edit_wakes_who_waited_for_a_value_of_its_text(
    activities: WakingActivities,
    company: Company,
    campaign: Campaign,
    conductor: RecordingConductor,
) -> None:
    ref = await begun(company, campaign, hold_reason=HoldReason.CONTENT)

    await tell(activities, await ask(company, campaign_id=campaign.id, waiting=True, step_ids=[]))

    assert told(conductor) == [ref.recipient_id]


@pytest.mark.parametrize("kind", [AccountKind.GMAIL, AccountKind.LINKEDIN])
async def test_an_account_that_works_again_wakes_whom_it_held(
    activities: WakingActivities,
    company: Company,
    campaign: Campaign,
    conductor: RecordingConductor,
    kind: AccountKind,
) -> None:
    """Whom a LinkedIn account holds is on its mailbox all the same."""
    async with company.session() as session:
        other = AccountRow(user_id=company.user_id, kind=kind, email="lee@acme.test")
        session.add(other)
    held = await begun(company, campaign, hold_reason=HoldReason.ACCOUNT_DOWN)
    without = await begun(company, campaign, hold_reason=HoldReason.NO_ACCOUNT)
    await begun(company, campaign, hold_reason=PAUSED)

    await tell(activities, await ask(company, account_id=other.id, parked=True))

    is_mail = kind is AccountKind.GMAIL
    assert set(told(conductor)) == {without.recipient_id} | (
        set() if is_mail else {held.recipient_id}
    )


async def test_a_campaign_that_is_over_ends_them_a_page_at_a_time(
    activities: WakingActivities,
    company: Company,
    campaign: Campaign,
    conductor: RecordingConductor,
) -> None:
    running = [await begun(company, campaign) for _ in range(3)]
    pending = await company.make_recipient(campaign)
    replied = await begun(company, campaign, end_reason=EndReason.REPLIED, ended_at=NOON)
    async with company.session() as session:
        row = await session.get_one(CampaignRow, campaign.id)
        row.status = CampaignStatus.COMPLETED

    await tell(activities, await ask(company, campaign_id=campaign.id), rate=2)

    stopped = {ref.recipient_id for ref, _ in conductor.stops}
    assert stopped == {ref.recipient_id for ref in (*running, replied)}
    rows = [await company.recipient(ref.recipient_id) for ref in (*running, pending, replied)]
    assert [row.end_reason for row in rows] == [EndReason.CAMPAIGN_ENDED] * 4 + [EndReason.REPLIED]
    assert rows[3].closed_at is not None


async def test_the_sweep_goes_on_with_what_nobody_tells(
    parts: Parts, company: Company, campaign: Campaign, conductor: RecordingConductor
) -> None:
    order = await ask(company, campaign_id=campaign.id, parked=True)
    await at(NOON).run(parts.sweep.launch)
    assert order not in conductor.wakings
    async with company.session() as session:
        row = await session.get_one(WakingRow, order.waking_id)
        row.asked_at = datetime(2001, 1, 1, tzinfo=UTC)

    await at(NOON).run(parts.sweep.launch)
    assert order in conductor.wakings
    await tell(parts.waking, order)
    conductor.wakings.clear()
    await at(NOON).run(parts.sweep.launch)

    assert order not in conductor.wakings
