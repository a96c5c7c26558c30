"""Starting the pending: each exactly once, whatever dies in between."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from activities import launch_pace
from shared.conductor import Overloaded
from shared.contracts.operations import LaunchOrder, LaunchPage
from shared.contracts.recipient import RecipientStart
from shared.db.models import CampaignRow, JobKind, JobRow, JobStatus, RecipientRow
from shared.db.models.campaigns import CampaignStatus
from shared.db.session import Database
from shared.domain.recipient import ActivityName
from shared.launching import launch_page
from tests.activities.conftest import at
from tests.activities.fuses import Fuse, KilledError
from tests.factories import NOON, Campaign, Company
from tests.fakes.conductor import RecordingConductor
from workflows.parts import Parts

# More than a page.
MANY = 13


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch_pace, "LARGEST_PAGE", launch_pace.SMALLEST_PAGE)


@pytest.fixture
async def campaign(company: Company) -> Campaign:
    return await make_pending(company, 5)


@pytest.fixture
async def big(company: Company) -> Campaign:
    return await make_pending(company, MANY)


async def make_pending(company: Company, number: int) -> Campaign:
    campaign = await company.make_campaign()
    for _ in range(number):
        await company.make_recipient(campaign)
    return campaign


def order_of(company: Company, campaign: Campaign) -> LaunchOrder:
    return LaunchOrder(company_id=company.id, campaign_id=campaign.id, rate=1_000)


async def launch(parts: Parts, company: Company, campaign: Campaign) -> LaunchPage:
    page: LaunchPage = await at(NOON).run(parts.launch.start_page, order_of(company, campaign))
    return page


async def jobs(company: Company) -> list[JobRow]:
    async with company.session() as session:
        query = select(JobRow).where(JobRow.kind == JobKind.LAUNCH).order_by(JobRow.id)
        return list(await session.scalars(query))


async def test_a_turn_starts_everybody_once_and_says_how_far_it_is(
    parts: Parts, company: Company, big: Campaign, conductor: RecordingConductor
) -> None:
    page = await launch(parts, company, big)
    again = await launch(parts, company, big)

    assert (page.started, page.is_last) == (MANY, True)
    assert (again.started, again.is_last) == (0, True)
    started = [start.recipient.recipient_id for start in conductor.started]
    assert len(started) == len(set(started)) == MANY
    assert {start.next.activity for start in conductor.started} == {ActivityName.GMAIL_SEND}
    [job] = await jobs(company)
    assert (job.status, job.processed, job.total) == (JobStatus.COMPLETED, MANY, MANY)
    assert (job.campaign_id, job.more) == (big.id, {"campaign_id": str(big.id)})


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
    *,
    parts: Parts,
    company: Company,
    campaign: Campaign,
    conductor: RecordingConductor,
    status: CampaignStatus,
) -> None:
    async with company.session() as session:
        (await session.get_one(CampaignRow, campaign.id)).status = status

    page = await launch(parts, company, campaign)

    assert (page.started, page.is_last) == (0, True)
    assert conductor.started == []
    assert await jobs(company) == []


class BusyConductor(RecordingConductor):
    """Takes so many starts, and then says for once that it is too busy."""

    def __init__(self, takes: int) -> None:
        super().__init__()
        self.takes = takes

    async def start(self, start: RecipientStart) -> None:
        self.takes -= 1
        if self.takes == -1:
            raise Overloaded("Temporal has too much to do")
        await super().start(start)


async def test_whom_temporal_is_too_busy_for_is_started_more_slowly(
    parts: Parts, company: Company, big: Campaign
) -> None:
    busy = parts.launch._conductor = BusyConductor(takes=7)

    page = await launch(parts, company, big)

    assert (page.started, page.is_last) == (MANY, True)
    assert {start.recipient.recipient_id for start in busy.started} == {
        row.id for row in await recipients(company)
    }


async def test_a_launch_that_is_called_off_or_paused_goes_on_with_the_same_job(
    parts: Parts, company: Company, big: Campaign, conductor: RecordingConductor
) -> None:
    """Paused in the middle, by a start that the launcher is just making."""
    parts.launch._conductor = PausingConductor(company, big)

    page = await launch(parts, company, big)
    [job] = await jobs(company)
    assert (page.is_last, job.status, job.finished_at) == (True, JobStatus.PENDING, None)
    assert 0 < job.processed < MANY
    assert job.total == MANY

    async with company.session() as session:
        (await session.get_one(CampaignRow, big.id)).status = CampaignStatus.ACTIVE
    parts.launch._conductor = conductor
    await launch(parts, company, big)
    [job] = await jobs(company)
    assert (job.status, job.processed, job.total) == (JobStatus.COMPLETED, MANY, MANY)


class PausingConductor(RecordingConductor):
    def __init__(self, company: Company, campaign: Campaign) -> None:
        super().__init__()
        self._company, self._campaign = company, campaign

    async def start(self, start: RecipientStart) -> None:
        async with self._company.session() as session:
            row = await session.get_one(CampaignRow, self._campaign.id)
            row.status = CampaignStatus.PAUSED
        await super().start(start)


class MortalConductor(RecordingConductor):
    """Dies before Temporal has heard of a start, or after and before the answer."""

    def __init__(self, fuse: Fuse) -> None:
        super().__init__()
        self._fuse = fuse

    async def start(self, start: RecipientStart) -> None:
        self._fuse.burn()
        await super().start(start)
        self._fuse.burn()


async def test_a_launcher_killed_anywhere_leaves_nobody_and_starts_nobody_twice(
    *,
    parts: Parts,
    company: Company,
    big: Campaign,
    conductor: RecordingConductor,
    engine: AsyncEngine,
) -> None:
    """At each of its statements, commits and starts; then the sweeper finds what is left."""
    expected = {row.id for row in await recipients(company)}
    deaths, has_died = 0, True
    while has_died:
        conductor.started, conductor.launches = [], []
        await forget_launch(company)
        has_died, heard = await launch_until(parts, company, big, Fuse(left=deaths), engine)
        deaths += has_died
        if has_died and len(await still_pending(company)):
            await parts.sweep.launch()
            assert order_of(company, big).workflow_id in {
                order.workflow_id for order in conductor.launches
            }
        parts.launch._conductor = conductor
        await launch(parts, company, big)

        heard |= {start.recipient.recipient_id for start in conductor.started}
        assert heard == expected
        assert await still_pending(company) == []
        [job] = await jobs(company)
        assert job.processed == MANY

    assert deaths > 2 * MANY


async def launch_until(
    parts: Parts, company: Company, campaign: Campaign, fuse: Fuse, engine: AsyncEngine
) -> tuple[bool, set[Any]]:
    """Whether it died, and of whom Temporal has heard."""
    mortal = parts.launch._conductor = MortalConductor(fuse)
    has_died = False
    try:
        with fuse.in_database(engine):
            await launch(parts, company, campaign)
    except (KilledError, BaseExceptionGroup):
        has_died = True
    async with company.session() as session:
        # Postgres may still be rolling back what the dead one held, which others pass over.
        await session.execute(text("select 1 from recipients for update"))
    return has_died, {start.recipient.recipient_id for start in mortal.started}


async def forget_launch(company: Company) -> None:
    async with company.session() as session:
        await session.execute(text("delete from jobs"))
        await session.execute(text("update recipients set started_at = null, launched_at = null"))


async def recipients(company: Company) -> list[RecipientRow]:
    async with company.session() as session:
        return list(await session.scalars(select(RecipientRow)))


async def still_pending(company: Company) -> list[RecipientRow]:
    return [row for row in await recipients(company) if row.launched_at is None]


async def test_the_sweeper_leaves_a_launch_that_was_called_off(
    parts: Parts, company: Company, campaign: Campaign, conductor: RecordingConductor
) -> None:
    async with company.session() as session:
        row = await session.get_one(CampaignRow, campaign.id)
        row.launch_held_at = await session.scalar(select(func.now()))

    await parts.sweep.launch()
    page = await launch(parts, company, campaign)

    assert campaign.id not in {order.campaign_id for order in conductor.launches}
    assert (page.started, conductor.started) == (0, [])
