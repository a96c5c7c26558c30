"""One lead who can be stopped in any channel: real Temporal, real Postgres, stand-ins."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select
from starlette.types import ASGIApp
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment, TimeSkipper
from uuid_utils.compat import uuid7

from shared.contracts.inbound import InboundEvent
from shared.contracts.queues import Queue
from shared.contracts.recipient import ActionOrder, RecipientRef
from shared.db.models import ActionRow, TodoRow, TodoStatus
from shared.db.session import Database
from shared.domain.channels import Channel
from shared.domain.inbound import InboundKind
from shared.domain.recipient import ActivityName
from shared.inbound import receive_inbound
from shared.keyring import Keyring
from shared.launching import launch_page
from shared.providers.unipile import UnipileClient
from tests.factories import DAY, Campaign, Company
from tests.fakes.bland import FakeBland
from tests.fakes.gmail import FakeGmail, FakeTokens
from tests.fakes.unipile import FakeUnipile
from tests.networking import Clock, connect_network
from tests.phone_line import PhoneLine
from tests.workflows.conftest import Recipient, hold
from workflows.client import TemporalConductor
from workflows.parts import Parts, make_parts
from workflows.recipient import RecipientWorkflow
from workflows.worker import make_worker

SERVED = (Queue.RECIPIENT, Queue.GMAIL, Queue.LINKEDIN, Queue.BLAND, Queue.OPS)
AN_HOUR = timedelta(hours=1)


@dataclass
class Gate(httpx.AsyncBaseTransport):
    """To Gmail, Bland and Unipile. A request that ends like `on` waits at it."""

    hosts: dict[str, httpx.AsyncBaseTransport]
    on: str = "/nothing"
    is_reached: asyncio.Event = field(default_factory=asyncio.Event)
    is_open: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith(self.on):
            self.is_reached.set()
            await self.is_open.wait()
        return await self.hosts[request.url.host].handle_async_request(request)


@dataclass(slots=True, kw_only=True)
class Play:
    """One lead, who can be in several campaigns at once."""

    company: Company
    lead_id: UUID
    line: PhoneLine
    gmail: FakeGmail
    bland: FakeBland
    unipile: FakeUnipile
    gate: Gate
    parts: Parts
    clock: TimeSkipper
    database: Database
    keyring: Keyring
    conductor: TemporalConductor

    async def start(self, *channels: Channel) -> tuple[RecipientRef, Recipient]:
        """The lead in a new campaign with these steps, three days apart."""
        campaign: Campaign = await self.line.make_campaign(channels=channels, wait_seconds=3 * DAY)
        ref = await self.company.make_recipient(campaign, lead_id=self.lead_id)
        page = await launch_page(self.database, self.conductor, self.company.id, campaign.id)
        assert page.started == 1
        return ref, self.conductor.recipient(ref)

    async def receive(self, kind: InboundKind, ref: RecipientRef) -> None:
        event = InboundEvent(
            company_id=self.company.id,
            account_id=self.company.account_id,
            provider="test",
            provider_event_id=str(uuid7()),
            kind=kind,
            occurred_at=datetime.now(UTC),
            recipient_id=ref.recipient_id,
        )
        await receive_inbound(self.database, self.keyring, self.conductor, event)

    async def until_ringing(self, recipient: Recipient) -> None:
        """Whatever time it is here, it becomes a good one for a call."""
        async with asyncio.timeout(60):
            while True:
                plan = await recipient.query(RecipientWorkflow.progress)
                if plan.activity is ActivityName.BLAND_COLLECT:
                    return
                left = plan.at - datetime.now(UTC)
                if plan.activity is ActivityName.BLAND_CALL and left > timedelta(seconds=5):
                    await self.clock.fast_forward(recipient, left)
                await asyncio.sleep(0.02)

    async def until_settled(self, ref: RecipientRef) -> None:
        async with asyncio.timeout(60):
            while True:
                if any(action.settled_at for action in await self.actions(ref)):
                    return
                await asyncio.sleep(0.02)

    async def until_opened(self, ref: RecipientRef) -> None:
        async with asyncio.timeout(60):
            while TodoStatus.OPEN not in await self.todos(ref):  # noqa: ASYNC110 - nothing else tells
                await asyncio.sleep(0.02)

    async def actions(self, ref: RecipientRef) -> list[ActionRow]:
        async with self.company.session() as session:
            found = select(ActionRow).where(ActionRow.recipient_id == ref.recipient_id)
            return list(await session.scalars(found))

    async def todos(self, ref: RecipientRef) -> list[TodoStatus]:
        async with self.company.session() as session:
            found = select(TodoRow.status).where(TodoRow.recipient_id == ref.recipient_id)
            return list(await session.scalars(found))

    async def settle_call(self, ref: RecipientRef) -> None:
        """As the sweep does for calls that nobody waits for any more."""
        [action] = await self.actions(ref)
        order = ActionOrder(
            company_id=self.company.id,
            recipient_id=ref.recipient_id,
            activity=ActivityName.BLAND_COLLECT,
            step_id=action.step_id,
        )
        later = ActivityEnvironment()
        later.info = replace(later.info, started_time=datetime.now(UTC) + AN_HOUR)
        assert await later.run(self.parts.bland.settle, order)


@pytest.fixture
async def play(
    temporal: Client,
    clock: TimeSkipper,
    database: Database,
    keyring: Keyring,
    company: Company,
    gmail: FakeGmail,
) -> AsyncIterator[Play]:
    hold(clock)
    bland, unipile, tokens, prefix = FakeBland(), FakeUnipile(), FakeTokens(), f"test-{uuid7()}/"
    line = await PhoneLine.connect(company, database, keyring, api_key=FakeBland.api_key)
    await connect_network(company, unipile, Clock())
    unipile.world.members.add("ada")
    lead_id = await line.make_lead(linkedin_url="https://www.linkedin.com/in/ada")
    apps: dict[str, ASGIApp] = {
        "gmail.test": gmail.app,
        "bland.test": bland.app,
        "unipile.test": unipile.app,
    }
    gate = Gate({host: httpx.ASGITransport(app) for host, app in apps.items()})
    conductor = TemporalConductor(clock.client, prefix=prefix)
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient(transport=gate))
        parts = make_parts(
            database=database,
            keyring=keyring,
            conductor=conductor,
            http=http,
            token_source_of=lambda _: tokens,
            gmail_endpoint=gmail.endpoint,
            bland_endpoint=bland.endpoint,
            public_url="https://gateway.test",
            unipile=UnipileClient(http, endpoint=unipile.endpoint, api_key=unipile.api_key),
            poll_seconds=1,
        )
        for queue in SERVED:
            worker = make_worker(temporal, queue, parts, prefix=prefix)
            await stack.enter_async_context(worker)
        stack.callback(gate.is_open.set)
        yield Play(
            company=company,
            lead_id=lead_id,
            line=line,
            gmail=gmail,
            bland=bland,
            unipile=unipile,
            gate=gate,
            parts=parts,
            clock=clock,
            database=database,
            keyring=keyring,
            conductor=conductor,
        )
