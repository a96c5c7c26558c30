"""What LinkedIn accounts are read for when no webhook comes, and what is withdrawn."""

from datetime import timedelta

from sqlalchemy import func, select, update

from shared.contracts.operations import InboxShard
from shared.contracts.recipient import ActionOrder
from shared.db.models import (
    ActionStatus,
    CompanyRow,
    InboundEventRow,
    LinkedInAccountRow,
    RecipientRow,
)
from shared.db.models.accounts import AccountStatus
from shared.domain.branches import StepOutcome
from shared.domain.channels import Channel
from shared.domain.recipient import EndReason
from tests.fakes.conductor import RecordingConductor
from tests.networking import Network

EVERYTHING = InboxShard(number=0, of=1)


async def _read(network: Network) -> None:
    """One round, as the inbox's workflow has it made; this company's account only."""
    assert network.parts is not None
    linkedin = network.parts.inbox.linkedin
    assert linkedin is not None
    await linkedin.poll(network.company.id, network.account_id, network.clock.at)


async def _events(network: Network) -> list[InboundEventRow]:
    async with network.company.session() as session:
        return list(await session.scalars(select(InboundEventRow)))


async def _invited(network: Network, public_id: str = "ada") -> ActionOrder:
    order = await network.begin(public_id=public_id)
    await network.act(order)
    return order


async def test_an_acceptance_is_found_though_no_webhook_comes(
    network: Network, conductor: RecordingConductor
) -> None:
    order = await _invited(network)
    accepted_at = network.clock.skip(hours=3)
    network.unipile.accept(network.me.id, "ada")
    network.clock.skip(hours=1)

    await _read(network)

    action = await network.action(order)
    assert action.outcomes == {StepOutcome.CONNECTED: accepted_at.isoformat()}
    assert [ref.recipient_id for ref, _ in conductor.wakes] == [order.recipient_id]


async def test_an_acceptance_that_was_told_and_read_is_one(
    network: Network, conductor: RecordingConductor
) -> None:
    await _invited(network)
    network.unipile.accept(network.me.id, "ada")
    await _read(network)
    network.clock.skip(hours=2)
    await _invited(network, "bob")

    await _read(network)

    assert [event.kind for event in await _events(network)] == ["accepted"]
    assert len(conductor.wakes) == 1


async def test_connections_are_asked_for_once_an_hour_and_only_while_somebody_is_invited(
    network: Network,
) -> None:
    await _read(network)
    assert network.unipile.requests["listRelations"] == 0
    await _invited(network)

    await _read(network)
    network.clock.skip(minutes=30)
    await _read(network)
    assert network.unipile.requests["listRelations"] == 1
    network.clock.skip(minutes=31)
    await _read(network)
    assert network.unipile.requests["listRelations"] == 2
    assert network.unipile.requests["listMessages"] == 4


async def test_an_answer_at_linkedin_ends_the_recipient_and_its_mails(
    network: Network, conductor: RecordingConductor
) -> None:
    order = await network.begin((Channel.LINKEDIN_CONNECTION, Channel.EMAIL))
    await network.act(order)
    network.clock.skip(hours=1)
    network.unipile.accept(network.me.id, "ada")
    message = network.unipile.reply(network.me.id, "ada", "Thanks, tell me more")

    await _read(network)

    recipient = await network.company.recipient(order.recipient_id)
    assert recipient.end_reason is EndReason.REPLIED
    [(ref, stop)] = conductor.stops
    assert (ref.recipient_id, stop.reason) == (order.recipient_id, EndReason.REPLIED)
    reply = next(event for event in await _events(network) if event.kind == "reply")
    assert (reply.text, reply.thread_id) == ("Thanks, tell me more", message.chat_id)
    assert (await network.action(order)).responded_at == message.at


async def test_who_asks_to_be_left_alone_is(network: Network) -> None:
    order = await _invited(network)
    network.clock.skip(hours=1)
    network.unipile.reply(network.me.id, "ada", "Please stop writing to me.")

    await _read(network)

    recipient = await network.company.recipient(order.recipient_id)
    assert recipient.end_reason is EndReason.UNSUBSCRIBED


async def test_private_and_own_messages_are_not_kept(network: Network) -> None:
    order = await _invited(network)
    network.unipile.world.members.add("mum")
    network.clock.skip(minutes=1)
    network.unipile.reply(network.me.id, "mum", "Dinner at eight")
    network.unipile.world.write(network.me.id, "ada", "written by hand", is_ours=True)

    await _read(network)

    assert await _events(network) == []
    assert (await network.company.recipient(order.recipient_id)).end_reason is None


async def test_what_was_listed_late_is_read_all_the_same(network: Network) -> None:
    order = await _invited(network)
    network.unipile.answers.lag = timedelta(minutes=5)
    network.unipile.reply(network.me.id, "ada", "Hello")
    network.clock.skip(minutes=1)
    await _read(network)
    assert (await network.company.recipient(order.recipient_id)).end_reason is None

    network.clock.skip(minutes=5)
    await _read(network)

    assert (await network.company.recipient(order.recipient_id)).end_reason is EndReason.REPLIED


async def test_an_account_that_cannot_be_read_needs_attention(network: Network) -> None:
    network.me.status = "CREDENTIALS"

    await _read(network)

    account = await network.account()
    assert account.status is AccountStatus.NEEDS_ATTENTION
    assert "connect the account again" in (account.status_reason or "")


async def test_an_outage_is_the_next_rounds(network: Network) -> None:
    network.unipile.be_down()
    await _read(network)
    assert (await network.account()).last_polled_at is None

    await _read(network)

    account = await network.account()
    assert (account.status, account.last_polled_at) == (AccountStatus.ACTIVE, network.clock.at)


async def test_the_round_of_the_inbox_goes_to_members_as_well(network: Network) -> None:
    assert network.parts is not None
    order = await _invited(network)
    network.clock.skip(minutes=1)
    network.unipile.reply(network.me.id, "ada", "Hello")

    await network.now().run(network.parts.inbox.go_round, EVERYTHING, network.clock.at)

    assert (await network.company.recipient(order.recipient_id)).end_reason is EndReason.REPLIED


async def _tidy(network: Network) -> int:
    assert network.parts is not None
    tidying = network.parts.linkedin_tidying
    return await tidying.tidy_account(network.company.id, network.account_id, network.clock.at)


async def test_an_invitation_that_nobody_accepts_is_withdrawn_after_three_weeks(
    network: Network,
) -> None:
    order = await _invited(network)
    by_hand = network.unipile.world.invite(network.me.id, "bob", "by hand")
    network.clock.skip(days=20)
    assert await _tidy(network) == 0

    network.clock.skip(days=2)
    assert await _tidy(network) == 1
    assert await _tidy(network) == 0

    assert network.unipile.world.pending == [by_hand]
    action = await network.action(order)
    assert action.status is ActionStatus.SENT
    assert action.refusal == "Nobody had accepted it for 21 days, so it was withdrawn"


async def test_a_company_and_an_account_may_be_more_or_less_patient(network: Network) -> None:
    await _invited(network)
    async with network.company.session() as session:
        settings = {"withdraw_invitations_after_days": 10}
        await session.execute(update(CompanyRow).values(settings=settings))
    network.clock.skip(days=11)
    await network.set_account(limits={"withdraw_after_days": 14})
    assert await _tidy(network) == 0

    await network.set_account(limits={})
    assert await _tidy(network) == 1


async def test_few_are_withdrawn_at_once(network: Network) -> None:
    for number in range(12):
        await _invited(network, f"m{number}")
    network.clock.skip(days=30)

    assert await _tidy(network) == 10
    assert await _tidy(network) == 2


async def test_the_tidying_goes_over_every_account(network: Network) -> None:
    await _invited(network)
    network.clock.skip(days=30)
    assert network.parts is not None

    assert await network.now().run(network.parts.linkedin_tidying.tidy) == 1
    async with network.company.session() as session:
        recipients = await session.scalar(select(func.count()).select_from(RecipientRow))
        accounts = await session.scalar(select(func.count()).select_from(LinkedInAccountRow))
    assert (recipients, accounts) == (1, 1)
