"""Calls are placed once, whatever is lost."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from shared.contracts.recipient import ActionOrder
from shared.db.models import AccountRow, ActionStatus, RecipientRow
from shared.domain.recipient import ActivityName, EndReason, HoldReason, Parked, Planned
from shared.errors import Unavailable
from tests.activities.calling import SECOND, Act, at
from tests.factories import Company
from tests.fakes.bland import FakeBland
from tests.phone_line import MORNING, PhoneLine
from workflows.parts import Parts


async def test_a_call_is_placed_and_then_asked_for(
    call: Act, line: PhoneLine, bland: FakeBland, company: Company
) -> None:
    order = await line.make_order()

    outcome = await call(order)

    [placed], [action], [row] = bland.placed, await company.actions(), await line.calls()
    assert isinstance(outcome, Planned)
    assert (outcome.activity, outcome.at) == (
        ActivityName.BLAND_COLLECT,
        MORNING + timedelta(minutes=12),
    )
    assert (action.status, action.provider_id) == (ActionStatus.PLACED, placed.id)
    assert (row.provider_id, row.phone, row.outcome) == (placed.id, placed.to, None)
    assert placed.order["task"] == "You are calling Ada about a flat. Be brief."
    assert placed.order["webhook"].startswith("https://gateway.test/webhooks/bland?t=")
    assert {rail["type"] for rail in placed.order["guard_rails"]} == {
        "tcpa:ai_disclosure",
        "tcpa:opt_out",
    }
    assert bland.contract.breaches == []


async def test_a_lost_answer_is_looked_up_and_nothing_is_dialled_twice(
    call: Act, line: PhoneLine, bland: FakeBland, company: Company
) -> None:
    bland.lose_answer(on="sendCall")
    order = await line.make_order(at=datetime.now(UTC))

    outcome = await call(order)

    [action] = await company.actions()
    assert isinstance(outcome, Planned)
    assert outcome.activity is ActivityName.BLAND_COLLECT
    assert (action.status, action.provider_id) == (ActionStatus.PLACED, bland.placed[0].id)
    assert bland.requests["sendCall"] == 1


async def _order_that_loses_its_answer(line: PhoneLine, bland: FakeBland) -> ActionOrder:
    """The call is placed, and Bland's list does not show it for an hour."""
    bland.board.clock = lambda: datetime.now(UTC)
    bland.board.lag = timedelta(hours=1)
    bland.lose_answer(on="sendCall")
    return await line.make_order(at=MORNING)


async def test_what_the_list_does_not_show_yet_is_not_repeated(
    call: Act, line: PhoneLine, bland: FakeBland
) -> None:
    order = await _order_that_loses_its_answer(line, bland)
    # The mark carries the database's clock.
    began = datetime.now(UTC)

    first = await call(order, MORNING)
    assert isinstance(first, Planned)
    assert first.activity is ActivityName.BLAND_CALL
    assert "looked for" in first.label
    assert len(bland.placed) == 1

    bland.board.lag = timedelta()
    again = await call(order, max(first.at, began))
    assert isinstance(again, Planned)
    assert again.activity is ActivityName.BLAND_COLLECT
    assert len(bland.placed) == 1


async def test_a_retry_whose_clock_is_ahead_does_not_call_again(
    call: Act, line: PhoneLine, bland: FakeBland
) -> None:
    order = await _order_that_loses_its_answer(line, bland)
    await call(order, MORNING)

    ahead = _in_hours(datetime.now(UTC) + timedelta(days=2))
    doubted = await call(order, ahead, attempt=2)
    bland.board.lag = timedelta()
    assert isinstance(doubted, Planned)
    found = await call(order, doubted.at)

    assert (doubted.activity, doubted.at) == (ActivityName.BLAND_CALL, ahead + timedelta(minutes=2))
    assert isinstance(found, Planned)
    assert found.activity is ActivityName.BLAND_COLLECT
    assert len(bland.placed) == 1


async def test_a_request_that_never_arrived_is_made_again_after_the_settling_time(
    call: Act, line: PhoneLine, bland: FakeBland
) -> None:
    bland.lose_request(on="sendCall")
    order = await line.make_order()

    doubted = await call(order)
    assert isinstance(doubted, Planned)
    assert doubted.activity is ActivityName.BLAND_CALL
    assert bland.placed == []
    # Later than the mark, on the database's clock, by more than an attempt and the settling time.
    settled = _in_hours(datetime.now(UTC) + timedelta(days=2))
    placed = await call(order, settled)

    assert isinstance(placed, Planned)
    assert placed.activity is ActivityName.BLAND_COLLECT
    assert len(bland.placed) == 1


async def test_an_attempt_that_died_behind_the_mark_is_looked_for(
    call: Act, line: PhoneLine, bland: FakeBland, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await line.make_order()
    with monkeypatch.context() as patched:
        patched.setattr("activities.bland.store_placed", _die)
        with pytest.raises(Killed):
            await call(order)
    assert len(bland.placed) == 1

    outcome = await call(order, MORNING + SECOND)

    assert isinstance(outcome, Planned)
    assert outcome.activity is ActivityName.BLAND_COLLECT
    assert len(bland.placed) == 1


async def test_two_attempts_at_once_place_one_call(
    call: Act, line: PhoneLine, bland: FakeBland, company: Company
) -> None:
    order = await line.make_order()

    await asyncio.gather(*(call(order) for _ in range(4)), return_exceptions=True)

    assert len(bland.placed) == 1
    [action] = await company.actions()
    assert action.status is ActionStatus.PLACED


async def test_a_mark_of_an_attempt_that_dialled_nothing_is_settled_when_nobody_wants_it(
    *, call: Act, phone_parts: Parts, line: PhoneLine, bland: FakeBland, company: Company
) -> None:
    bland.lose_request(on="sendCall")
    order = await line.make_order()
    await call(order)
    async with line.company.session() as session:
        row = await session.get_one(RecipientRow, order.recipient_id)
        row.end_reason, row.ended_at = EndReason.REPLIED, MORNING

    settled = _in_hours(datetime.now(UTC) + timedelta(days=2))
    assert await at(settled).run(phone_parts.bland.settle, order)

    [action] = await company.actions()
    assert (action.status, bland.placed) == (ActionStatus.ABANDONED, [])


async def test_no_more_calls_are_under_way_than_the_line_bears(
    call: Act, line: PhoneLine, bland: FakeBland
) -> None:
    async with line.company.session() as session:
        account = await session.get_one(AccountRow, line.account_id)
        account.limits = {"at_once": 1}
    campaign = await line.make_campaign()
    first, second = [await line.make_order(campaign) for _ in range(2)]
    await call(first)

    waits = await call(second)

    assert isinstance(waits, Planned)
    assert (waits.activity, waits.at) == (ActivityName.BLAND_CALL, MORNING + 20 * SECOND)
    assert "busy" in waits.label
    assert len(bland.placed) == 1


async def test_a_day_s_calls_are_kept(call: Act, line: PhoneLine, bland: FakeBland) -> None:
    async with line.company.session() as session:
        (await session.get_one(AccountRow, line.account_id)).daily_limit = 1
    campaign = await line.make_campaign()
    first, second = [await line.make_order(campaign) for _ in range(2)]
    await call(first)

    waits = await call(second)

    assert isinstance(waits, Planned)
    assert waits.at >= MORNING + timedelta(hours=23)
    assert len(bland.placed) == 1


class Killed(BaseException):
    """Nothing after it runs, as when the process dies."""


async def _die(*_: object) -> None:
    raise Killed


def _in_hours(instant: datetime) -> datetime:
    """The next Monday morning: a good time for a call."""
    days = (7 - instant.weekday()) % 7 or 7
    return (instant + timedelta(days=days)).replace(hour=10, minute=0, second=0, microsecond=0)


async def test_there_may_be_nothing_to_settle(
    phone_parts: Parts, line: PhoneLine, bland: FakeBland, call: Act
) -> None:
    order = await line.make_order()
    assert not await at(MORNING).run(phone_parts.bland.settle, order)

    bland.lose_request(on="sendCall")
    await call(order)
    # While it is wanted, its own retry goes on.
    assert not await at(MORNING).run(phone_parts.bland.settle, order)


async def test_a_script_that_cannot_be_read_waits_for_its_correction(
    call: Act, line: PhoneLine, bland: FakeBland
) -> None:
    campaign = await line.make_campaign(options={"first_sentence": "Hello {{ lead.first_name"})

    outcome = await call(await line.make_order(campaign))

    assert outcome == Parked(reason=HoldReason.STEP)
    assert bland.requests["sendCall"] == 0


async def test_a_lead_without_a_value_waits_for_it(
    call: Act, line: PhoneLine, bland: FakeBland
) -> None:
    order = await line.make_order(lead_id=await line.make_lead(first_name=None))

    assert await call(order) == Parked(reason=HoldReason.CONTENT)
    assert bland.requests["sendCall"] == 0


async def test_an_attempt_that_takes_too_long_is_made_again(
    call: Act, line: PhoneLine, bland: FakeBland, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await line.make_order()
    with monkeypatch.context() as patched:
        patched.setattr("activities.bland.CALL_SECONDS", 0)
        with pytest.raises(Unavailable, match="too long"):
            await call(order)

    await call(order)

    assert len(bland.placed) == 1


async def test_a_campaign_that_was_paused_meanwhile_calls_nobody(
    call: Act, line: PhoneLine, bland: FakeBland, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await line.make_order()

    async def pause(*_: object, **__: object) -> None:
        """As `set_mark` answers when nobody wants it any more."""

    monkeypatch.setattr("activities.bland.set_mark", pause)
    await call(order)

    [action] = await line.company.actions()
    assert (action.status, bland.placed) == (ActionStatus.ABANDONED, [])
