"""A campaign with a launcher, and how many workflows came of it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID

import httpx
from sqlalchemy import func, select
from temporalio.client import Client

from deploy.bench.answering_gmail import AnsweringGmail
from deploy.bench.steps import NoTokens
from deploy.bench.world import BenchCompany
from shared.contracts.operations import LaunchOrder
from shared.contracts.queues import Queue
from shared.db.models import RecipientRow
from shared.db.session import Database
from workflows.client import TemporalConductor
from workflows.parts import make_parts
from workflows.worker import make_worker

A_MONTH = 30 * 86_400
SETTLING_SECONDS = 60


@asynccontextmanager
async def serving(
    client: Client,
    database: Database,
    company: BenchCompany,
    *,
    queues: Sequence[Queue],
    prefix: str = "",
    gmail: AnsweringGmail | None = None,
) -> AsyncIterator[TemporalConductor]:
    """Workers of these queues in this process, with a Gmail that answers here."""
    conductor = TemporalConductor(client, prefix=prefix)
    async with AsyncExitStack() as stack:
        transport = gmail or AnsweringGmail()
        http = await stack.enter_async_context(httpx.AsyncClient(transport=transport))
        parts = make_parts(
            database=database,
            keyring=company.keyring,
            conductor=conductor,
            http=http,
            token_source_of=lambda _: NoTokens(),
            gmail_endpoint="http://gmail.bench",
            poll_seconds=60,
        )
        for queue in queues:
            await stack.enter_async_context(make_worker(client, queue, parts, prefix=prefix))
        yield conductor


async def launch(client: Client, conductor: TemporalConductor, order: LaunchOrder) -> None:
    """Have it launched, and wait until its launcher is done."""
    await conductor.launch(order)
    await client.get_workflow_handle(order.workflow_id).result()


async def count_launched(database: Database, company_id: UUID) -> int:
    query = (
        select(func.count()).select_from(RecipientRow).where(RecipientRow.launched_at.is_not(None))
    )
    async with database.company_session(company_id) as session:
        return await session.scalar(query) or 0


async def count_workflows(client: Client, company_id: UUID, *, expected: int) -> int:
    """Every run of every recipient's workflow; what was just started takes a moment to be seen."""
    query = f"WorkflowType = 'recipient' AND DrumbeatCompany = '{company_id}'"
    deadline = asyncio.get_running_loop().time() + SETTLING_SECONDS
    while (found := (await client.count_workflows(query)).count) < expected:
        if asyncio.get_running_loop().time() > deadline:
            break
        await asyncio.sleep(0.5)
    return found
