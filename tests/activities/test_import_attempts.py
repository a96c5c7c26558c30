"""Attempts that die, overlap or are not wanted any more."""

import asyncio
import contextlib
import json
import random
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.testing import ActivityEnvironment

from activities.importing import ImportActivities
from deploy.local.postgres import Postgres
from shared.db.models import JobRow, JobStatus
from shared.storage import Storage
from tests.activities.files import (
    Import,
    counts,
    job_of,
    leads_of,
    load,
    make_job,
    many_people,
    refused_of,
)
from tests.factories import Company
from tests.fakes.conductor import RecordingConductor
from workflows.parts import Parts


async def contents(company: Company) -> Counter[tuple[Any, ...]]:
    return Counter(
        (it.email, it.linkedin_url, it.name, str(it.custom)) for it in await leads_of(company)
    )


async def test_an_attempt_that_dies_anywhere_loses_and_doubles_nothing(
    *,
    activities: ImportActivities,
    take_in: Import,
    storage: Storage,
    company: Company,
    stranger: Company,
) -> None:
    """As a killed worker leaves it: nothing of the attempt's memory goes into the next one."""
    content = many_people(3_000)
    undisturbed = await take_in(content)
    order = await make_job(stranger, storage, content)
    await ActivityEnvironment().run(activities.sniff, order)
    chance = random.Random(7)  # noqa: S311 - a seed, so that a failure comes again

    deaths = 0
    for _ in range(25):
        attempt = asyncio.create_task(ActivityEnvironment().run(activities.load, order))
        # The first ones die young, however quick the machine is.
        patience = chance.uniform(0.01, min(0.7, 0.04 * (1 + deaths)))
        done, _ = await asyncio.wait([attempt], timeout=patience)
        if done and (await attempt).is_last:
            break
        attempt.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await attempt
        deaths += 1
    await load(activities, order)
    await ActivityEnvironment().run(activities.finish, order)

    job = await job_of(stranger, order)
    assert deaths >= 2
    assert job.status == JobStatus.COMPLETED
    assert (counts(job), job.processed) == (counts(undisturbed), 3_000)
    assert await contents(stranger) == await contents(company)
    assert await refused_of(stranger) == await refused_of(company)


async def test_two_attempts_at_once_take_each_row_in_once(
    activities: ImportActivities, storage: Storage, company: Company
) -> None:
    """As when a worker that seemed dead goes on."""
    order = await make_job(company, storage, many_people(1_500))
    await ActivityEnvironment().run(activities.sniff, order)

    both = [ActivityEnvironment().run(activities.load, order) for _ in range(2)]
    await asyncio.gather(*both, return_exceptions=True)
    await load(activities, order)

    job = await job_of(company, order)
    assert job.processed == 1_500
    assert sum(counts(job)) == 1_500
    assert len(await leads_of(company)) == job.more["created"]


async def test_a_cancelled_import_stops_at_the_next_chunk(
    activities: ImportActivities, storage: Storage, company: Company
) -> None:
    order = await make_job(company, storage, many_people(500))
    await ActivityEnvironment().run(activities.sniff, order)
    async with company.session() as session:
        job = await session.get_one(JobRow, order.job_id)
        job.status, job.cancelled_at = JobStatus.CANCELLED, job.created_at

    await load(activities, order)
    await ActivityEnvironment().run(activities.finish, order)

    job = await job_of(company, order)
    assert (job.status, job.processed) == (JobStatus.CANCELLED, 0)
    assert job.finished_at is not None
    assert await leads_of(company) == []


async def test_a_file_that_is_gone_fails_the_import(
    activities: ImportActivities, storage: Storage, company: Company
) -> None:
    order = await make_job(company, storage, b"Email\na@b.com\n")
    await ActivityEnvironment().run(activities.sniff, order)
    [key] = await storage.list(f"leads-uploads/{company.id}")
    await storage.delete(key)

    await load(activities, order)

    job = await job_of(company, order)
    assert (job.status, job.errors[0]["message"]) == (
        JobStatus.FAILED,
        "The file is not there any more: upload it again",
    )


async def test_a_worker_that_is_killed_loses_and_doubles_nothing(
    *,
    activities: ImportActivities,
    take_in: Import,
    storage: Storage,
    company: Company,
    stranger: Company,
    postgres: Postgres,
    tmp_path: Path,
) -> None:
    """SIGKILL, in the middle of whatever it is doing, until one comes through."""
    content = many_people(3_000)
    undisturbed = await take_in(content)
    order = await make_job(stranger, storage, content)
    await ActivityEnvironment().run(activities.sniff, order)
    asked = {"url": postgres.app_url, "folder": str(tmp_path), "company_id": str(stranger.id)}
    asked |= {"job_id": str(order.job_id), "secret_key": "s" * 32}
    asked |= {"encryption_keys": "k1:" + "A" * 43 + "="}
    chance = random.Random(11)  # noqa: S311 - a seed, so that a failure comes again

    kills = 0
    for _ in range(4):
        before = (await job_of(stranger, order)).processed
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.activities.loader", stdin=asyncio.subprocess.PIPE
        )
        assert worker.stdin is not None
        worker.stdin.write(json.dumps(asked).encode() + b"\n")
        async with asyncio.timeout(60):
            while worker.returncode is None:
                if (await job_of(stranger, order)).processed > before:
                    break
                await asyncio.sleep(0.02)
        await asyncio.sleep(chance.uniform(0, 0.15))
        if worker.returncode is None:
            worker.kill()
            kills += 1
        await worker.wait()
    await load(activities, order)
    await ActivityEnvironment().run(activities.finish, order)

    job = await job_of(stranger, order)
    assert kills >= 2
    assert (job.status, counts(job)) == (JobStatus.COMPLETED, counts(undisturbed))
    assert await contents(stranger) == await contents(company)
    assert await refused_of(stranger) == await refused_of(company)


async def test_the_sweep_starts_what_was_uploaded_and_never_started(
    *, parts: Parts, conductor: RecordingConductor, storage: Storage, company: Company
) -> None:
    """All but what waits for a person, has ended, or is so new that its request may be at it."""
    forgotten, held, ended, new = [
        await make_job(company, storage, b"Email\na@b.com\n") for _ in range(4)
    ]
    async with company.session() as session:
        for order in (forgotten, held, ended):
            job = await session.get_one(JobRow, order.job_id)
            # The sweep takes the oldest first, and other tests leave jobs behind as well.
            job.created_at -= timedelta(days=9_000)
            job.is_held = order is held
            job.finished_at = job.created_at if order is ended else None

    await parts.sweep.launch()

    started = [order for order in conductor.imports if order.company_id == company.id]
    assert started == [forgotten]
    assert new not in conductor.imports
