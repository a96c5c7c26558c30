"""The workflow that carries events: it runs on, whichever worker does the work."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from sqlalchemy import select
from temporalio.client import Client
from uuid_utils.compat import uuid7

from activities.webhook_calls import WebhookCaller
from shared.contracts.queues import Queue
from shared.db.models import DeliveryStatus, WebhookDeliveryRow
from shared.db.session import Database
from shared.keyring import Keyring
from shared.webhooks import Destinations
from tests.factories import Company
from tests.fakes.conductor import RecordingConductor
from tests.fakes.gmail import FakeTokens
from tests.fakes.receiver import Receiver, running_receiver
from tests.webhooks.conftest import make_events, make_webhook
from workflows.parts import make_parts
from workflows.webhooks import WebhooksWorkflow
from workflows.worker import make_worker


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with running_receiver() as receiver:
        yield receiver


async def test_a_second_worker_goes_on_where_the_first_one_stopped(
    company: Company, database: Database, keyring: Keyring, temporal: Client, receiver: Receiver
) -> None:
    prefix = f"test-{uuid7()}/"

    @asynccontextmanager
    async def worker() -> AsyncIterator[None]:
        tokens = FakeTokens()
        caller = WebhookCaller(Destinations(is_private_allowed=True))
        async with httpx.AsyncClient() as http:
            parts = make_parts(
                database=database,
                keyring=keyring,
                conductor=RecordingConductor(),
                http=http,
                token_source_of=lambda _: tokens,
                gmail_endpoint="http://127.0.0.1:1",
                poll_seconds=1,
                webhook_caller=caller,
            )
            async with make_worker(temporal, Queue.OPS, parts, prefix=prefix):
                yield
        await caller.close()

    await make_webhook(company, keyring, receiver.url)
    running = await temporal.start_workflow(
        WebhooksWorkflow.run, id=f"{prefix}webhooks", task_queue=f"{prefix}ops"
    )

    first = await make_events(company)
    async with worker():
        await receiver.until_heard(1)
        receiver.answers = ["hang"]
        second = await make_events(company)
        await receiver.until_heard(2)
        # The worker is told to stop while a call is on its way, and lets it end.
        asyncio.get_running_loop().call_later(1, receiver.released.set)
    third = await make_events(company)
    async with worker():
        await receiver.until_heard(3)
        await until_delivered(company, first[0].id, third[0].id)

    heard = [it.message_id for it in receiver.heard[:3]]
    assert heard == [str(it[0].id) for it in (first, second, third)]
    cut_off = (await deliveries(company))[str(second[0].id)]
    assert cut_off.status is DeliveryStatus.PENDING
    assert cut_off.error == "It closed the connection, or did not answer in HTTP"
    await running.terminate("the test is over")


async def until_delivered(company: Company, *event_ids: object) -> None:
    async with asyncio.timeout(60):
        while True:
            found = await deliveries(company)
            if all(found[str(it)].status is DeliveryStatus.DELIVERED for it in event_ids):
                return
            await asyncio.sleep(0.05)


async def deliveries(company: Company) -> dict[str, WebhookDeliveryRow]:
    async with company.session() as session:
        return {str(it.event_id): it for it in await session.scalars(select(WebhookDeliveryRow))}
