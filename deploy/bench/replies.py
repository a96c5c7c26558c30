"""How long it takes from a stored reply to the end of its workflow, while thousands sleep.

The baseline is a signal to a bare workflow that waits for it and ends. Both sleep on the same
durable servers at the same time, and are told in turns, so that a slow second meets both.
"""

import asyncio
import random
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from time import perf_counter
from typing import Any
from uuid import UUID

import httpx
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker
from uuid_utils.compat import uuid7

from deploy.bench.answering_gmail import AnsweringGmail
from deploy.bench.bare import BareSleeper
from deploy.bench.result import BenchResult, WentWrong
from deploy.bench.steps import NoTokens
from deploy.bench.world import BenchCompany
from deploy.local.migrate import migrate_meanwhile
from deploy.local.postgres import running_postgres
from deploy.local.temporal import running_temporal
from shared.contracts.inbound import InboundEvent
from shared.contracts.queues import Queue
from shared.contracts.recipient import RecipientRef, StopSignal
from shared.db.session import Database, make_engine
from shared.domain.inbound import InboundKind
from shared.domain.recipient import EndReason
from shared.inbound import receive_inbound
from shared.launching import launch_page
from workflows.client import TemporalConductor, connect_temporal
from workflows.parts import make_parts
from workflows.worker import make_worker, sandbox

BARE_QUEUE = "bare-sleepers"
A_MONTH = 30 * 86_400
PATIENCE_SECONDS = 30
# Started, its first task done, and a timer set: so it sleeps. One in so many is asked.
ASLEEP_EVENTS, SAMPLED = 5, 25
ASLEEP_WITHIN_SECONDS = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplySize:
    """`recipients` sleep; `replies` of them are answered, `at_once` at a time."""

    recipients: int = 5_000
    replies: int = 1_000
    at_once: int = 4


async def bench_reply(size: ReplySize, say: Callable[[str], None]) -> BenchResult:
    """Milliseconds from a reply that is known to a workflow that has ended: the median, and p99."""
    started = perf_counter()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="drumbeat-bench-")))
        postgres = await stack.enter_async_context(running_postgres(folder / "postgres"))
        await migrate_meanwhile(postgres.owner_url)
        temporal = await stack.enter_async_context(running_temporal(folder / "temporal"))
        engine = make_engine(postgres.app_url)
        stack.push_async_callback(engine.dispose)
        client = await connect_temporal(temporal.address)
        sleepers = _Sleepers(size, client, Database(engine))
        await stack.enter_async_context(sleepers)
        say(f"{size.recipients} recipients and as many bare workflows go to sleep")
        await sleepers.fall_asleep()
        say(f"{size.replies} replies come in, and as many bare signals")
        ours, bare = await sleepers.be_roused()
    return _result(ours, bare, seconds=perf_counter() - started)


def _result(ours: Sequence[float], bare: Sequence[float], *, seconds: float) -> BenchResult:
    p50, p99 = _percentiles(ours)
    bare_p50, bare_p99 = _percentiles(bare)
    return BenchResult(
        name="reply",
        ours=p50 * 1_000,
        baseline=bare_p50 * 1_000,
        unit="ms",
        seconds=seconds,
        more={"p50_seconds": p50, "p99_seconds": p99, "baseline_p99_seconds": bare_p99},
    )


def _percentiles(seconds: Sequence[float]) -> tuple[float, float]:
    cuts = quantiles(seconds, n=100, method="inclusive")
    return cuts[49], cuts[98]


class _KnownConductor(TemporalConductor):
    """Notes when the door for replies turns to Temporal: by then the reply is stored."""

    def __init__(self, temporal: Client) -> None:
        super().__init__(temporal)
        self.known_at: dict[UUID, float] = {}

    async def stop(self, recipient: RecipientRef, signal: StopSignal) -> None:
        self.known_at[recipient.recipient_id] = perf_counter()
        await super().stop(recipient, signal)


class _Sleepers:
    """Both kinds, and the workers that serve them while the block runs."""

    def __init__(self, size: ReplySize, client: Client, database: Database) -> None:
        self._size, self._client, self._database = size, client, database
        self._conductor = _KnownConductor(client)
        self._stack = AsyncExitStack()
        self._refs: list[RecipientRef] = []
        self._bare: list[WorkflowHandle[Any, Any]] = []

    async def __aenter__(self) -> "_Sleepers":
        self._company = await BenchCompany.make(self._database)
        http = await self._stack.enter_async_context(httpx.AsyncClient(transport=AnsweringGmail()))
        parts = make_parts(
            database=self._database,
            keyring=self._company.keyring,
            conductor=self._conductor,
            http=http,
            token_source_of=lambda _: NoTokens(),
            gmail_endpoint="http://gmail.bench",
            poll_seconds=60,
        )
        bare = Worker(
            self._client, task_queue=BARE_QUEUE, workflows=[BareSleeper], workflow_runner=sandbox()
        )
        for worker in (make_worker(self._client, Queue.RECIPIENT, parts), bare):
            await self._stack.enter_async_context(worker)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def fall_asleep(self) -> None:
        company, number = self._company, self._size.recipients
        campaign_id = await company.make_campaign((A_MONTH,), number)
        page = (self._database, self._conductor, company.id, campaign_id)
        while not (await launch_page(*page)).is_last:
            pass
        self._refs = [
            RecipientRef(company_id=company.id, campaign_id=campaign_id, recipient_id=id_)
            for id_ in await BenchCompany.recipients(self._database, company.id)
        ]
        gate = asyncio.Semaphore(20)

        async def start_one() -> None:
            async with gate:
                handle = await self._client.start_workflow(
                    BareSleeper.run, id=f"bare/{uuid7()}", task_queue=BARE_QUEUE
                )
                self._bare.append(handle)

        async with asyncio.TaskGroup() as group:
            for _ in range(number):
                group.create_task(start_one())
        # Ours sleep from their start: Temporal keeps a first step that is not due yet.
        async with asyncio.timeout(ASLEEP_WITHIN_SECONDS):
            await _until_asleep([*self._bare[::SAMPLED], self._bare[-1]])

    async def be_roused(self) -> tuple[list[float], list[float]]:
        dice = random.Random(1)  # noqa: S311 - a sample, not a secret
        ours = dice.sample(self._refs, min(self._size.replies, len(self._refs)))
        bare = dice.sample(self._bare, len(ours))
        answers: tuple[list[float], list[float]] = ([], [])
        size = self._size.at_once
        for first in range(0, len(ours), size):
            batch = slice(first, first + size)
            answers[0].extend(await _together(self._reply, ours[batch]))
            answers[1].extend(await _together(self._signal, bare[batch]))
        return answers

    async def _reply(self, ref: RecipientRef) -> float:
        event = InboundEvent(
            company_id=ref.company_id,
            account_id=self._company.account_id,
            provider="bench",
            provider_event_id=str(uuid7()),
            kind=InboundKind.REPLY,
            occurred_at=datetime.now(UTC),
            recipient_id=ref.recipient_id,
        )
        handle = self._conductor.recipient(ref)
        ended = asyncio.create_task(_end_of(handle))
        await receive_inbound(self._database, self._company.keyring, self._conductor, event)
        reason, at = await ended
        if reason != EndReason.REPLIED:
            raise WentWrong(
                f"a recipient whose reply came in has ended for another reason: {reason}"
            )
        return at - self._conductor.known_at[ref.recipient_id]

    async def _signal(self, handle: WorkflowHandle[Any, Any]) -> float:
        ended = asyncio.create_task(_end_of(handle))
        begun = perf_counter()
        await handle.signal("stop")
        _, at = await ended
        return at - begun


async def _until_asleep(handles: Sequence[WorkflowHandle[Any, Any]]) -> None:
    """They have been started, and their first tasks may still have to be done."""
    for handle in handles:
        while (await handle.describe()).history_length < ASLEEP_EVENTS:  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.5)


async def _end_of(handle: WorkflowHandle[Any, Any]) -> tuple[Any, float]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        result = await handle.result()
    return result, perf_counter()


async def _together(work: Callable[[Any], Awaitable[float]], whom: Sequence[Any]) -> list[float]:
    return await asyncio.gather(*(work(one) for one in whom))
