"""Starts the pending recipients of a campaign, as fast as Temporal takes them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from uuid import UUID

from temporalio import activity

from activities.launch_pace import Pace
from shared.conductor import Conductor
from shared.contracts.operations import LaunchOrder, LaunchPage
from shared.db.repositories.launches import close_launch, open_launch
from shared.db.repositories.versions import VersionShelf
from shared.db.session import Database
from shared.launching import NOBODY, StartedPage, launch_page

# Then somebody else's launch gets its turn.
TURN_SECONDS = 20.0
BEAT_SECONDS = 1.0
BREATH_SECONDS = 1.0


class LaunchActivities:
    def __init__(self, *, database: Database, conductor: Conductor, shelf: VersionShelf) -> None:
        self._database = database
        self._conductor = conductor
        self._shelf = shelf

    @activity.defn(name="launch.page")
    async def start_page(self, order: LaunchOrder) -> LaunchPage:
        """Start pending recipients for a while; who died half way is found again."""
        async with self._database.company_transaction(order.company_id) as connection:
            job_id = await open_launch(connection, order.campaign_id)
        if job_id is None:
            return LaunchPage(started=0, is_last=True)
        async with _beating():
            turn = await self._take_turn(order, job_id)
        if turn.is_last:
            async with self._database.company_transaction(order.company_id) as connection:
                await close_launch(connection, order.campaign_id, job_id)
        return turn

    async def _take_turn(self, order: LaunchOrder, job_id: UUID) -> LaunchPage:
        """Page after page from the first that is pending, until there is none or time is up."""
        pace, started, after = Pace(order.rate), 0, NOBODY
        ends_at = monotonic() + TURN_SECONDS
        is_last = False
        while not is_last and monotonic() < ends_at and not activity.is_worker_shutdown():
            page = await self._start_page(order, pace, after, job_id)
            started += page.started
            # At the end it is looked from the beginning, whom this turn has left or passed over.
            is_last = page.is_last and after == NOBODY and not page.pushed_back
            after = NOBODY if page.is_last or page.pushed_back else page.last_id
        return LaunchPage(started=started, is_last=is_last, rate=int(pace.rate))

    async def _start_page(
        self, order: LaunchOrder, pace: Pace, after: UUID, job_id: UUID
    ) -> StartedPage:
        """One page, and the rest behind it that keeps to the pace."""
        begun = monotonic()
        page = await launch_page(
            self._database,
            self._conductor,
            order.company_id,
            order.campaign_id,
            size=pace.page,
            after=after,
            job_id=job_id,
            shelf=self._shelf,
        )
        seconds = monotonic() - begun
        pace.learn(
            started=page.started,
            pushed_back=page.pushed_back,
            latency=page.latency,
            seconds=seconds,
        )
        rest = pace.rest(started=page.started, seconds=seconds)
        await asyncio.sleep(max(rest, BREATH_SECONDS if page.pushed_back else 0))
        return page


@asynccontextmanager
async def _beating() -> AsyncIterator[None]:
    """Tell Temporal that this worker is alive, also while a page waits for an answer."""

    async def beat() -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(BEAT_SECONDS)

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()
