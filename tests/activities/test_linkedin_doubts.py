"""What may have been done at LinkedIn: looked up, and done once."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from api.callers import Caller
from api.services.explaining import ExplainService
from shared.db.models import ActionStatus
from shared.db.session import Database
from shared.domain.branches import StepOutcome
from shared.domain.channels import Channel
from shared.domain.recipient import EndReason, Finished, Planned
from shared.errors import Unavailable
from tests.activities.conftest import at
from tests.fakes.unipile import FakeUnipile
from tests.networking import Network

MESSAGE = (Channel.LINKEDIN_MESSAGE,)
SETTLING = timedelta(seconds=165)


LOSSES: list[tuple[str, Callable[[FakeUnipile, str], None], int]] = [
    ("answer lost", lambda u, on: u.lose_answer(on=on), 1),
    (
        "failed after acting",
        lambda u, on: u.fail(500, "provider_error", on=on, after_acting=True),
        1,
    ),
    (
        "time-out after acting",
        lambda u, on: u.fail(504, "request_timeout", on=on, after_acting=True),
        1,
    ),
    ("request lost", lambda u, on: u.lose_request(on=on), 0),
    ("failed before acting", lambda u, on: u.fail(503, "service_unavailable", on=on), 0),
]


@pytest.mark.parametrize(("lose", "done"), [it[1:] for it in LOSSES], ids=[it[0] for it in LOSSES])
@pytest.mark.parametrize(
    ("channel", "operation"),
    [(Channel.LINKEDIN_CONNECTION, "sendInvitation"), (Channel.LINKEDIN_MESSAGE, "startNewChat")],
    ids=["invitation", "message"],
)
@pytest.mark.parametrize("is_listed_late", [False, True], ids=["listed at once", "listed late"])
async def test_what_may_have_been_done_is_looked_up_and_done_once(
    network: Network,
    channel: Channel,
    operation: str,
    lose: Callable[[FakeUnipile, str], None],
    done: int,
    is_listed_late: bool,
) -> None:
    order = await network.begin((channel, Channel.EMAIL))
    world, unipile = network.unipile.world, network.unipile
    if channel is Channel.LINKEDIN_MESSAGE:
        world.connect(network.me.id, "ada")
    if is_listed_late:
        unipile.answers.lag = timedelta(seconds=100)
    lose(unipile, operation)

    outcome = await network.act(order)

    deeds = world.invited if channel is Channel.LINKEDIN_CONNECTION else world.written
    assert len(deeds) == done
    if is_listed_late or not done:
        # Nothing is repeated before the lists have settled, however often somebody looks.
        assert isinstance(outcome, Planned)
        assert outcome.label.endswith("whether LinkedIn has done it is looked up")
        assert timedelta(0) < outcome.at - network.clock.at < SETTLING + timedelta(minutes=1)
        assert await network.act(order) == outcome or len(deeds) == done
        network.clock.skip(minutes=5)
        outcome = await network.act(order)
    assert len(deeds) == 1
    action = await network.action(order)
    assert (action.status, action.provider_id) == (ActionStatus.SENT, deeds[0].id)
    assert isinstance(outcome, Planned)
    assert outcome.step_id != order.step_id


async def test_who_accepted_while_the_answer_was_lost_is_known_to_be_connected(
    network: Network,
) -> None:
    order = await network.begin()
    network.unipile.answers.lag = timedelta(seconds=100)
    network.unipile.lose_answer(on="sendInvitation")
    await network.act(order)
    network.unipile.accept(network.me.id, "ada")
    network.clock.skip(minutes=5)

    await network.act(order)

    action = await network.action(order)
    assert action.status is ActionStatus.SENT
    assert StepOutcome.CONNECTED in action.outcomes


@pytest.mark.parametrize("channel", [Channel.LINKEDIN_CONNECTION, Channel.LINKEDIN_MESSAGE])
async def test_attempts_at_the_same_time_do_it_once(network: Network, channel: Channel) -> None:
    order = await network.begin((channel, Channel.EMAIL))
    if channel is Channel.LINKEDIN_MESSAGE:
        network.unipile.world.connect(network.me.id, "ada")

    outcomes = await asyncio.gather(*(network.act(order) for _ in range(4)))

    world = network.unipile.world
    assert len(world.invited) + len(world.written) == 1
    assert all(isinstance(outcome, Planned) for outcome in outcomes)
    assert (await network.action(order)).status is ActionStatus.SENT


async def test_an_outage_before_the_call_leaves_no_doubt(network: Network) -> None:
    order = await network.begin()
    network.unipile.be_down(on="sendInvitation")

    with pytest.raises(Unavailable):
        await network.act(order)
    assert (await network.action(order)).draft_id is None
    await network.act(order)

    assert len(network.unipile.world.invited) == 1


async def test_the_sweep_settles_what_an_attempt_left_behind(network: Network) -> None:
    order = await network.begin()
    network.unipile.answers.lag = timedelta(seconds=100)
    network.unipile.lose_answer(on="sendInvitation")
    await network.act(order)
    assert network.parts is not None

    assert not await network.now().run(network.parts.linkedin.settle, order)
    network.clock.skip(minutes=5)
    assert await network.now().run(network.parts.linkedin.settle, order)

    assert (await network.action(order)).status is ActionStatus.SENT
    assert not await at(network.clock.at).run(network.parts.linkedin.settle, order)


async def test_the_sweep_lets_go_of_what_was_never_done(network: Network) -> None:
    order = await network.begin(MESSAGE)
    network.unipile.world.connect(network.me.id, "ada")
    network.unipile.lose_request(on="startNewChat")
    await network.act(order)
    network.clock.skip(minutes=5)
    assert network.parts is not None

    assert await network.now().run(network.parts.linkedin.settle, order)
    await network.act(order)

    assert len(network.unipile.world.written) == 1
    assert (await network.action(order)).status is ActionStatus.SENT


async def test_an_end_that_came_before_the_last_check_leaves_nothing_sent(network: Network) -> None:
    order = await network.begin()
    network.unipile.lose_request(on="sendInvitation")
    await network.act(order)
    lead = (await network.company.recipient(order.recipient_id)).lead_id
    await network.company.suppress(lead)
    network.clock.skip(minutes=5)

    ended = await network.act(order)

    assert ended == Finished(reason=EndReason.SUPPRESSED)
    assert network.unipile.world.invited == []
    assert (await network.action(order)).status is ActionStatus.ABANDONED


async def test_a_message_written_by_hand_in_between_is_a_persons_to_judge(network: Network) -> None:
    order = await network.begin(MESSAGE)
    network.unipile.world.connect(network.me.id, "ada")
    network.unipile.lose_request(on="startNewChat")
    await network.act(order)
    network.unipile.world.write(network.me.id, "ada", "something else", is_ours=True)
    network.clock.skip(minutes=5)

    await network.act(order)

    assert (await network.action(order)).status is ActionStatus.UNCONFIRMED
    assert len(network.unipile.world.written) == 1


@pytest.mark.parametrize("following", [Channel.EMAIL, Channel.LINKEDIN_CONNECTION])
async def test_what_may_have_been_done_is_waited_for_when_its_step_is_gone(
    network: Network, following: Channel
) -> None:
    """Else what comes next would find it open and be sent back to it, over and over."""
    order = await network.begin((Channel.LINKEDIN_MESSAGE, following))
    network.unipile.world.connect(network.me.id, "ada")
    network.unipile.answers.lag = timedelta(seconds=100)
    network.unipile.lose_answer(on="startNewChat")
    await network.act(order)
    campaign_id = (await network.company.recipient(order.recipient_id)).campaign_id
    await network.company.remove_steps(campaign_id, Channel.LINKEDIN_MESSAGE)

    waiting = await network.act(order)

    assert isinstance(waiting, Planned)
    assert (waiting.activity, waiting.step_id) == (order.activity, order.step_id)
    assert timedelta(0) < waiting.at - network.clock.at < SETTLING + timedelta(minutes=1)
    network.clock.skip(minutes=5)
    following_plan = await network.act(order)
    assert isinstance(following_plan, Planned)
    assert following_plan.step_id != order.step_id
    assert (await network.action(order)).status is ActionStatus.SENT
    assert len(network.unipile.world.written) == 1


async def test_explain_tells_when_what_was_begun_is_looked_up(
    network: Network, database: Database
) -> None:
    order = await network.begin((Channel.LINKEDIN_MESSAGE,))
    network.unipile.world.connect(network.me.id, "ada")
    network.unipile.answers.lag = timedelta(seconds=100)
    network.unipile.lose_answer(on="startNewChat")
    waiting = await network.act(order)
    caller = Caller(user_id=network.company.user_id, company_id=network.company.id)
    campaign_id = (await network.company.recipient(order.recipient_id)).campaign_id
    service = ExplainService(database=database)

    told = (await service.campaign(caller, campaign_id, now=network.clock.at)).following

    assert isinstance(waiting, Planned)
    assert told is not None
    assert told.at == waiting.at
    assert f"what was begun is taken up again at {waiting.at:%F %T}Z" in told.explanation.because
