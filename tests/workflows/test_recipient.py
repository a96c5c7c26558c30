"""The whole campaign: real Temporal, real Postgres, and days that pass in a second."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.testing import TimeSkipper
from uuid_utils.compat import uuid7

from shared.contracts.recipient import StopSignal
from shared.db.models import LeadRow
from shared.domain.inbound import InboundKind
from shared.domain.recipient import ActivityName, EndReason
from tests.fakes.gmail import FakeGmail
from tests.workflows.conftest import World, end_of, hold, until_next_is
from workflows.policies import ACTIVITIES, POLICIES, QUEUES
from workflows.recipient import RecipientWorkflow

PAUSED = "parked: campaign is paused"


async def test_silence_gets_every_mail(world: World) -> None:
    recipient = await world.start()

    assert await end_of(recipient) is EndReason.COMPLETED
    assert await world.days_of_mails() == [0, 3, 6]
    assert len(world.gmail.sent) == 3


async def test_three_mails_cost_5_events_and_11_a_mail(world: World) -> None:
    recipient = await world.start()
    await end_of(recipient)

    events = [e.event_type async for e in recipient.fetch_history_events()]
    skips = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED
    counted = [e for e in events if e != skips]
    # The first mail needs no timer, and the end shows the last status.
    assert len(counted) == 5 + 11 * 3 - 5 + 1, Counter(map(EventType.Name, counted))


async def test_a_reply_on_day_four_stops_the_rest(world: World, clock: TimeSkipper) -> None:
    hold(clock)
    recipient = await world.start()
    await clock.fast_forward(recipient, timedelta(days=4))

    await world.receive(InboundKind.REPLY)

    assert await end_of(recipient) is EndReason.REPLIED
    assert await world.days_of_mails() == [0, 3]
    # The same event once more, when nobody listens any longer, is no error.
    await world.receive(InboundKind.REPLY)


async def test_a_lead_who_is_away_is_waited_for(world: World, clock: TimeSkipper) -> None:
    hold(clock)
    recipient = await world.start()
    plan = await until_next_is(recipient, "step 2 of 3, gmail.send")

    await world.receive(InboundKind.AUTO_REPLY, returns_at=plan.at + timedelta(days=4))
    async with asyncio.timeout(60):
        while (await recipient.query(RecipientWorkflow.progress)).at == plan.at:  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0.02)

    await clock.fast_forward(recipient)
    assert await end_of(recipient) is EndReason.COMPLETED
    assert await world.days_of_mails() == [0, 7, 10]


async def test_a_parked_recipient_goes_on_when_woken(
    world: World, clock: TimeSkipper, gmail: FakeGmail
) -> None:
    hold(clock)
    recipient = await world.start(is_paused=True)
    await until_next_is(recipient, PAUSED)
    assert gmail.sent == []

    await world.pause(False)
    await world.wake()
    await until_next_is(recipient, "step 2 of 3, gmail.send")
    await clock.fast_forward(recipient)

    assert await end_of(recipient) is EndReason.COMPLETED
    assert await world.days_of_mails() == [0, 3, 6]


async def test_a_parked_recipient_looks_again_after_a_week(
    world: World, clock: TimeSkipper
) -> None:
    hold(clock)
    recipient = await world.start(is_paused=True)
    await until_next_is(recipient, PAUSED)

    await world.pause(False)
    await clock.fast_forward(recipient, timedelta(days=8))
    assert await world.days_of_mails() == [0]

    await clock.fast_forward(recipient)
    assert await end_of(recipient) is EndReason.COMPLETED


async def test_a_stop_lets_the_mail_in_flight_end_first(world: World, gmail: FakeGmail) -> None:
    gmail.may_send.clear()
    recipient = await world.start()
    await gmail.is_sending.wait()

    await world.conductor.stop(world.ref, StopSignal(event_id=uuid7(), reason=EndReason.REPLIED))
    gmail.may_send.set()

    assert await end_of(recipient) is EndReason.REPLIED
    assert await world.days_of_mails() == [0]


async def test_a_stop_ends_a_back_off_at_once(
    world: World, clock: TimeSkipper, gmail: FakeGmail
) -> None:
    hold(clock)
    for _ in range(20):
        gmail.be_down(on="drafts.create")
    recipient = await world.start()
    async with asyncio.timeout(60):
        while gmail.requests["drafts.create"] < 2:  # noqa: ASYNC110 - the fake has no event for it
            await asyncio.sleep(0.02)

    await world.conductor.stop(world.ref, StopSignal(event_id=uuid7(), reason=EndReason.REPLIED))

    assert await end_of(recipient) is EndReason.REPLIED
    assert gmail.sent == []


async def test_the_timer_and_the_reply_at_the_same_instant_send_nothing(
    world: World, clock: TimeSkipper
) -> None:
    """Nobody works while both happen, so the workflow sees them in one task."""
    hold(clock)
    recipient = await world.start()
    await until_next_is(recipient, "step 2 of 3, gmail.send")

    await world.workers.stop()
    await clock.fast_forward(recipient, timedelta(days=3))
    await world.receive(InboundKind.REPLY)
    await world.workers.start()

    assert await end_of(recipient) is EndReason.REPLIED
    names = [EventType.Name(e.event_type) async for e in recipient.fetch_history_events()]
    fired = names.index("EVENT_TYPE_TIMER_FIRED")
    signaled = names.index("EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED")
    assert "EVENT_TYPE_WORKFLOW_TASK_COMPLETED" not in names[fired:signaled]
    assert len(world.gmail.sent) == 1


async def test_a_terminated_recipient_starts_anew_where_it_was(
    world: World, clock: TimeSkipper
) -> None:
    hold(clock)
    recipient = await world.start()
    await until_next_is(recipient, "step 2 of 3, gmail.send")
    await recipient.terminate("an operator's mistake")

    await world.wake()
    again = world.handle()
    await until_next_is(again, "step 2 of 3, gmail.send")
    await clock.fast_forward(again)

    assert await end_of(again) is EndReason.COMPLETED
    assert await world.days_of_mails() == [0, 3, 6]


async def test_a_recipient_reads_as_a_story(world: World, clock: TimeSkipper) -> None:
    hold(clock)
    recipient = await world.start()
    await until_next_is(recipient, "step 2 of 3, gmail.send")

    description = await recipient.describe()
    metadata = await recipient.query("__temporal_workflow_metadata")
    summaries = [
        e.user_metadata.summary.data.decode().strip('"')
        async for e in recipient.fetch_history_events()
        if e.user_metadata.summary.data
    ]
    assert await description.static_summary() is not None
    assert "step 2 of 3, gmail.send" in str(metadata)
    assert any(s.startswith("step 1 of 3, gmail.send") for s in summaries)
    assert any(s.startswith("step 2 of 3, gmail.send, at ") for s in summaries)
    await recipient.terminate()


async def test_the_history_holds_ids_and_no_address(world: World) -> None:
    recipient = await world.start()
    await end_of(recipient)

    history = await recipient.fetch_history()
    text = history.to_json()
    row = await world.company.recipient(world.ref.recipient_id)
    async with world.company.session() as session:
        lead = await session.get_one(LeadRow, row.lead_id)
    assert str(lead.email) not in text
    assert ".test" not in text
    assert "Hello" not in text


@pytest.mark.parametrize("kind", [InboundKind.UNSUBSCRIBE, InboundKind.BOUNCE])
async def test_what_ends_for_ever_suppresses_the_address(
    world: World, clock: TimeSkipper, kind: InboundKind
) -> None:
    hold(clock)
    recipient = await world.start()
    await until_next_is(recipient, "step 2 of 3, gmail.send")

    await world.receive(kind)
    await end_of(recipient)

    row = await world.company.recipient(world.ref.recipient_id)
    other = await world.company.make_recipient(
        await world.company.make_campaign(), lead_id=row.lead_id
    )
    world.ref = other
    await world.wake()
    assert await end_of(world.handle()) is EndReason.SUPPRESSED
    assert len(world.gmail.sent) == 1


def test_whatever_can_be_planned_can_be_run() -> None:
    assert set(ActivityName) == set(ACTIVITIES) == set(POLICIES) == set(QUEUES)
