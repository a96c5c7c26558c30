"""Tells the recipients of a campaign or an account to look at what has changed."""

import asyncio
from typing import Any

from sqlalchemy import Row
from temporalio import activity
from uuid_utils.compat import uuid7

from shared.conductor import Conductor
from shared.contracts.operations import WakingOrder, WakingPage
from shared.contracts.recipient import RecipientRef, StopSignal, WakeSignal
from shared.db.repositories.wakings import Page, finish_page, next_page
from shared.db.session import Database
from shared.domain.recipient import EndReason

PAGE = 200
TOLD_AT_ONCE = 20


class WakingActivities:
    def __init__(self, *, database: Database, conductor: Conductor) -> None:
        self._database = database
        self._conductor = conductor

    @activity.defn(name="waking.page")
    async def tell_page(self, order: WakingOrder) -> WakingPage:
        """Tell one page; a page that died half way is told again, which changes nothing."""
        async with self._database.company_transaction(order.company_id) as connection:
            page = await next_page(connection, order.waking_id, size=min(PAGE, order.rate))
        if page is None:
            return WakingPage(told=0, is_last=True)
        await self._tell(order, page)
        async with self._database.company_transaction(order.company_id) as connection:
            await finish_page(connection, order.waking_id, page)
        return WakingPage(told=len(page.rows), is_last=page.is_last)

    async def _tell(self, order: WakingOrder, page: Page) -> None:
        gate = asyncio.Semaphore(TOLD_AT_ONCE)

        async def tell(row: Row[Any]) -> None:
            recipient = RecipientRef(
                company_id=order.company_id, campaign_id=row.campaign_id, recipient_id=row.id
            )
            async with gate:
                if page.is_over:
                    stop = StopSignal(event_id=uuid7(), reason=EndReason.CAMPAIGN_ENDED)
                    await self._conductor.stop(recipient, stop)
                else:
                    await self._conductor.wake(recipient, WakeSignal(event_id=uuid7()))

        async with asyncio.TaskGroup() as group:
            for row in page.rows:
                if not page.is_over or row.is_running:
                    group.create_task(tell(row))
