"""What hardly ever happens at LinkedIn: an end in the middle, a key that is missing."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import delete

from activities.linkedin_accounts import LinkedInAccounts
from activities.linkedin_reading import LinkedInReader
from activities.linkedin_tidying import LinkedInTidying
from shared.contracts.recipient import ActionOrder
from shared.db.models import ActionStatus, LeadRow, LinkedInAccountRow
from shared.db.models.accounts import AccountStatus
from shared.db.session import Database
from shared.domain.channels import Channel
from shared.domain.recipient import EndReason, Finished, HoldReason, Parked, Planned
from shared.errors import AccountRefused, Unavailable
from shared.keyring import Keyring
from shared.tokens import AccountRef
from tests.fakes.conductor import RecordingConductor
from tests.networking import Network

INVITE, WRITE = (Channel.LINKEDIN_CONNECTION,), (Channel.LINKEDIN_MESSAGE,)


async def _suppress(network: Network, order: ActionOrder) -> None:
    lead_id = (await network.company.recipient(order.recipient_id)).lead_id
    await network.company.suppress(lead_id)


def _once_asked_for_a_profile(network: Network, deed: Callable[[], Awaitable[None]]) -> None:
    async def hook(response: httpx.Response) -> None:
        if response.request.method == "GET" and "/users/" in response.request.url.path:
            await deed()

    assert network.http is not None
    network.http.event_hooks = {"response": [hook]}


@pytest.mark.parametrize("channels", [INVITE, WRITE], ids=["invitation", "message"])
async def test_an_end_just_before_the_call_leaves_it_undone(
    network: Network, channels: tuple[Channel, ...]
) -> None:
    order = await network.begin(channels)
    if channels == WRITE:
        network.unipile.world.connect(network.me.id, "ada")
    _once_asked_for_a_profile(network, lambda: _suppress(network, order))

    ended = await network.act(order)

    assert ended == Finished(reason=EndReason.SUPPRESSED)
    assert (await network.action(order)).status is ActionStatus.ABANDONED
    assert network.unipile.world.invited == []
    assert network.unipile.world.written == []


@pytest.mark.parametrize("channels", [INVITE, WRITE], ids=["invitation", "message"])
async def test_what_was_begun_and_is_not_wanted_any_more_is_given_up(
    network: Network, channels: tuple[Channel, ...]
) -> None:
    order = await network.begin(channels)
    network.unipile.be_down()
    with pytest.raises(Unavailable):
        await network.act(order)
    await _suppress(network, order)

    assert await network.act(order) == Finished(reason=EndReason.SUPPRESSED)
    assert (await network.action(order)).status is ActionStatus.ABANDONED


async def test_the_sweep_gives_up_what_nobody_wants_and_leaves_the_rest(network: Network) -> None:
    order = await network.begin(INVITE)
    network.unipile.be_down()
    with pytest.raises(Unavailable):
        await network.act(order)
    assert network.parts is not None
    settle = network.parts.linkedin.settle

    assert not await network.now().run(settle, order)
    await _suppress(network, order)
    assert await network.now().run(settle, order)

    assert (await network.action(order)).status is ActionStatus.ABANDONED


async def test_an_invitation_that_no_list_has_shown_counts_as_ours(network: Network) -> None:
    order = await network.begin(INVITE)
    network.unipile.answers.lag = timedelta(hours=1)
    network.unipile.lose_answer(on="sendInvitation")
    await network.act(order)
    network.clock.skip(minutes=5)

    await network.act(order)

    assert (await network.action(order)).status is ActionStatus.SENT
    assert len(network.unipile.world.invited) == 1


async def test_an_invitation_to_somebody_who_has_left_is_found_in_the_list(
    network: Network,
) -> None:
    order = await network.begin(INVITE)
    network.unipile.answers.lag = timedelta(seconds=100)
    network.unipile.lose_answer(on="sendInvitation")
    await network.act(order)
    network.clock.skip(minutes=5)
    network.unipile.fail(404, "resource_not_found", on="getProfile")

    await network.act(order)

    assert (await network.action(order)).status is ActionStatus.SENT


async def test_an_account_without_notes_invites_without_one(network: Network) -> None:
    order = await network.begin(INVITE)
    network.unipile.fail(400, "too_many_characters", on="sendInvitation")

    await network.act(order)

    [invitation] = network.unipile.world.invited
    assert invitation.note == ""


async def test_an_inmail_may_have_no_subject(network: Network) -> None:
    network.me.inmail_credits = 1
    order = await network.begin(WRITE * 2, options={"inmail": True})
    network.unipile.fail(422, "not_allowed_inmail", on="startNewChat")
    outcome = await network.act(order)
    assert isinstance(outcome, Planned)
    network.clock.skip(days=1)

    await network.act(replace(order, step_id=outcome.step_id))

    assert [message.is_inmail for message in network.unipile.world.written] == [True]


async def test_a_lead_without_an_address_is_written_to_as_well(network: Network) -> None:
    order = await network.begin(INVITE)
    lead_id = (await network.company.recipient(order.recipient_id)).lead_id
    async with network.company.session() as session:
        (await session.get_one(LeadRow, lead_id)).email = None

    await network.act(order)

    assert [it.note for it in network.unipile.world.invited] == ["Hello Ada"]


async def test_a_missing_value_parks_and_nothing_is_sent(network: Network) -> None:
    order = await network.begin(INVITE, text="Hello {{ lead.last_name }}")

    assert await network.act(order) == Parked(reason=HoldReason.CONTENT)
    assert network.unipile.world.invited == []


async def test_an_account_that_was_forgotten_has_to_be_connected_again(network: Network) -> None:
    order = await network.begin(INVITE)
    async with network.company.session() as session:
        await session.execute(delete(LinkedInAccountRow))

    assert await network.act(order) == Parked(reason=HoldReason.ACCOUNT_DOWN)
    assert "connect the account again" in ((await network.account()).status_reason or "")


async def test_without_a_key_the_setting_is_named_and_nothing_is_read(
    network: Network, database: Database, keyring: Keyring, conductor: RecordingConductor
) -> None:
    accounts = LinkedInAccounts(database=database, client=None)
    reader = LinkedInReader(
        database=database, accounts=accounts, keyring=keyring, conductor=conductor
    )
    company = network.company
    account = AccountRef(
        company_id=company.id, account_id=network.account_id, user_id=company.user_id
    )

    with pytest.raises(AccountRefused, match="DRUMBEAT_UNIPILE_API_KEY"):
        await accounts.open(account)
    await reader.poll(company.id, network.account_id, network.clock.at)
    assert await network.now().run(LinkedInTidying(database=database, accounts=accounts).tidy) == 0
    assert not network.unipile.requests


async def test_an_account_that_is_down_is_neither_read_nor_tidied(network: Network) -> None:
    await network.set_account(status=AccountStatus.NEEDS_ATTENTION)
    assert network.parts is not None
    asked = (network.company.id, network.account_id, network.clock.at)

    linkedin = network.parts.inbox.linkedin
    assert linkedin is not None
    await linkedin.poll(*asked)

    assert await network.parts.linkedin_tidying.tidy_account(*asked) == 0
    assert not network.unipile.requests


async def test_the_last_look_may_fail_before_a_first_message_and_before_no_second(
    network: Network,
) -> None:
    order = await network.begin(WRITE * 2)
    network.unipile.world.connect(network.me.id, "ada")
    network.unipile.be_down(on="listMessages")

    outcome = await network.act(order)

    assert isinstance(outcome, Planned)
    network.clock.skip(days=1)
    network.unipile.be_down(on="listMessages")
    with pytest.raises(Unavailable):
        await network.act(replace(order, step_id=outcome.step_id))
    assert len(network.unipile.world.written) == 1


async def test_a_message_to_a_lead_without_a_profile_is_passed_over(network: Network) -> None:
    order = await network.begin(WRITE, public_id=None)

    await network.act(order)

    assert (await network.action(order)).refusal == "The lead has no LinkedIn profile"
