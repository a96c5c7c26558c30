"""A mailbox whose provider has told of something new is read at once, and once more if needed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker
from uuid_utils.compat import uuid7

from shared.contracts.operations import MailboxOrder
from workflows.client import TemporalConductor
from workflows.mailbox import MailboxWorkflow
from workflows.worker import sandbox


class Reader:
    """Reads as long as it is not let go."""

    def __init__(self) -> None:
        self.looks = 0
        self.is_reading, self.may_go = asyncio.Event(), asyncio.Event()
        self.may_go.set()
        self.fails = False

    @activity.defn(name="inbox.look")
    async def look(self, order: MailboxOrder) -> None:
        self.looks += 1
        self.is_reading.set()
        await self.may_go.wait()
        if self.fails:
            raise ApplicationError("the mailbox cannot be read")


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.fixture
def order() -> MailboxOrder:
    return MailboxOrder(company_id=uuid7(), account_id=uuid7())


@pytest.fixture
async def conductor(temporal: Client, reader: Reader) -> AsyncIterator[TemporalConductor]:
    prefix = f"test-{uuid7()}/"

    @asynccontextmanager
    async def worker() -> AsyncIterator[None]:
        async with Worker(
            temporal,
            task_queue=f"{prefix}ops",
            workflows=[MailboxWorkflow],
            activities=[reader.look],
            workflow_runner=sandbox(),
        ):
            yield

    async with worker():
        yield TemporalConductor(temporal, prefix=prefix)


async def end_of(temporal: Client, order: MailboxOrder) -> None:
    handle = temporal.get_workflow_handle(order.workflow_id)
    async with asyncio.timeout(120):
        await handle.result()


async def test_one_ring_is_one_look(
    temporal: Client, conductor: TemporalConductor, reader: Reader, order: MailboxOrder
) -> None:
    await conductor.look(order)
    await end_of(temporal, order)

    assert reader.looks == 1


async def test_what_comes_while_the_mailbox_is_read_is_not_missed(
    temporal: Client, conductor: TemporalConductor, reader: Reader, order: MailboxOrder
) -> None:
    reader.may_go.clear()
    await conductor.look(order)
    await reader.is_reading.wait()
    before = reader.looks
    for _ in range(5):
        await conductor.look(order)
    reader.may_go.set()
    await end_of(temporal, order)

    # Five at once are one more.
    assert reader.looks == before + 1


async def test_a_mailbox_that_was_read_can_be_rung_again(
    temporal: Client, conductor: TemporalConductor, reader: Reader, order: MailboxOrder
) -> None:
    await conductor.look(order)
    await end_of(temporal, order)
    before = reader.looks
    await conductor.look(order)
    await end_of(temporal, order)

    assert reader.looks > before


async def test_a_mailbox_that_cannot_be_read_is_left_to_the_next_round(
    temporal: Client, conductor: TemporalConductor, reader: Reader, order: MailboxOrder
) -> None:
    reader.fails = True
    await conductor.look(order)

    await end_of(temporal, order)
