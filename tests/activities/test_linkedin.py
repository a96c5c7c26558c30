"""Inviting and writing at LinkedIn, once, against the sandbox's Unipile."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.contracts.recipient import ActionOrder
from shared.db.models import ActionStatus
from shared.domain.branches import StepOutcome
from shared.domain.channels import Channel
from shared.domain.recipient import ActivityName, EndReason, Finished, Outcome, Planned
from tests.networking import Network

MESSAGE = (Channel.LINKEDIN_MESSAGE,)
SETTLING = timedelta(seconds=165)


def _next(order: ActionOrder, outcome: Outcome) -> ActionOrder:
    assert isinstance(outcome, Planned)
    return replace(order, activity=outcome.activity, step_id=outcome.step_id)


async def test_an_invitation_is_sent_with_its_note_and_the_message_is_planned(
    network: Network,
) -> None:
    order = await network.begin(text="Hello {{ lead.first_name }}, <b>not</b> HTML")

    outcome = await network.act(order)

    [invitation], action = network.unipile.world.invited, await network.action(order)
    assert (invitation.to, invitation.note) == ("ada", "Hello Ada, not HTML")
    assert (action.status, action.provider_id) == (ActionStatus.SENT, invitation.id)
    assert isinstance(outcome, Planned)
    assert outcome.activity is ActivityName.LINKEDIN_MESSAGE
    assert outcome.at == network.clock.at + timedelta(days=1)


async def test_a_repeated_attempt_invites_nobody_twice(network: Network) -> None:
    order = await network.begin()

    await network.act(order)
    await network.act(order)

    assert len(network.unipile.world.invited) == 1


async def test_a_note_is_cut_to_what_the_account_may_write(network: Network) -> None:
    async with network.company.session() as session:
        details = await network.details()
        details.note_limit = 200
        await session.merge(details)
    order = await network.begin(text="word " * 100)

    await network.act(order)

    [invitation] = network.unipile.world.invited
    assert len(invitation.note) <= 200
    assert invitation.note.endswith("word…")


async def test_a_note_that_is_too_long_after_all_is_cut_shorter(network: Network) -> None:
    network.me.is_premium = False
    order = await network.begin(text="word " * 100)

    await network.act(order)

    [invitation] = network.unipile.world.invited
    assert 150 < len(invitation.note) <= 200


async def test_who_is_connected_passes_the_invitation_at_once(network: Network) -> None:
    order = await network.begin()
    network.unipile.world.connect(network.me.id, "ada")

    outcome = await network.act(order)

    action = await network.action(order)
    assert action.status is ActionStatus.SKIPPED
    assert action.refusal == "They are connected already"
    assert set(action.outcomes) == {StepOutcome.CONNECTED}
    assert network.unipile.requests["sendInvitation"] == 0
    assert isinstance(outcome, Planned)
    assert outcome.activity is ActivityName.LINKEDIN_MESSAGE


async def test_who_was_invited_by_hand_is_not_invited_again(network: Network) -> None:
    order = await network.begin()
    network.unipile.world.invite(network.me.id, "ada", "by hand")

    await network.act(order)

    action = await network.action(order)
    assert action.status is ActionStatus.SKIPPED
    assert "invitation of this account already" in (action.refusal or "")
    assert network.unipile.requests["sendInvitation"] == 0


@pytest.mark.parametrize("public_id", [None, "", "../companies/acme"])
async def test_a_lead_without_a_persons_profile_is_passed_over(
    network: Network, public_id: str | None
) -> None:
    order = await network.begin(public_id=public_id)

    await network.act(order)

    action = await network.action(order)
    assert (action.status, action.refusal) == (
        ActionStatus.SKIPPED,
        "The lead has no LinkedIn profile",
    )
    assert set(action.outcomes) == {StepOutcome.FAILED}
    assert not network.unipile.requests


async def test_a_message_goes_to_connected_members_only(network: Network) -> None:
    order = await network.begin(MESSAGE)

    outcome = await network.act(order)

    action = await network.action(order)
    assert action.status is ActionStatus.SKIPPED
    assert action.refusal == "They are not connected, and the step is no InMail"
    assert outcome == Finished(reason=EndReason.COMPLETED)
    assert network.unipile.world.written == []


async def test_a_message_begins_a_chat_and_the_next_one_goes_on_in_it(network: Network) -> None:
    order = await network.begin(MESSAGE * 2)
    network.unipile.world.connect(network.me.id, "ada")

    outcome = await network.act(order)
    network.clock.skip(days=1)
    second = _next(order, outcome)
    await network.act(second)

    first_message, second_message = network.unipile.world.written
    assert first_message.text == second_message.text == "Hello Ada"
    assert first_message.chat_id == second_message.chat_id
    action = await network.action(second)
    assert (action.provider_id, action.thread_id) == (second_message.id, second_message.chat_id)
    assert network.unipile.requests["startNewChat"] == 1


async def test_who_is_known_to_be_connected_is_not_looked_up_again(network: Network) -> None:
    order = await network.begin()
    network.unipile.world.connect(network.me.id, "ada")
    outcome = await network.act(order)
    network.clock.skip(days=1)

    await network.act(_next(order, outcome))

    assert len(network.unipile.world.written) == 1
    assert network.unipile.requests["getProfile"] == 1


async def test_an_inmail_reaches_who_is_not_connected(network: Network) -> None:
    network.me.inmail_credits = 1
    order = await network.begin(MESSAGE, options={"inmail": True})

    await network.act(order)

    [message] = network.unipile.world.written
    assert message.is_inmail
    assert (await network.action(order)).status is ActionStatus.SENT


async def test_an_answer_that_nobody_has_told_of_stops_the_next_message(network: Network) -> None:
    order = await network.begin(MESSAGE * 2)
    network.unipile.world.connect(network.me.id, "ada")
    outcome = await network.act(order)
    network.clock.skip(hours=1)
    network.unipile.reply(network.me.id, "ada", "Yes, please")
    network.clock.skip(days=1)

    ended = await network.act(_next(order, outcome))

    assert ended == Finished(reason=EndReason.REPLIED)
    assert len(network.unipile.world.written) == 1
