"""A campaign in a world of its own: real Temporal, real Postgres, and a clock to hold."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import TimeSkipper, TimeSkippingConfig
from temporalio.worker import Replayer
from uuid_utils.compat import uuid7

from deploy.local.temporal import Temporal
from shared.contracts.inbound import InboundEvent
from shared.contracts.queues import Queue
from shared.contracts.recipient import RecipientStart, WakeSignal
from shared.db.models import CampaignRow
from shared.db.models.campaigns import CampaignStatus
from shared.db.session import Database
from shared.domain.inbound import InboundKind
from shared.domain.recipient import ActivityName, EndReason, Planned
from shared.inbound import receive_inbound
from shared.keyring import Keyring
from shared.launching import launch_page
from tests.factories import Company
from tests.fakes.gmail import FakeGmail, FakeTokens
from workflows.client import TemporalConductor, connect_temporal
from workflows.parts import Parts, make_parts
from workflows.recipient import RecipientWorkflow
from workflows.worker import make_worker

Recipient = WorkflowHandle[RecipientWorkflow, EndReason]
# Virtual time is ahead of Gmail's; its mails must not seem older than what asks for them.
FAR_AHEAD = datetime(2099, 1, 1, tzinfo=UTC)


class Workers:
    """May be away for a while, as in a deployment."""

    def __init__(self, temporal: Client, parts: Parts, prefix: str) -> None:
        self._temporal, self._parts, self._prefix = temporal, parts, prefix
        self._running = AsyncExitStack()

    async def start(self) -> None:
        for queue in (Queue.RECIPIENT, Queue.GMAIL, Queue.SMTP, Queue.OPS):
            worker = make_worker(self._temporal, queue, self._parts, prefix=self._prefix)
            await self._running.enter_async_context(worker)

    async def stop(self) -> None:
        await self._running.aclose()


class World:
    """One company, one campaign with mails on the days 0, 3 and 6."""

    def __init__(
        self,
        company: Company,
        database: Database,
        keyring: Keyring,
        conductor: TemporalConductor,
        gmail: FakeGmail,
        workers: Workers,
    ) -> None:
        self.workers = workers
        self.company, self.database, self.gmail = company, database, gmail
        self.conductor = conductor
        self._keyring = keyring

    async def start(self, *, is_paused: bool = False, **campaign: Any) -> Recipient:
        self._campaign = await self.company.make_campaign(**campaign)
        self.ref = await self.company.make_recipient(self._campaign)
        if is_paused:
            plan = Planned(
                activity=ActivityName.RECIPIENT_PLAN,
                step_id=None,
                at=datetime.now(UTC),
                label="look",
            )
            await self.pause(True)
            await self.conductor.start(RecipientStart(recipient=self.ref, next=plan))
        else:
            page = await launch_page(
                self.database, self.conductor, self.company.id, self._campaign.id
            )
            assert page.started == 1
        return self.handle()

    def handle(self) -> Recipient:
        return self.conductor.recipient(self.ref)

    async def pause(self, is_paused: bool) -> None:
        async with self.company.session() as session:
            campaign = await session.get_one(CampaignRow, self._campaign.id)
            campaign.status = CampaignStatus.PAUSED if is_paused else CampaignStatus.ACTIVE

    async def wake(self) -> None:
        await self.conductor.wake(self.ref, WakeSignal(event_id=uuid7()))

    async def receive(
        self, kind: InboundKind = InboundKind.REPLY, *, returns_at: datetime | None = None
    ) -> None:
        first, *_ = await self.company.actions()
        event = InboundEvent(
            company_id=self.company.id,
            account_id=self.company.account_id,
            provider="gmail",
            provider_event_id=f"{kind}-1",
            kind=kind,
            thread_id=first.thread_id,
            occurred_at=datetime.now(UTC),
            returns_at=returns_at,
        )
        await receive_inbound(self.database, self._keyring, self.conductor, event)

    async def days_of_mails(self) -> list[int]:
        settled = [a.settled_at for a in await self.company.actions() if a.settled_at]
        return [round((at - settled[0]) / timedelta(days=1)) for at in settled]


@pytest.fixture(scope="session")
async def temporal(temporal_server: Temporal) -> Client:
    return await connect_temporal(temporal_server.address)


@pytest.fixture
def clock(temporal: Client) -> TimeSkipper:
    """Skips every wait, unless a test holds it."""
    return TimeSkipper(temporal)


@pytest.fixture
def gmail() -> FakeGmail:
    return FakeGmail(clock=lambda: FAR_AHEAD)


@pytest.fixture
async def world(
    temporal: Client,
    clock: TimeSkipper,
    database: Database,
    keyring: Keyring,
    company: Company,
    gmail: FakeGmail,
) -> AsyncIterator[World]:
    prefix = f"test-{uuid7()}/"
    conductor = TemporalConductor(clock.client, prefix=prefix)
    tokens = FakeTokens()
    async with gmail.http() as http:
        parts = make_parts(
            database=database,
            keyring=keyring,
            conductor=conductor,
            http=http,
            token_source_of=lambda _: tokens,
            gmail_endpoint=gmail.endpoint,
            poll_seconds=1,
        )
        workers = Workers(temporal, parts, prefix)
        await workers.start()
        yield World(company, database, keyring, conductor, gmail, workers)
        await workers.stop()


def hold(clock: TimeSkipper) -> None:
    clock.config = TimeSkippingConfig(enabled=False)


async def until_next_is(recipient: Recipient, label: str) -> Planned:
    """Ask until the workflow says so: a query is the only way to know."""
    async with asyncio.timeout(60):
        while (plan := await recipient.query(RecipientWorkflow.progress)).label != label:  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0.02)
    return plan


async def end_of(recipient: Recipient) -> EndReason:
    """Wait for the end, and prove that this code would go the same way again."""
    async with asyncio.timeout(60):
        reason = await recipient.result()
    history = await recipient.fetch_history()
    if folder := os.environ.get("DRUMBEAT_KEEP_HISTORIES"):
        name = os.environ["PYTEST_CURRENT_TEST"].partition("::test_")[2].partition(" ")[0]
        await asyncio.to_thread((Path(folder) / f"{name}.json").write_text, history.to_json())
    replayer = Replayer(
        workflows=[RecipientWorkflow],
        data_converter=recipient._client.data_converter,  # its own client
    )
    await replayer.replay_workflow(history)
    return reason
