"""A launch whose launcher is killed again and again, and how many workflows come of it.

The worker is a process of its own, as it is run for real, and it ends by SIGKILL at any moment.
"""

import asyncio
import random
import sys
from asyncio.subprocess import Process
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from time import perf_counter

from sqlalchemy import select

from deploy.bench.gateway import Keys, environment_of
from deploy.bench.launches import A_MONTH, count_launched, count_workflows
from deploy.bench.result import BenchResult, WentWrong
from deploy.bench.servers import Servers, running_servers
from deploy.bench.world import BenchCompany
from shared.contracts.operations import LaunchOrder
from shared.contracts.queues import Queue
from shared.db.models import JobRow, JobStatus
from workflows.client import TemporalConductor

# Recipients that a launcher starts at least before it is killed: else it would never be done.
AT_LEAST = 20
LONGEST_LIFE_SECONDS = 1.0
LONGEST_SECONDS = 3_600
# The next one reads its code while the one before it lives: only their work is waited for.
WAITING_WORKER = f"""
from workflows.worker import main
if input() == "go":
    main(["--queues", "{Queue.OPS}"])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class KillSize:
    recipients: int = 20_000
    kills: int = 50
    seed: int = 1


async def bench_launch(size: KillSize, say: Callable[[str], None]) -> BenchResult:
    """Workflows beside recipients: one each, whatever was killed. Raises WentWrong otherwise."""
    started, keys = perf_counter(), Keys()
    async with running_servers() as servers, asyncio.timeout(LONGEST_SECONDS):
        company = await BenchCompany.make(servers.database, keyring=keys.keyring())
        campaign_id = await company.make_campaign((A_MONTH,), size.recipients)
        order = LaunchOrder(company_id=company.id, campaign_id=campaign_id)
        await TemporalConductor(servers.client).launch(order)
        dice = random.Random(size.seed)  # noqa: S311 - moments, no secrets
        async with _Launch(servers, company, keys, dice) as launch:
            kills = await launch.survive(size, say)
            job = await launch.job()
        found = await count_workflows(servers.client, company.id, expected=size.recipients)
        launched = await count_launched(servers.database, company.id)
    if not found == launched == job.processed == job.total == size.recipients:
        raise WentWrong(
            f"{size.recipients} recipients were pending; {found} workflows were started,"
            f" {launched} are launched, the task says {job.processed} of {job.total}"
        )
    return BenchResult(
        name="launch",
        ours=found,
        baseline=size.recipients,
        unit="workflows",
        seconds=perf_counter() - started,
        more={"kills": kills},
    )


class _Launch:
    """One that goes on until it is done; its workers come and go, and end with the block."""

    def __init__(
        self, servers: Servers, company: BenchCompany, keys: Keys, dice: random.Random
    ) -> None:
        self._servers, self._company, self._dice = servers, company, dice
        self._environment = environment_of(
            servers.postgres, servers.temporal, keys, servers.folder
        ) | {"DRUMBEAT_METRICS_PORT": "0"}
        self._workers = AsyncExitStack()

    async def __aenter__(self) -> "_Launch":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._workers.aclose()

    async def survive(self, size: KillSize, say: Callable[[str], None]) -> int:
        """How many workers were killed before everybody was launched."""
        worker = await self._prepare_worker()
        for kills in range(size.kills):
            _let_go(worker)
            successor = await self._prepare_worker()
            before = await self._processed()
            while await self._processed() < min(before + AT_LEAST, size.recipients):  # noqa: ASYNC110 - the rows tell nobody
                await asyncio.sleep(0.02)
            await asyncio.sleep(self._dice.uniform(0, LONGEST_LIFE_SECONDS))
            await _kill(worker)
            processed, worker = await self._processed(), successor
            say(f"kill {kills + 1} of {size.kills}: {processed} of {size.recipients} launched")
            if processed >= size.recipients:
                return kills + 1
        _let_go(worker)
        while (await self.job()).status is not JobStatus.COMPLETED:  # noqa: ASYNC110 - the rows tell nobody
            await asyncio.sleep(0.2)
        return size.kills

    async def job(self) -> JobRow:
        async with self._servers.database.company_session(self._company.id) as session:
            jobs = (await session.scalars(select(JobRow))).all()
        if len(jobs) != 1:
            raise WentWrong(f"a launch has one task, and not {len(jobs)}")
        return jobs[0]

    async def _processed(self) -> int:
        async with self._servers.database.company_session(self._company.id) as session:
            return await session.scalar(select(JobRow.processed)) or 0

    async def _prepare_worker(self) -> Process:
        """One that has read its code, and waits for a word."""
        worker = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            WAITING_WORKER,
            env=self._environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        self._workers.push_async_callback(_kill, worker)
        return worker


def _let_go(worker: Process) -> None:
    assert worker.stdin is not None  # noqa: S101 - it was asked for
    worker.stdin.write(b"go\n")


async def _kill(worker: Process) -> None:
    if worker.returncode is None:
        worker.kill()
    await worker.wait()
