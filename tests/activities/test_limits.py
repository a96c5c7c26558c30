"""Nobody passes a limit, however many come at once; and who has none pays nothing for it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import event, select
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts.recipient import ActionOrder
from shared.db.models import RecipientRow
from shared.db.session import Database, make_engine
from tests.activities.conftest import Send, at
from tests.activities.paced import set_account
from tests.factories import NOON, Company
from workflows.parts import Parts


async def test_the_limit_is_not_passed_by_one_when_sixteen_come_at_once(
    company: Company, parts: Parts, postgres: Any
) -> None:
    """Sixteen connections, a hundred and sixty attempts, room for twenty."""
    await set_account(company, daily_limit=20, limits={"per_hour": 20})
    campaign = await company.make_campaign()
    orders = [await company.make_order(campaign) for _ in range(160)]
    engine = make_engine(postgres.app_url, pool_size=16)
    ledger = parts.recipient._ledger
    ledger.database = Database(engine)
    gate = asyncio.Semaphore(16)

    async def reserve(order: ActionOrder, number: int) -> None:
        async with gate:
            instant = NOON + timedelta(milliseconds=number % 7)
            await at(instant).run(ledger._reserve, order)

    async with asyncio.TaskGroup() as group:
        for number, order in enumerate(orders):
            group.create_task(reserve(order, number))
    await engine.dispose()

    assert len(await company.actions()) == 20
    async with company.session() as session:
        booked = select(RecipientRow.next_at).where(RecipientRow.slot_at.is_not(None))
        later = [instant for instant in await session.scalars(booked) if instant]
    assert len(later) == 140
    assert min(later) >= NOON + timedelta(days=1)


@contextmanager
def listening(engine: AsyncEngine) -> Iterator[list[str]]:
    """What is said to Postgres meanwhile."""
    said: list[str] = []

    def hear(*call: Any) -> None:
        said.append(call[2])

    event.listen(engine.sync_engine, "before_cursor_execute", hear)
    yield said
    event.remove(engine.sync_engine, "before_cursor_execute", hear)


async def test_limits_cost_three_statements_a_step_and_no_limits_none(
    send: Send, company: Company, engine: AsyncEngine
) -> None:
    """The lock and the book when it is due, and the book once more for the next step."""
    campaign = await company.make_campaign()
    free, bound = await company.make_order(campaign), await company.make_order(campaign)
    # The first one also reads the mailbox and the version.
    await send(await company.make_order(campaign))
    with listening(engine) as without:
        await send(free)
    await set_account(company, daily_limit=40)
    with listening(engine) as limited:
        await send(bound)

    assert not any("no key update" in statement for statement in without)
    assert len(limited) - len(without) == 3
    assert (await company.recipient(free.recipient_id)).slot_at is None
    assert (await company.recipient(bound.recipient_id)).slot_at is not None
