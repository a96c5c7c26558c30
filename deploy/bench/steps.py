"""How much of bare Temporal's speed is left when a step is a mail that is sent once.

Both run in one process, on the same durable servers, with the same sandbox and the same timers.
The mailbox answers in the process, so what differs is our own work: the three transactions of a
step, the message, the decision.
"""

import asyncio
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from uuid import UUID

import httpx
from sqlalchemy import func, select
from temporalio.client import Client
from temporalio.worker import Worker
from uuid_utils.compat import uuid7

from deploy.bench.answering_gmail import AnsweringGmail
from deploy.bench.bare import BareStart, BareWorkflow, do_nothing
from deploy.bench.result import BenchResult, WentWrong
from deploy.bench.world import BenchCompany
from deploy.local.migrate import migrate_meanwhile
from deploy.local.postgres import running_postgres
from deploy.local.temporal import running_temporal
from shared.contracts.queues import Queue
from shared.contracts.recipient import RecipientRef
from shared.db.models import ActionRow
from shared.db.session import Database, make_engine
from shared.launching import launch_page
from workflows.client import TemporalConductor, connect_temporal
from workflows.parts import make_parts
from workflows.worker import make_worker, sandbox

BARE_QUEUE = "bare"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """`rounds`: how often both are run in turn, so that a slow minute meets both."""

    recipients: int = 150
    waits: tuple[int, ...] = (0, 1, 1)
    rounds: int = 2

    @property
    def steps(self) -> int:
        return self.recipients * len(self.waits)


class NoTokens:
    async def access_token(self, *, rejected: str | None = None) -> str:  # noqa: ARG002 - the form is TokenSource's
        return "bench"


async def bench_steps(size: Size, say: Callable[[str], None]) -> BenchResult:
    """Steps a second of both, in turns, on servers of their own that are thrown away."""
    started = perf_counter()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="drumbeat-bench-")))
        postgres = await stack.enter_async_context(running_postgres(folder / "postgres"))
        await migrate_meanwhile(postgres.owner_url)
        temporal = await stack.enter_async_context(running_temporal(folder / "temporal"))
        engine = make_engine(postgres.app_url)
        stack.push_async_callback(engine.dispose)
        client = await connect_temporal(temporal.address)
        runs = _Runs(size, client, Database(engine))
        await runs.warm_up()
        for number in range(1, size.rounds + 1):
            say(f"round {number} of {size.rounds}: {size.steps} steps each, bare Temporal")
            await runs.run_bare()
            say(f"round {number} of {size.rounds}: {size.steps} steps each, Drumbeat")
            await runs.run_ours()
        ours, bare = runs.rates()
        events = await runs.events_per_step()
    return BenchResult(
        name="steps",
        ours=ours,
        baseline=bare,
        unit="steps/s",
        seconds=perf_counter() - started,
        more={"events_per_step": events},
    )


class _Runs:
    def __init__(self, size: Size, client: Client, database: Database) -> None:
        self._size, self._client, self._database = size, client, database
        self._seconds = {"ours": 0.0, "bare": 0.0}
        self._refs: list[RecipientRef] = []

    def rates(self) -> tuple[float, float]:
        steps = self._size.steps * self._size.rounds
        return steps / self._seconds["ours"], steps / self._seconds["bare"]

    async def warm_up(self) -> None:
        """Imports, connections and caches are not what is measured."""
        size, self._size = self._size, replace(self._size, recipients=5)
        await self.run_bare()
        await self.run_ours()
        self._size, self._seconds = size, {"ours": 0.0, "bare": 0.0}

    async def run_bare(self) -> None:
        worker = Worker(
            self._client,
            task_queue=BARE_QUEUE,
            workflows=[BareWorkflow],
            activities=[do_nothing],
            workflow_runner=sandbox(),
        )
        start = BareStart(waits=self._size.waits)
        gate = asyncio.Semaphore(20)

        async def run_one() -> None:
            async with gate:
                handle = await self._client.start_workflow(
                    BareWorkflow.run, start, id=f"bare/{uuid7()}", task_queue=BARE_QUEUE
                )
            await handle.result()

        async with worker:
            begun = perf_counter()
            async with asyncio.TaskGroup() as group:
                for _ in range(self._size.recipients):
                    group.create_task(run_one())
            self._seconds["bare"] += perf_counter() - begun

    async def run_ours(self) -> None:
        company = await BenchCompany.make(self._database)
        campaign_id = await company.make_campaign(self._size.waits, self._size.recipients)
        gmail, prefix = AnsweringGmail(), f"bench-{uuid7()}/"
        conductor = TemporalConductor(self._client, prefix=prefix)
        async with AsyncExitStack() as stack:
            http = await stack.enter_async_context(httpx.AsyncClient(transport=gmail))
            parts = make_parts(
                database=self._database,
                keyring=company.keyring,
                conductor=conductor,
                http=http,
                token_source_of=lambda _: NoTokens(),
                gmail_endpoint="http://gmail.bench",
                poll_seconds=60,
            )
            for queue in (Queue.RECIPIENT, Queue.GMAIL):
                worker = make_worker(self._client, queue, parts, prefix=prefix)
                await stack.enter_async_context(worker)
            begun = perf_counter()
            await self._run_campaign(company.id, campaign_id, conductor)
            self._seconds["ours"] += perf_counter() - begun
        await self._check(company.id, gmail)

    async def _run_campaign(
        self, company_id: UUID, campaign_id: UUID, conductor: TemporalConductor
    ) -> None:
        while not (await launch_page(self._database, conductor, company_id, campaign_id)).is_last:
            pass
        self._refs = [
            RecipientRef(company_id=company_id, campaign_id=campaign_id, recipient_id=id_)
            for id_ in await BenchCompany.recipients(self._database, company_id)
        ]
        async with asyncio.TaskGroup() as group:
            for ref in self._refs:
                group.create_task(conductor.recipient(ref).result())

    async def _check(self, company_id: UUID, gmail: AnsweringGmail) -> None:
        async with self._database.company_session(company_id) as session:
            settled = await session.scalar(
                select(func.count()).select_from(ActionRow).where(ActionRow.status == "sent")
            )
        if not settled == len(gmail.keys) == len(set(gmail.keys)) == self._size.steps:
            raise WentWrong(
                f"{self._size.steps} mails were due, {len(gmail.keys)} were sent"
                f" ({len(set(gmail.keys))} different ones), {settled} are in the ledger"
            )

    async def events_per_step(self) -> float:
        conductor = TemporalConductor(self._client)
        handle = conductor.recipient(self._refs[0])
        events = [event async for event in handle.fetch_history_events()]
        return len(events) / len(self._size.waits)
