"""A call that was placed when its lead was stopped elsewhere."""

import asyncio
from datetime import UTC, datetime, timedelta

from shared.db.models import ActionStatus
from shared.domain.channels import Channel
from shared.domain.inbound import InboundKind
from shared.domain.recipient import ActivityName, EndReason
from tests.fakes.bland import Pickup
from tests.workflows.conftest import end_of
from tests.workflows.stopping import Play, play
from workflows.recipient import RecipientWorkflow

__all__ = ["play"]


async def test_a_lead_who_is_talking_is_not_cut_off(play: Play) -> None:
    called, calling = await play.start(Channel.CALL, Channel.EMAIL)
    await play.until_ringing(calling)
    [ringing] = play.bland.placed
    ringing.said = (("user", "Tuesday at ten, then. I have just put it in your calendar."),)

    await play.receive(InboundKind.MEETING_BOOKED, called)

    assert await end_of(calling) is EndReason.MEETING
    assert play.bland.requests["stopCall"] == 0
    play.bland.end(ringing, Pickup.TALKS)
    await play.settle_call(called)
    assert [call.outcome for call in await play.line.calls()] == ["answered"]
    assert play.gmail.sent == []


async def test_a_call_that_is_being_placed_when_the_stop_comes_is_hung_up(play: Play) -> None:
    asked, asking = await play.start(Channel.TASK)
    await play.until_opened(asked)
    play.gate.on = "/v1/calls"
    called, calling = await play.start(Channel.CALL, Channel.EMAIL)
    async with asyncio.timeout(60):
        while not play.gate.is_reached.is_set():
            plan = await calling.query(RecipientWorkflow.progress)
            left = plan.at - datetime.now(UTC)
            if plan.activity is ActivityName.BLAND_CALL and left > timedelta(seconds=5):
                await play.clock.fast_forward(calling, left)
            await asyncio.sleep(0.02)

    await play.receive(InboundKind.REPLY, asked)
    play.gate.is_open.set()

    assert await end_of(calling) is EndReason.REPLIED
    assert await end_of(asking) is EndReason.REPLIED
    assert (len(play.bland.placed), play.bland.requests["stopCall"]) == (1, 1)
    assert [action.status for action in await play.actions(called)] == [ActionStatus.SENT]
