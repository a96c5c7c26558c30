"""How fast a launch starts its recipients, beside a client that starts bare workflows.

The launcher is the real one, with its rows, its pace and its job; nobody runs what is started.
Whose first mail is due at once costs Temporal more than who waits for it: the ratio is for those.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from uuid_utils.compat import uuid7

from deploy.bench.bare import BareSleeper
from deploy.bench.launches import A_MONTH, count_launched, launch, serving
from deploy.bench.result import BenchResult, WentWrong
from deploy.bench.servers import Servers, running_servers
from deploy.bench.world import BenchCompany
from shared.contracts.operations import LaunchOrder
from shared.contracts.queues import Queue

BARE_QUEUE = "bare-starts"
STARTED_AT_ONCE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class StartSize:
    """`rounds`: how often both are run in turn, so that a slow minute meets both."""

    recipients: int = 2_000
    rounds: int = 2


async def bench_start(size: StartSize, say: Callable[[str], None]) -> BenchResult:
    """Starts a second of both, in turns, on servers of their own that are thrown away."""
    started = perf_counter()
    due = waiting = bare = 0.0
    async with running_servers() as servers:
        await start_bare(servers, 50)
        await _start_ours(servers, 50, wait=0)
        for number in range(1, size.rounds + 1):
            say(f"round {number} of {size.rounds}: {size.recipients} starts each, bare")
            bare += await start_bare(servers, size.recipients)
            say(f"round {number} of {size.rounds}: {size.recipients} starts each, launched")
            due += await _start_ours(servers, size.recipients, wait=0)
            waiting += await _start_ours(servers, size.recipients, wait=A_MONTH)
    number = size.recipients * size.rounds
    return BenchResult(
        name="start",
        ours=number / due,
        baseline=number / bare,
        unit="starts/s",
        seconds=perf_counter() - started,
        more={"waiting_per_second": number / waiting},
    )


async def start_bare(servers: Servers, number: int) -> float:
    """Seconds until all were acknowledged."""
    gate = asyncio.Semaphore(STARTED_AT_ONCE)

    async def start_one() -> None:
        async with gate:
            await servers.client.start_workflow(
                BareSleeper.run, id=f"bare/{uuid7()}", task_queue=BARE_QUEUE
            )

    begun = perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(number):
            group.create_task(start_one())
    return perf_counter() - begun


async def _start_ours(servers: Servers, number: int, *, wait: int) -> float:
    """Seconds from the order until the launcher has ended. `wait`: for the first mail."""
    company = await BenchCompany.make(servers.database)
    campaign_id = await company.make_campaign((wait,), number)
    prefix = f"bench-{uuid7()}/"
    order = LaunchOrder(company_id=company.id, campaign_id=campaign_id)
    async with serving(
        servers.client, servers.database, company, queues=[Queue.OPS], prefix=prefix
    ) as conductor:
        begun = perf_counter()
        await launch(servers.client, conductor, order)
        seconds = perf_counter() - begun
    launched = await count_launched(servers.database, company.id)
    if launched != number:
        raise WentWrong(f"{number} recipients were pending, {launched} were launched")
    return seconds
