"""What was said is kept, and what it means is done, in every channel."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from temporalio.testing import ActivityEnvironment

from shared.contracts.recipient import ActionOrder
from shared.db.models import ActionRow, ActionStatus, RecipientRow, SuppressionRow
from shared.domain.leads import LeadStatus
from shared.domain.recipient import ActivityName, EndReason, Finished, HoldReason, Parked, Planned
from shared.errors import Unavailable
from tests.activities.calling import MINUTE, Act, at
from tests.factories import Company
from tests.fakes.bland import FakeBland, Pickup
from tests.fakes.conductor import RecordingConductor
from tests.phone_line import MORNING, PhoneLine
from workflows.parts import Parts


async def test_an_answered_call_is_kept_and_goes_on(
    call: Act, collect: Act, line: PhoneLine, bland: FakeBland, company: Company
) -> None:
    campaign = await line.make_campaign(options={"record": True})
    order = await line.make_order(campaign)
    await call(order)
    bland.end(bland.placed[0], Pickup.TALKS)

    outcome = await collect(order)

    [row], [action], lead = await line.calls(), await company.actions(), await line.lead_of(order)
    assert isinstance(outcome, Planned)
    assert (outcome.activity, outcome.step_id) == (ActivityName.GMAIL_SEND, campaign.step_ids[1])
    assert (action.status, list(action.outcomes)) == (ActionStatus.SENT, ["answered"])
    assert (row.outcome, row.answered_by, row.disposition) == ("answered", "human", "INTERESTED")
    assert (row.duration_seconds, float(row.price or 0)) == (95, 0.1425)
    assert row.recording_url
    assert [it["speaker"] for it in row.transcript] == ["assistant", "user", "user"]
    assert lead.status is LeadStatus.INTERESTED


async def test_a_call_that_nobody_tells_of_is_asked_for_less_and_less_often(
    call: Act, collect: Act, line: PhoneLine, bland: FakeBland
) -> None:
    order = await line.make_order()
    await call(order)

    outcomes = [await collect(order, MORNING + minutes * MINUTE) for minutes in (13, 19)]

    assert [it.at for it in outcomes if isinstance(it, Planned)] == [
        MORNING + 18 * MINUTE,
        MORNING + 24 * MINUTE,
    ]
    assert all(isinstance(it, Planned) and "under way" in it.label for it in outcomes)
    assert (await line.calls())[0].collected_at is None


@pytest.mark.parametrize(
    ("pickup", "outcome"),
    [
        (Pickup.VOICEMAIL, "voicemail"),
        (Pickup.NO_ANSWER, "no_answer"),
        (Pickup.BUSY, "no_answer"),
        (Pickup.HANGS_UP, "answered"),
        (Pickup.WANTS_MEETING, "answered"),
        (Pickup.FAILS, "failed"),
    ],
)
async def test_what_came_of_a_call_is_an_outcome(
    *, call: Act, collect: Act, line: PhoneLine, bland: FakeBland, pickup: Pickup, outcome: str
) -> None:
    order = await line.make_order()
    await call(order)
    bland.end(bland.placed[0], pickup)

    went_on = await collect(order)

    [action], [row] = await line.company.actions(), await line.calls()
    assert isinstance(went_on, Planned)
    assert went_on.activity is ActivityName.GMAIL_SEND
    assert (list(action.outcomes), row.outcome) == ([outcome], outcome)


@pytest.mark.parametrize("pickup", [Pickup.DO_NOT_CALL, Pickup.NOT_INTERESTED])
async def test_who_says_no_on_the_phone_is_left_alone_in_all_channels(
    *,
    call: Act,
    collect: Act,
    line: PhoneLine,
    bland: FakeBland,
    conductor: RecordingConductor,
    pickup: Pickup,
) -> None:
    order = await line.make_order()
    mails = await line.company.make_campaign()
    lead = await line.lead_of(order)
    other = await line.company.make_recipient(mails, lead_id=lead.id)
    await _start(line, other.recipient_id)
    await call(order)
    bland.end(bland.placed[0], pickup)

    outcome = await collect(order)

    never = pickup is Pickup.DO_NOT_CALL
    reason = EndReason.UNSUBSCRIBED if never else EndReason.REPLIED
    assert outcome == Finished(reason=reason)
    assert (await line.company.recipient(other.recipient_id)).end_reason is reason
    assert other.recipient_id in {ref.recipient_id for ref, _ in conductor.stops}
    kinds = {row.kind for row in await _suppressions(line)}
    assert kinds == ({"email", "phone"} if never else set())
    status = LeadStatus.UNSUBSCRIBED if never else LeadStatus.NOT_INTERESTED
    assert (await line.lead_of(order)).status is status


async def test_a_lead_who_was_stopped_meanwhile_is_still_heard_and_not_called_again(
    *, call: Act, phone_parts: Parts, line: PhoneLine, bland: FakeBland
) -> None:
    order = await line.make_order()
    await call(order)
    async with line.company.session() as session:
        row = await session.get_one(RecipientRow, order.recipient_id)
        row.end_reason, row.ended_at = EndReason.REPLIED, MORNING
    bland.end(bland.placed[0], Pickup.TALKS)

    is_settled = await at(MORNING + 20 * MINUTE).run(phone_parts.bland.settle, order)
    again = await call(order, MORNING + 21 * MINUTE)

    assert is_settled
    assert again == Finished(reason=EndReason.REPLIED)
    assert (await line.calls())[0].outcome == "answered"
    assert len(bland.placed) == 1


async def _stop(line: PhoneLine, order: ActionOrder) -> None:
    async with line.company.session() as session:
        row = await session.get_one(RecipientRow, order.recipient_id)
        row.end_reason, row.ended_at = EndReason.REPLIED, MORNING


async def test_a_call_that_nobody_wants_any_more_is_hung_up_once(
    *, call: Act, phone_parts: Parts, line: PhoneLine, bland: FakeBland
) -> None:
    order = await line.make_order()
    await call(order)
    await _stop(line, order)

    assert await at(MORNING + MINUTE).run(phone_parts.bland.settle, order)
    assert not await at(MORNING + 2 * MINUTE).run(phone_parts.bland.settle, order)

    [row], [action] = await line.calls(), await line.company.actions()
    assert bland.requests["stopCall"] == 1
    assert (row.status, row.outcome, action.status) == ("canceled", "no_answer", ActionStatus.SENT)


@pytest.mark.parametrize("is_heard", [True, False], ids=["it fails", "it is not heard"])
async def test_a_call_that_ends_while_it_is_hung_up_is_kept_as_it_was(
    *, call: Act, phone_parts: Parts, line: PhoneLine, bland: FakeBland, is_heard: bool
) -> None:
    order = await line.make_order()
    await call(order)
    await _stop(line, order)
    ringing = bland.placed[0]
    if is_heard:
        bland.fail(500, "SID not found for the given c_id.", on="stopCall")
    else:
        bland.lose_request(on="stopCall")

    assert not await at(MORNING + MINUTE).run(phone_parts.bland.settle, order)
    bland.end(ringing, Pickup.TALKS)
    assert await at(MORNING + 2 * MINUTE).run(phone_parts.bland.settle, order)

    assert [row.outcome for row in await line.calls()] == ["answered"]


async def test_a_call_whose_attempt_died_is_found_and_hung_up(
    *, call: Act, phone_parts: Parts, line: PhoneLine, bland: FakeBland
) -> None:
    """It was dialled, and nobody has recorded that; then the lead writes."""
    order = await line.make_order()
    bland.lose_answer(on="sendCall")
    bland.board.lag = 2 * MINUTE
    await call(order)
    await _stop(line, order)
    bland.board.lag = timedelta()

    assert await at(MORNING + MINUTE).run(phone_parts.bland.settle, order)

    [action] = await line.company.actions()
    assert (bland.requests["stopCall"], action.status) == (1, ActionStatus.SENT)


async def test_a_call_that_never_ends_is_stopped_and_given_up(
    call: Act, collect: Act, line: PhoneLine, bland: FakeBland, company: Company
) -> None:
    order = await line.make_order()
    await call(order)

    outcome = await collect(order, MORNING + 26 * MINUTE)

    [action] = await company.actions()
    assert isinstance(outcome, Planned)
    assert outcome.activity is ActivityName.GMAIL_SEND
    assert bland.requests["stopCall"] == 1
    assert list(action.outcomes) == ["no_answer"]


async def _start(line: PhoneLine, recipient_id: UUID) -> None:
    async with line.company.session() as session:
        row = await session.get_one(RecipientRow, recipient_id)
        row.started_at = row.launched_at = MORNING


async def _suppressions(line: PhoneLine) -> list[SuppressionRow]:
    async with line.company.session() as session:
        return list(await session.scalars(select(SuppressionRow)))


async def test_the_sweep_finds_a_call_that_nobody_has_told_of(
    *, call: Act, phone_parts: Parts, line: PhoneLine, bland: FakeBland
) -> None:
    order = await line.make_order()
    await call(order)
    async with line.company.session() as session:
        action = (await session.scalars(select(ActionRow))).one()
        action.check_at = datetime.now(UTC) - timedelta(hours=1)
    bland.end(bland.placed[0], Pickup.VOICEMAIL)

    found = await ActivityEnvironment().run(phone_parts.sweep.find_unsettled)
    [own] = [it for it in found if it.recipient_id == order.recipient_id]
    assert own.activity is ActivityName.BLAND_CALL
    assert await at(MORNING + 20 * MINUTE).run(phone_parts.bland.settle, own)

    assert [row.outcome for row in await line.calls()] == ["voicemail"]


async def test_an_erased_lead_leaves_nothing_of_its_call(
    *, call: Act, collect: Act, line: PhoneLine, bland: FakeBland
) -> None:
    order = await line.make_order()
    await call(order)
    bland.end(bland.placed[0], Pickup.TALKS)
    async with line.company.session() as session:
        await session.delete(await session.get_one(RecipientRow, order.recipient_id))

    assert await collect(order) == Finished(reason=EndReason.REMOVED)
    assert await line.calls() == []


@pytest.mark.parametrize(
    ("status", "minutes", "waits"),
    [(404, 13, True), (404, 40, False), (401, 40, False), (503, 40, None)],
)
async def test_a_call_that_cannot_be_asked_for_is_given_up_in_time(
    *,
    call: Act,
    collect: Act,
    line: PhoneLine,
    bland: FakeBland,
    status: int,
    minutes: int,
    waits: bool | None,
) -> None:
    """None: an outage says nothing, so it is asked again until it is over."""
    order = await line.make_order()
    await call(order)
    bland.fail(status, "No.", on="callDetails")

    if waits is None:
        with pytest.raises(Unavailable):
            await collect(order, MORNING + minutes * MINUTE)
        return
    outcome = await collect(order, MORNING + minutes * MINUTE)

    [action] = await line.company.actions()
    assert isinstance(outcome, Planned)
    assert action.status is (ActionStatus.PLACED if waits else ActionStatus.SKIPPED)
    assert list(action.outcomes) == ([] if waits else ["failed"])


async def test_a_line_that_is_turned_down_while_a_call_goes_on_is_shown(
    call: Act, collect: Act, line: PhoneLine, bland: FakeBland
) -> None:
    order = await line.make_order()
    await call(order)
    bland.fail(401, on="callDetails")

    outcome = await collect(order)

    assert outcome == Parked(reason=HoldReason.ACCOUNT_DOWN)
    assert "enter a new one" in ((await line.account()).status_reason or "")
    [action] = await line.company.actions()
    assert action.status is ActionStatus.PLACED
