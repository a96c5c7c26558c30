"""What Unipile tells by itself."""

import json
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from shared.db.models import ActionRow, InboundEventRow, RecipientRow
from shared.db.models.accounts import AccountStatus
from shared.domain.branches import StepOutcome
from shared.domain.channels import Channel
from shared.domain.recipient import EndReason
from shared.linkedin_news import key_of_member
from tests.api.conftest import make_action
from tests.api.linkedin.conftest import SECRET
from tests.fakes.conductor import RecordingConductor
from tests.networking import Network


async def _invited(network: Network, public_id: str = "ada") -> UUID:
    """A recipient whose lead has an invitation; the action's id is the answer."""
    network.unipile.world.members.add(public_id)
    network.unipile.world.invite(network.me.id, public_id, "Hello")
    company = network.company
    campaign = await company.make_campaign(
        waits=(0, 86_400), channels=(Channel.LINKEDIN_CONNECTION, Channel.EMAIL)
    )
    recipient = await company.make_recipient(campaign)
    member_id = network.unipile.world.member_id(network.me.id, public_id)
    action = make_action(
        campaign,
        company,
        recipient.recipient_id,
        activity="linkedin.invite",
        message_id=key_of_member(member_id),
    )
    action.account_id = network.account_id
    async with company.session() as session:
        row = await session.get_one(RecipientRow, recipient.recipient_id)
        row.started_at = row.launched_at = network.clock.at
        session.add(action)
    return action.id


async def _action(network: Network, action_id: UUID) -> ActionRow:
    async with network.company.session() as session:
        return await session.get_one(ActionRow, action_id)


async def test_an_acceptance_told_late_twice_and_out_of_order_is_one(
    network: Network, gateway: httpx.AsyncClient, conductor: RecordingConductor
) -> None:
    action_id = await _invited(network)
    network.clock.skip(hours=8)
    network.unipile.accept(network.me.id, "ada")
    network.unipile.set_status(network.me.id, "OK")

    statuses = await network.unipile.news.deliver(gateway, times=2, seed=5)

    assert statuses == [200] * 4
    assert set((await _action(network, action_id)).outcomes) == {StepOutcome.CONNECTED}
    assert len(conductor.wakes) == 1


async def test_an_answer_ends_the_recipient_also_when_it_overtakes_the_acceptance(
    network: Network, gateway: httpx.AsyncClient, conductor: RecordingConductor
) -> None:
    action_id = await _invited(network)
    network.unipile.accept(network.me.id, "ada")
    network.unipile.reply(network.me.id, "ada", "Yes, gladly")
    network.unipile.news.waiting.reverse()

    await network.unipile.news.deliver(gateway)

    action = await _action(network, action_id)
    recipient = await network.company.recipient(action.recipient_id)
    assert recipient.end_reason is EndReason.REPLIED
    assert action.responded_at is not None
    [(_, stop)] = conductor.stops
    assert stop.reason is EndReason.REPLIED


async def test_own_and_private_messages_are_passed_over(
    network: Network, gateway: httpx.AsyncClient
) -> None:
    await _invited(network)
    network.unipile.world.members.add("mum")
    network.unipile.reply(network.me.id, "mum", "Dinner at eight")
    own = network.unipile.world.write(network.me.id, "ada", "by hand", is_ours=True)
    network.unipile.news.add_message(own)

    assert await network.unipile.news.deliver(gateway) == [200, 200]
    async with network.company.session() as session:
        assert list(await session.scalars(select(InboundEventRow))) == []


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("CREDENTIALS", "ended the session: connect the account again"),
        ("ERROR", "connect the account again"),
        ("STOPPED", "stopped at Unipile"),
        ("PERMISSIONS", "connect the account again"),
        ("DELETED", "deleted at Unipile: connect it again"),
    ],
)
async def test_an_account_whose_session_ends_needs_attention_until_it_is_back(
    network: Network,
    gateway: httpx.AsyncClient,
    conductor: RecordingConductor,
    status: str,
    words: str,
) -> None:
    network.unipile.set_status(network.me.id, status)
    await network.unipile.news.deliver(gateway)
    account = await network.account()
    assert account.status is AccountStatus.NEEDS_ATTENTION
    assert words in (account.status_reason or "")

    network.unipile.set_status(network.me.id, "RECONNECTED")
    await network.unipile.news.deliver(gateway)

    account = await network.account()
    assert (account.status, account.status_reason) == (AccountStatus.ACTIVE, None)
    assert len(conductor.wakings) == 1


@pytest.mark.parametrize("status", ["CONNECTING", "SYNC_SUCCESS", "OK"])
async def test_a_state_that_passes_changes_nothing(
    network: Network, gateway: httpx.AsyncClient, conductor: RecordingConductor, status: str
) -> None:
    network.unipile.news.add_status(network.me.id, status)

    await network.unipile.news.deliver(gateway)

    assert (await network.account()).status is AccountStatus.ACTIVE
    assert conductor.wakings == []


@pytest.mark.parametrize("secret", [None, "", "wrong"])
async def test_nobody_else_may_tell_us_anything(
    network: Network, gateway: httpx.AsyncClient, secret: str | None
) -> None:
    headers = {"Unipile-Auth": secret} if secret is not None else {}

    answer = await gateway.post("/webhooks/unipile", content=b"{broken", headers=headers)

    assert answer.status_code == 401


async def test_what_cannot_be_read_is_refused_and_what_is_nobodys_is_not(
    gateway: httpx.AsyncClient,
) -> None:
    headers = {"Unipile-Auth": SECRET}
    unknown = {"event": "new_relation", "account_id": "nobody", "user_provider_id": "ACoAA"}

    broken = await gateway.post("/webhooks/unipile", content=b"{broken", headers=headers)
    other = await gateway.post("/webhooks/unipile", content=json.dumps(unknown), headers=headers)

    assert broken.status_code == 422
    assert (other.status_code, other.json()) == (200, {"is_new": False})


async def test_an_event_is_kept_though_temporal_is_away(
    network: Network, gateway: httpx.AsyncClient, conductor: RecordingConductor
) -> None:
    action_id = await _invited(network)
    network.unipile.reply(network.me.id, "ada", "Yes")
    conductor.is_down = True

    assert await network.unipile.news.deliver(gateway) == [200]

    action = await _action(network, action_id)
    recipient = await network.company.recipient(action.recipient_id)
    assert recipient.end_reason is EndReason.REPLIED
