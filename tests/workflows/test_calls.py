"""A phone call as a step: real Temporal and Postgres, the sandbox's Bland and its webhooks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import httpx
import pytest
from sqlalchemy import select
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.testing import TimeSkipper
from uuid_utils.compat import uuid7

from api.call_parts import bland_door
from api.conducting import Conducting
from api.services.inbound import InboundService
from api.services.phone_lines import PhoneLineService
from shared.contracts.queues import Queue
from shared.contracts.recipient import RecipientRef
from shared.db.models import SuppressionRow
from shared.db.session import Database
from shared.domain.branches import Guard, LeadIs, LeadTest, OutcomeIs, StepOutcome
from shared.domain.channels import Channel
from shared.domain.guard_json import guard_to_json
from shared.domain.recipient import ActivityName, EndReason
from shared.keyring import Keyring
from shared.launching import launch_page
from shared.providers.bland_reports import SIGNATURE_HEADER
from tests.factories import Campaign, Company
from tests.fakes.bland import FakeBland, Pickup
from tests.fakes.gmail import FakeGmail, FakeTokens
from tests.phone_line import PhoneLine
from tests.workflows.conftest import Recipient, end_of
from workflows.client import TemporalConductor
from workflows.parts import make_parts
from workflows.recipient import RecipientWorkflow
from workflows.worker import make_worker

SERVED = (Queue.RECIPIENT, Queue.GMAIL, Queue.BLAND)
MAIL, CALL = Channel.EMAIL, Channel.CALL
MOST_EVENTS_OF_A_CALL = 22


@dataclass(slots=True, kw_only=True)
class Play:
    """`gateway`: where Bland's webhooks arrive."""

    line: PhoneLine
    bland: FakeBland
    gmail: FakeGmail
    database: Database
    conductor: TemporalConductor
    gateway: httpx.AsyncClient
    ref: RecipientRef = field(init=False)

    async def start(self, campaign: Campaign) -> Recipient:
        lead_id = await self.line.make_lead()
        self.ref = await self.line.company.make_recipient(campaign, lead_id=lead_id)
        page = await launch_page(self.database, self.conductor, self.line.company.id, campaign.id)
        assert page.started == 1
        return self.conductor.recipient(self.ref)

    async def until_ringing(self, recipient: Recipient, calls: int = 1) -> None:
        """Until the call is recorded as placed, and waited for."""
        async with asyncio.timeout(60):
            while len(self.bland.placed) < calls:  # noqa: ASYNC110 - nothing else tells
                await asyncio.sleep(0.02)
            while True:
                plan = await recipient.query(RecipientWorkflow.progress)
                if plan.activity is ActivityName.BLAND_COLLECT:
                    return
                await asyncio.sleep(0.02)

    async def pick_up(self, pickup: Pickup, *, times: int = 1) -> None:
        """The person does what they do, and Bland tells of it."""
        self.bland.end(self.bland.placed[-1], pickup)
        await self.bland.board.deliver(self.gateway, times=times)


@pytest.fixture(params=["https://gateway.test"])
def public_url(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def play(
    *,
    temporal: Client,
    clock: TimeSkipper,
    database: Database,
    keyring: Keyring,
    company: Company,
    gmail: FakeGmail,
    public_url: str,
) -> AsyncIterator[Play]:
    bland, tokens, prefix = FakeBland(), FakeTokens(), f"test-{uuid7()}/"
    line = await PhoneLine.connect(company, database, keyring, api_key=FakeBland.api_key)
    conductor = TemporalConductor(clock.client, prefix=prefix)
    conducting = Conducting(database=database, conductor=conductor)
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(_both(gmail, bland))
        lines = PhoneLineService(
            database=database,
            keyring=keyring,
            conducting=conducting,
            inbound=InboundService(database=database, keyring=keyring, conducting=conducting),
            bland=bland_door(http, bland.endpoint, FakeBland.secret),
        )
        gateway = await stack.enter_async_context(_gateway(lines))
        parts = make_parts(
            database=database,
            keyring=keyring,
            conductor=conductor,
            http=http,
            token_source_of=lambda _: tokens,
            gmail_endpoint=gmail.endpoint,
            bland_endpoint=bland.endpoint,
            public_url=public_url,
            poll_seconds=1,
        )
        for queue in SERVED:
            worker = make_worker(temporal, queue, parts, prefix=prefix)
            await stack.enter_async_context(worker)
        yield Play(
            line=line,
            bland=bland,
            gmail=gmail,
            database=database,
            conductor=conductor,
            gateway=gateway,
        )


async def test_a_call_costs_few_events_and_its_end_goes_on(play: Play) -> None:
    campaign = await play.line.make_campaign(channels=(MAIL, CALL, MAIL))
    recipient = await play.start(campaign)
    await play.until_ringing(recipient)
    await play.pick_up(Pickup.TALKS)

    assert await end_of(recipient) is EndReason.COMPLETED
    [row] = await play.line.calls()
    assert (row.outcome, len(play.gmail.sent), len(play.bland.placed)) == ("answered", 2, 1)
    assert await _events_of_call(play, recipient) <= MOST_EVENTS_OF_A_CALL


@pytest.mark.parametrize("public_url", ["http://127.0.0.1"], indirect=True)
async def test_a_call_that_nobody_tells_of_is_asked_for(play: Play) -> None:
    play.bland.people = {}
    campaign = await play.line.make_campaign(channels=(MAIL, CALL, MAIL))
    recipient = await play.start(campaign)
    async with asyncio.timeout(60):
        while not play.bland.placed:  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0.001)
    assert "webhook" not in play.bland.placed[0].order
    if play.bland.placed[0].scene is None:
        play.bland.end(play.bland.placed[0], Pickup.VOICEMAIL)

    assert await end_of(recipient) is EndReason.COMPLETED
    assert len(play.bland.placed) == 1
    assert len(play.gmail.sent) == 2


@pytest.mark.parametrize(
    ("pickup", "sent"),
    [
        (Pickup.TALKS, "Glad that we spoke"),
        (Pickup.VOICEMAIL, "I left you a message"),
        (Pickup.NO_ANSWER, "I could not reach you"),
    ],
)
async def test_what_came_of_the_call_decides_what_is_written(
    play: Play, pickup: Pickup, sent: str
) -> None:
    campaign = await _branching(play)
    recipient = await play.start(campaign)
    await play.until_ringing(recipient)
    await play.pick_up(pickup)

    assert await end_of(recipient) is EndReason.COMPLETED
    [mail] = play.gmail.sent
    assert sent.encode() in mail.raw


async def test_a_webhook_that_comes_late_and_twice_changes_nothing(play: Play) -> None:
    recipient = await play.start(await play.line.make_campaign())
    await play.until_ringing(recipient)
    await play.pick_up(Pickup.TALKS, times=2)
    assert await end_of(recipient) is EndReason.COMPLETED

    play.bland.end(play.bland.placed[0], Pickup.TALKS)
    assert await play.bland.board.deliver(play.gateway, times=2) == [200, 200]

    assert (len(play.gmail.sent), len(play.bland.placed)) == (1, 1)
    assert [row.outcome for row in await play.line.calls()] == ["answered"]


@pytest.mark.parametrize("lost", ["answer", "request"])
async def test_whatever_is_lost_it_is_dialled_once(play: Play, lost: str) -> None:
    (play.bland.lose_answer if lost == "answer" else play.bland.lose_request)(on="sendCall")
    recipient = await play.start(await play.line.make_campaign())
    await play.until_ringing(recipient)
    await play.pick_up(Pickup.TALKS)

    assert await end_of(recipient) is EndReason.COMPLETED
    assert len(play.bland.placed) == 1
    assert play.bland.contract.breaches == []


async def test_do_not_call_ends_every_channel(play: Play) -> None:
    recipient = await play.start(await play.line.make_campaign(channels=(CALL, MAIL, MAIL)))
    await play.until_ringing(recipient)
    await play.pick_up(Pickup.DO_NOT_CALL)

    assert await end_of(recipient) is EndReason.UNSUBSCRIBED
    assert play.gmail.sent == []
    async with play.line.company.session() as session:
        kinds = set(await session.scalars(select(SuppressionRow.kind)))
    assert kinds == {"email", "phone"}


async def _branching(play: Play) -> Campaign:
    """A call, and a mail for each of its outcomes."""
    line, call_id = play.line, uuid7()
    outcomes = (StepOutcome.ANSWERED, StepOutcome.VOICEMAIL, StepOutcome.NO_ANSWER)
    guards = [
        [
            guard_to_json(
                Guard(decision_id=uuid7(), condition=OutcomeIs(step_id=call_id, outcome=outcome))
            )
        ]
        for outcome in outcomes
    ]
    words = ("Glad that we spoke", "I left you a message", "I could not reach you")
    return await line.make_campaign(
        channels=(CALL, MAIL, MAIL, MAIL), first_id=call_id, guards=[[], *guards], mails=words
    )


async def _events_of_call(play: Play, recipient: Recipient) -> int:
    """Those that the same campaign does not have without the call. It too looks at its leads."""
    is_named = LeadIs(field="first_name", test=LeadTest.IS_SET)
    guard = guard_to_json(Guard(decision_id=uuid7(), condition=is_named))
    mails = await play.line.make_campaign(channels=(MAIL, MAIL), guards=[[], [guard]])
    without = await play.start(mails)
    assert await end_of(without) is EndReason.COMPLETED
    return await _count(recipient) - await _count(without)


async def _count(recipient: Recipient) -> int:
    """Without those that only a skipped wait leaves behind."""
    names = [EventType.Name(it.event_type) for it in (await recipient.fetch_history()).events]
    return sum("TIME_SKIPPING" not in name for name in names)


def _both(gmail: FakeGmail, bland: FakeBland) -> httpx.AsyncClient:
    mounts = {"http://bland.test": httpx.ASGITransport(bland.app)}
    return httpx.AsyncClient(transport=httpx.ASGITransport(gmail.app), mounts=mounts)


def _gateway(lines: PhoneLineService) -> httpx.AsyncClient:
    """Webhooks come in as at the route, without the rest of the gateway."""

    async def hear(request: httpx.Request) -> httpx.Response:
        signature = request.headers.get(SIGNATURE_HEADER)
        is_new = await lines.hear(request.url.params["t"], signature, request.content)
        return httpx.Response(200, json={"is_new": is_new})

    return httpx.AsyncClient(transport=httpx.MockTransport(hear))
