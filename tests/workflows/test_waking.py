"""A waking tells page after page, and what is asked for meanwhile as well."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.testing import TimeSkipper
from temporalio.worker import Worker
from uuid_utils.compat import uuid7

from shared.contracts.operations import WakingOrder, WakingPage
from shared.db.models import RecipientRow
from shared.db.repositories.wakings import ask_waking
from tests.workflows.conftest import World, hold, until_next_is
from workflows.client import TemporalConductor
from workflows.waking import WakingWorkflow
from workflows.worker import sandbox


class Teller:
    """Answers these pages, one after the other."""

    def __init__(self) -> None:
        self.pages = [WakingPage(told=2, is_last=True)]
        self.told = 0
        self.is_telling, self.may_go = asyncio.Event(), asyncio.Event()
        self.may_go.set()

    @activity.defn(name="waking.page")
    async def tell_page(self, order: WakingOrder) -> WakingPage:
        self.is_telling.set()
        await self.may_go.wait()
        page = self.pages.pop(0) if self.pages else WakingPage(told=0, is_last=True)
        self.told += page.told
        return page


@pytest.fixture
def teller() -> Teller:
    return Teller()


@pytest.fixture
def order() -> WakingOrder:
    return WakingOrder(company_id=uuid7(), waking_id=uuid7(), rate=1_000)


@pytest.fixture
async def conductor(temporal: Client, teller: Teller) -> AsyncIterator[TemporalConductor]:
    prefix = f"test-{uuid7()}/"
    async with Worker(
        temporal,
        task_queue=f"{prefix}ops",
        workflows=[WakingWorkflow],
        activities=[teller.tell_page],
        workflow_runner=sandbox(),
    ):
        yield TemporalConductor(temporal, prefix=prefix)


async def end_of(temporal: Client, order: WakingOrder) -> int:
    async with asyncio.timeout(120):
        number: int = await temporal.get_workflow_handle(order.workflow_id).result()
        return number


async def test_it_pages_on_until_everybody_was_told(
    temporal: Client, conductor: TemporalConductor, teller: Teller, order: WakingOrder
) -> None:
    teller.pages = [WakingPage(told=2, is_last=False)] * 3 + [WakingPage(told=1, is_last=True)]

    await conductor.wake_many(order)

    await end_of(temporal, order)
    assert (teller.told, teller.pages) == (7, [])


async def test_what_is_asked_for_while_the_last_page_is_told_is_not_missed(
    temporal: Client, conductor: TemporalConductor, teller: Teller, order: WakingOrder
) -> None:
    teller.pages = [WakingPage(told=1, is_last=True), WakingPage(told=5, is_last=True)]
    teller.may_go.clear()
    await conductor.wake_many(order)
    await teller.is_telling.wait()
    await conductor.wake_many(order)
    teller.may_go.set()

    await end_of(temporal, order)

    assert teller.told == 6


async def test_a_waking_that_has_ended_can_be_asked_for_again(
    temporal: Client, conductor: TemporalConductor, teller: Teller, order: WakingOrder
) -> None:
    await conductor.wake_many(order)
    await end_of(temporal, order)
    teller.pages = [WakingPage(told=3, is_last=True)]
    await conductor.wake_many(order)
    await end_of(temporal, order)

    assert teller.told == 5


async def test_a_campaign_that_goes_on_sends_what_its_pause_has_held_up(
    world: World, temporal: Client, clock: TimeSkipper
) -> None:
    """The rows, the waking and the recipient's workflow, all of them real."""
    hold(clock)
    recipient = await world.start(is_paused=True)
    await until_next_is(recipient, "parked: campaign is paused")
    await world.pause(False)
    async with world.company.session() as session:
        row = await session.get_one(RecipientRow, world.ref.recipient_id)
        row.launched_at, campaign_id = row.started_at, row.campaign_id
        await session.flush()
        order = await ask_waking(session, campaign_id=campaign_id, parked=True)

    await world.conductor.wake_many(order)
    await end_of(temporal, order)
    await until_next_is(recipient, "step 2 of 3, gmail.send")

    assert len(world.gmail.sent) == 1
