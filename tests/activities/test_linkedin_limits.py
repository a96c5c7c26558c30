"""How much an account of LinkedIn does: invitations and messages count apart."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from shared.db.models import ActionStatus, RecipientRow
from shared.domain.channels import Channel
from shared.domain.pacing import linkedin_limits
from shared.domain.recipient import ActivityName, Finished, Planned
from tests.factories import NOON
from tests.networking import Network

INVITE, WRITE = (Channel.LINKEDIN_CONNECTION,), (Channel.LINKEDIN_MESSAGE,)
DAY = timedelta(days=1)


async def test_invitations_a_day_hold_invitations_and_no_message(network: Network) -> None:
    await network.set_account(daily_limit=2)
    for name in ("ada", "bob"):
        await network.act(await network.begin(INVITE, public_id=name))
    third = await network.begin(INVITE, public_id="cleo")
    message = await network.begin(WRITE, public_id="dan")
    network.unipile.world.connect(network.me.id, "dan")

    held = await network.act(third)
    written = await network.act(message)

    assert isinstance(held, Planned)
    assert held.label.endswith("the account's 2 invitations a day")
    assert held.at == network.clock.at + DAY
    assert isinstance(written, Finished)
    assert len(network.unipile.world.invited) == 2
    network.clock.at = held.at
    await network.act(third)
    assert len(network.unipile.world.invited) == 3


async def test_messages_a_day_hold_messages_and_no_invitation(network: Network) -> None:
    await network.set_account(limits={"messages_per_day": 1})
    for name in ("ada", "bob"):
        network.unipile.world.connect(network.me.id, name)
    await network.act(await network.begin(WRITE, public_id="ada"))

    held = await network.act(await network.begin(WRITE, public_id="bob"))
    await network.act(await network.begin(INVITE, public_id="cleo"))

    assert isinstance(held, Planned)
    assert held.label.endswith("the account's 1 messages a day")
    assert len(network.unipile.world.written) == 1
    assert len(network.unipile.world.invited) == 1


async def test_invitations_a_week_are_counted_over_a_week(network: Network) -> None:
    await network.set_account(daily_limit=5, limits={"per_week": 2})
    begun = network.clock.at
    for name in ("ada", "bob"):
        await network.act(await network.begin(INVITE, public_id=name))
        network.clock.skip(days=1)

    held = await network.act(await network.begin(INVITE, public_id="cleo"))

    assert isinstance(held, Planned)
    assert held.at == begun + 7 * DAY
    assert "2 invitations a week" in held.label


async def test_who_is_connected_already_takes_nothing_of_the_limit(network: Network) -> None:
    await network.set_account(daily_limit=1)
    network.unipile.world.members.add("ada")
    network.unipile.world.connect(network.me.id, "ada")
    known = await network.begin(INVITE, public_id="ada")

    await network.act(known)
    await network.act(await network.begin(INVITE, public_id="bob"))

    assert (await network.action(known)).status is ActionStatus.SKIPPED
    assert [it.to for it in network.unipile.world.invited] == ["bob"]


async def test_a_slot_of_an_invitation_takes_none_of_the_messages(network: Network) -> None:
    await network.set_account(daily_limit=1, limits={"messages_per_day": 1})
    await network.act(await network.begin(INVITE, public_id="ada"))
    held = await network.begin(INVITE, public_id="bob")
    await network.act(held)
    async with network.company.session() as session:
        where = RecipientRow.id == held.recipient_id
        # As if its slot were now.
        await session.execute(update(RecipientRow).where(where).values(slot_at=network.clock.at))
    network.unipile.world.connect(network.me.id, "cleo")

    await network.act(await network.begin(WRITE, public_id="cleo"))

    assert len(network.unipile.world.written) == 1


async def test_a_new_account_is_warmed_up(network: Network) -> None:
    ramp = {"start": 1, "step": 1}
    await network.set_account(
        daily_limit=20, limits={"ramp_up": ramp}, ramp_from_at=network.clock.at
    )
    await network.act(await network.begin(INVITE, public_id="ada"))

    held = await network.act(await network.begin(INVITE, public_id="bob"))

    assert isinstance(held, Planned)
    assert held.at == network.clock.at + DAY
    assert "1 for now while the account is warmed up" in held.label


@pytest.mark.parametrize(
    ("activity", "words"),
    [
        (
            ActivityName.LINKEDIN_INVITE,
            ["the account's 20 invitations a day", "the account's 100 invitations a week"],
        ),
        (ActivityName.LINKEDIN_MESSAGE, ["the account's 50 messages a day"]),
    ],
)
def test_each_limit_says_what_it_counts(activity: ActivityName, words: list[str]) -> None:
    limits = linkedin_limits(20, {"per_week": 100}, begun_at=NOON)

    assert [limit.words for limit in limits[activity]] == words
