"""The launcher as Temporal runs it: everybody once, company by company in turns."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import pytest
from sqlalchemy import func, select
from temporalio.client import Client
from uuid_utils.compat import uuid7

from shared.contracts.operations import LaunchOrder
from shared.contracts.queues import Queue
from shared.db.models import RecipientRow
from shared.db.session import Database
from shared.keyring import Keyring
from tests.factories import DAY, Campaign, Company
from tests.fakes.gmail import FakeTokens
from workflows.client import TemporalConductor
from workflows.parts import Parts, make_parts
from workflows.worker import Limits, make_worker

MANY = 12


class Launching:
    """A queue of its own; who works on it, and how much at once, is up to the test."""

    def __init__(self, temporal: Client, database: Database, keyring: Keyring) -> None:
        self.prefix = f"test-{uuid7()}/"
        self.temporal = temporal
        self.conductor = TemporalConductor(temporal, prefix=self.prefix)
        self._database, self._keyring = database, keyring
        self._stack = AsyncExitStack()

    async def parts(self) -> Parts:
        tokens = FakeTokens()
        return make_parts(
            database=self._database,
            keyring=self._keyring,
            conductor=self.conductor,
            http=await self._stack.enter_async_context(httpx.AsyncClient()),
            token_source_of=lambda _: tokens,
            gmail_endpoint="http://127.0.0.1:1",
            poll_seconds=1,
        )

    async def work(self, limits: Limits) -> None:
        parts = await self.parts()
        worker = make_worker(self.temporal, Queue.OPS, parts, prefix=self.prefix, limits=limits)
        await self._stack.enter_async_context(worker)

    async def ask(self, company: Company, campaign: Campaign) -> str:
        order = LaunchOrder(company_id=company.id, campaign_id=campaign.id)
        await self.conductor.launch(order)
        return order.workflow_id

    async def end(self, workflow_id: str) -> int:
        handle = self.temporal.get_workflow_handle(workflow_id, result_type=int)
        async with asyncio.timeout(60):
            result: int = await handle.result()
        return result

    async def close(self) -> None:
        await self._stack.aclose()


@pytest.fixture
async def launching(
    temporal: Client, database: Database, keyring: Keyring
) -> AsyncIterator[Launching]:
    launching = Launching(temporal, database, keyring)
    yield launching
    await launching.close()


async def make_pending(company: Company, number: int) -> Campaign:
    campaign = await company.make_campaign(waits=(DAY,))
    for _ in range(number):
        await company.make_recipient(campaign)
    return campaign


async def test_whoever_waits_for_a_first_mail_sleeps_in_temporal_without_a_timer(
    launching: Launching, company: Company
) -> None:
    campaign = await make_pending(company, MANY)
    await launching.work(Limits())

    started = await launching.end(await launching.ask(company, campaign))

    assert started == MANY
    query = f"WorkflowType = 'recipient' AND DrumbeatCampaign = '{campaign.id}'"
    async with asyncio.timeout(30):
        while len(found := [it async for it in launching.temporal.list_workflows(query)]) < MANY:  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0.1)
    assert len({workflow.id for workflow in found}) == len(found) == MANY
    asleep = await launching.temporal.get_workflow_handle(found[0].id).describe()
    assert asleep.history_length == 1
    first = asleep.raw_description.workflow_execution_info
    assert first.priority.fairness_key == str(company.id)


async def test_a_company_with_many_launches_does_not_keep_another_one_waiting(
    launching: Launching, company: Company, stranger: Company
) -> None:
    """All are asked for before anybody works, and then one works alone."""
    campaigns = [await make_pending(company, 1) for _ in range(MANY)]
    own = await make_pending(stranger, 1)
    for campaign in campaigns:
        await launching.ask(company, campaign)
    late = await launching.ask(stranger, own)

    await launching.work(Limits(activities=1, workflow_tasks=1))
    await launching.end(late)

    async with company.session() as session:
        launched = select(func.count()).where(RecipientRow.launched_at.is_not(None))
        assert (await session.scalar(launched) or 0) < MANY // 2
