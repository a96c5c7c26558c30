"""A large campaign of one step from its launch to its end: nobody twice, nobody forgotten."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from uuid import UUID

from sqlalchemy import Row, text
from temporalio.worker import Worker
from uuid_utils.compat import uuid7

from deploy.bench.answering_gmail import AnsweringGmail
from deploy.bench.bare import BareStart, BareWorkflow, do_nothing
from deploy.bench.launches import serving
from deploy.bench.result import BenchResult, WentWrong
from deploy.bench.servers import Servers, running_servers
from deploy.bench.world import BenchCompany
from shared.contracts.operations import LaunchOrder
from shared.contracts.queues import Queue
from workflows.worker import sandbox

BARE_QUEUE = "bare"
LONGEST_SECONDS = 5_400
TELLING_SECONDS = 10

_STATE = text("""
select count(*) as recipients, count(launched_at) as launched,
  count(*) filter (where end_reason = 'completed') as completed,
  (select count(*) from actions where status = 'sent') as sent,
  (select count(*) from actions) as actions, (select status from campaigns) as status
from recipients
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeSize:
    """`bare`: how many bare workflows are run before and after, for the baseline."""

    recipients: int = 20_000
    bare: int = 300


async def bench_whole(size: WholeSize, say: Callable[[str], None]) -> BenchResult:
    """Mails a second of the whole campaign, beside steps of bare workflows."""
    started = perf_counter()
    async with running_servers() as servers, asyncio.timeout(LONGEST_SECONDS):
        bare = await _run_bare(servers, size.bare)
        say(f"a campaign of {size.recipients} recipients is launched")
        gmail = AnsweringGmail()
        ours = await _run_campaign(servers, size.recipients, gmail, say)
        bare += await _run_bare(servers, size.bare)
    return BenchResult(
        name="whole",
        ours=size.recipients / ours,
        baseline=2 * size.bare / bare,
        unit="steps/s",
        seconds=perf_counter() - started,
        more={"recipients": size.recipients, "doubled": 0, "lost": 0},
    )


async def _run_campaign(
    servers: Servers, number: int, gmail: AnsweringGmail, say: Callable[[str], None]
) -> float:
    """Seconds from the order to the last end. Raises WentWrong when a mail is missing or double."""
    company = await BenchCompany.make(servers.database)
    campaign_id = await company.make_campaign((0,), number)
    order = LaunchOrder(company_id=company.id, campaign_id=campaign_id)
    queues = (Queue.OPS, Queue.RECIPIENT, Queue.GMAIL)
    async with serving(
        servers.client, servers.database, company, queues=queues, gmail=gmail
    ) as conductor:
        begun = perf_counter()
        await conductor.launch(order)
        told_at = begun
        while (state := await _look(servers, company.id)).completed < number:
            if perf_counter() - told_at > TELLING_SECONDS:
                told_at = perf_counter()
                say(f"{state.launched} launched, {state.sent} sent, {state.completed} over")
            await asyncio.sleep(0.5)
        seconds = perf_counter() - begun
    counts = (state.launched, state.completed, state.actions, state.sent)
    if set(counts) | {len(gmail.keys), len(set(gmail.keys))} != {number}:
        raise WentWrong(
            f"{number} mails were due; launched, ended, begun, sent: {counts};"
            f" the provider has sent {len(gmail.keys)}, {len(set(gmail.keys))} different ones"
        )
    if state.status != "completed":
        raise WentWrong(f"nobody is open any more and the campaign is {state.status}")
    return seconds


async def _look(servers: Servers, company_id: UUID) -> Row[tuple[int, ...]]:
    async with servers.database.company_transaction(company_id) as connection:
        return (await connection.execute(_STATE)).one()


async def _run_bare(servers: Servers, number: int) -> float:
    """Seconds for so many workflows of one step without a wait."""
    worker = Worker(
        servers.client,
        task_queue=BARE_QUEUE,
        workflows=[BareWorkflow],
        activities=[do_nothing],
        workflow_runner=sandbox(),
    )
    gate = asyncio.Semaphore(20)

    async def run_one() -> None:
        async with gate:
            handle = await servers.client.start_workflow(
                BareWorkflow.run, BareStart(waits=(0,)), id=f"bare/{uuid7()}", task_queue=BARE_QUEUE
            )
        await handle.result()

    async with worker:
        begun = perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(number):
                group.create_task(run_one())
        return perf_counter() - begun
