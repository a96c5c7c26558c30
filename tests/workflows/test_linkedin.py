"""LinkedIn from end to end: real Temporal and Postgres, the sandbox's Unipile and its webhooks."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from temporalio.client import Client
from temporalio.testing import TimeSkipper
from uuid_utils.compat import uuid7

from api.conducting import Conducting
from api.services.inbound import InboundService
from api.services.linkedin_news import LinkedInNewsService
from shared.contracts.queues import Queue
from shared.contracts.recipient import RecipientRef
from shared.db.models import CampaignRow, StepRow
from shared.db.models.campaigns import CampaignStatus, CampaignType
from shared.db.repositories.versions import publish_version
from shared.db.session import Database
from shared.domain.branches import Guard, OutcomeIs, StepOutcome
from shared.domain.channels import Channel
from shared.domain.guard_json import guard_to_json
from shared.domain.recipient import EndReason
from shared.keyring import Keyring
from shared.launching import launch_page
from shared.providers.unipile import UnipileClient
from shared.providers.unipile_webhooks import read_webhook
from tests.factories import DAY, Campaign, Company
from tests.fakes.gmail import FakeGmail, FakeTokens
from tests.fakes.unipile import FakeUnipile
from tests.networking import Clock, Network, connect_network
from tests.workflows.conftest import Recipient, end_of, hold, until_next_is
from workflows.client import TemporalConductor
from workflows.parts import make_parts
from workflows.worker import make_worker

SERVED = (Queue.RECIPIENT, Queue.GMAIL, Queue.LINKEDIN, Queue.OPS)


@dataclass(slots=True, kw_only=True)
class Play:
    """An invitation; a message to who accepts within five days; a mail, three days after either."""

    network: Network
    database: Database
    conductor: TemporalConductor
    gmail: FakeGmail
    news: LinkedInNewsService

    async def start(self) -> Recipient:
        self.network.unipile.world.members.add("ada")
        campaign = await _publish(self.network.company)
        lead = await self.network.company.make_lead(linkedin_url="https://www.linkedin.com/in/ada")
        self.ref: RecipientRef = await self.network.company.make_recipient(campaign, lead_id=lead)
        page = await launch_page(
            self.database, self.conductor, self.network.company.id, campaign.id
        )
        assert page.started == 1
        return self.conductor.recipient(self.ref)

    async def tell(self) -> None:
        """Unipile's webhooks, each of them twice."""
        waiting, self.network.unipile.news.waiting = self.network.unipile.news.waiting, []
        for news in [*waiting, *waiting]:
            await self.news.hear(read_webhook(json.dumps(news.body).encode()))

    ref: RecipientRef = None  # type: ignore[assignment] # known once it has started


async def _publish(company: Company) -> Campaign:
    campaign = CampaignRow(
        id=uuid7(),
        name="Spring",
        type=CampaignType.MULTI,
        status=CampaignStatus.ACTIVE,
        account_id=company.account_id,
    )
    ids: tuple[UUID, ...] = (uuid7(), uuid7(), uuid7())
    asked = OutcomeIs(step_id=ids[0], outcome=StepOutcome.CONNECTED, within_seconds=5 * DAY)
    accepted = guard_to_json(Guard(decision_id=uuid7(), condition=asked))
    kinds: tuple[tuple[Channel, int, list[dict[str, Any]]], ...] = (
        (Channel.LINKEDIN_CONNECTION, 0, []),
        (Channel.LINKEDIN_MESSAGE, 0, [accepted]),
        (Channel.EMAIL, 3 * DAY, []),
    )
    async with company.session() as session:
        session.add(campaign)
        await session.flush()
        for position, (step_id, (channel, wait, guards)) in enumerate(
            zip(ids, kinds, strict=True), start=1
        ):
            step = StepRow(
                id=step_id,
                campaign_id=campaign.id,
                position=position,
                channel=channel,
                subject="Hello",
                message_template="Hello {{ lead.first_name }}",
                delay_seconds=wait,
                guards=guards,
            )
            session.add(step)
        await session.flush()
        campaign.version_id = await publish_version(session, campaign.id)
    return Campaign(id=campaign.id, step_ids=ids)


@pytest.fixture
async def play(
    temporal: Client,
    clock: TimeSkipper,
    database: Database,
    keyring: Keyring,
    company: Company,
    gmail: FakeGmail,
) -> AsyncIterator[Play]:
    prefix = f"test-{uuid7()}/"
    conductor = TemporalConductor(clock.client, prefix=prefix)
    unipile = FakeUnipile()
    network = await connect_network(company, unipile, Clock())
    conducting = Conducting(database=database, conductor=conductor)
    news = LinkedInNewsService(
        database=database,
        conducting=conducting,
        inbound=InboundService(database=database, keyring=keyring, conducting=conducting),
        secret=None,
    )
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(unipile.http())
        network.parts = make_parts(
            database=database,
            keyring=keyring,
            conductor=conductor,
            http=await stack.enter_async_context(gmail.http()),
            token_source_of=lambda _: FakeTokens(),
            gmail_endpoint=gmail.endpoint,
            poll_seconds=1,
            unipile=UnipileClient(http, endpoint=unipile.endpoint, api_key=unipile.api_key),
        )
        for queue in SERVED:
            worker = make_worker(temporal, queue, network.parts, prefix=prefix)
            await stack.enter_async_context(worker)
        yield Play(network=network, database=database, conductor=conductor, gmail=gmail, news=news)
    assert unipile.contract.breaches == []


async def test_an_accepted_invitation_is_followed_by_a_message_and_an_answer_stops_the_mail(
    play: Play, clock: TimeSkipper
) -> None:
    hold(clock)
    recipient = await play.start()
    unipile, me = play.network.unipile, play.network.me
    await until_next_is(recipient, "before step 2: step 1 was accepted within 5 days?")
    assert [it.to for it in unipile.world.invited] == ["ada"]

    unipile.accept(me.id, "ada")
    await play.tell()
    await until_next_is(recipient, "step 3 of 3, gmail.send")
    assert [message.text for message in unipile.world.written] == ["Hello Ada"]

    unipile.reply(me.id, "ada", "Yes, gladly")
    await play.tell()

    assert await end_of(recipient) is EndReason.REPLIED
    assert play.gmail.sent == []
    assert len(unipile.world.written) == 1


async def test_who_does_not_accept_in_time_gets_the_mail_instead(play: Play) -> None:
    recipient = await play.start()

    assert await end_of(recipient) is EndReason.COMPLETED

    assert len(play.network.unipile.world.invited) == 1
    assert play.network.unipile.world.written == []
    assert len(play.gmail.sent) == 1
    invitation, mail = [it for it in await play.network.company.actions() if it.settled_at]
    assert invitation.settled_at is not None
    assert mail.settled_at is not None
    assert round((mail.settled_at - invitation.settled_at).total_seconds() / DAY) == 5


async def test_a_lost_answer_is_looked_up_and_the_invitation_sent_once(play: Play) -> None:
    play.network.unipile.lose_answer(on="sendInvitation")
    play.network.unipile.fail(503, "network_down", on="listSentInvitations")

    assert await end_of(await play.start()) is EndReason.COMPLETED

    assert len(play.network.unipile.world.invited) == 1


async def test_an_outage_at_unipile_delays_and_loses_nothing(play: Play) -> None:
    for _ in range(3):
        play.network.unipile.be_down()

    assert await end_of(await play.start()) is EndReason.COMPLETED

    assert len(play.network.unipile.world.invited) == 1
    assert len(play.gmail.sent) == 1


async def test_an_account_that_is_down_holds_its_step_until_it_is_back(
    play: Play, clock: TimeSkipper
) -> None:
    hold(clock)
    unipile, me = play.network.unipile, play.network.me
    me.status = "CREDENTIALS"
    recipient = await play.start()
    await until_next_is(recipient, "parked: account needs attention")

    unipile.set_status(me.id, "RECONNECTED")
    await play.tell()
    await until_next_is(recipient, "before step 2: step 1 was accepted within 5 days?")

    assert len(unipile.world.invited) == 1
    async with play.network.company.session() as session:
        statuses = await session.scalars(select(CampaignRow.status))
    assert set(statuses) == {CampaignStatus.ACTIVE}
