"""Slots against the plainest way to find them: try every second, count every span."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.calendar import Calendar
from shared.domain.pacing import Health, limits_of, trouble_of
from shared.domain.slots import (
    Book,
    Booking,
    Hold,
    Limit,
    Ramp,
    Slot,
    Wish,
    assign,
    holds_for,
    is_free,
    next_slot,
)
from shared.domain.windows import DAY_SECONDS, Window

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
A, B = UUID(int=1), UUID(int=2)

seconds = st.integers(0, 60).map(lambda number: NOW + number * SECOND)
limits = st.builds(Limit, most=st.integers(1, 4), seconds=st.integers(1, 20))
taken = st.lists(seconds, max_size=15).map(sorted)
# Open for some seconds of each minute, so that a minute is enough to try.
minutes = st.integers(0, 50).flatmap(
    lambda begin: st.integers(begin + 1, 60).map(lambda end: (begin, end))
)


def every_minute(opening: tuple[int, int]) -> Window:
    begin, end = opening
    hours = tuple((at + begin, at + end) for at in range(0, DAY_SECONDS, 61))
    return Window(hours=(tuple(pair for pair in hours if pair[1] <= DAY_SECONDS),) * 7)


def keeps(at: datetime, hold: Hold) -> bool:
    """Counts each span that ends with an action, the way that a provider would."""
    everything = sorted([*hold.taken, at])
    return all(
        sum(1 for one in everything if end - hold.limit.span < one <= end)
        <= hold.limit.most_at(end)
        for end in everything
        if at <= end < at + hold.limit.span
    )


def brute_force(earliest: datetime, holds: Sequence[Hold], window: Window) -> datetime:
    at = earliest
    while not (window.is_open(at) and all(keeps(at, hold) for hold in holds)):
        at += SECOND
    return at


@settings(max_examples=300, deadline=None)
@given(
    earliest=seconds,
    holds=st.lists(st.builds(Hold, taken, limits), max_size=3),
    opening=st.none() | minutes,
)
def test_the_next_slot_is_the_first_that_breaks_no_limit(
    earliest: datetime, holds: list[Hold], opening: tuple[int, int] | None
) -> None:
    window = every_minute(opening) if opening else Window(hours=(((0, DAY_SECONDS),),) * 7)
    slot = next_slot(earliest, holds, window=window)

    assert slot.at == brute_force(earliest, holds, window)
    assert is_free(slot.at, holds)


@settings(max_examples=300, deadline=None)
@given(earliest=seconds, before=seconds, most=limits, instants=taken, start=st.integers(1, 3))
def test_a_rising_limit_is_kept_as_well(
    earliest: datetime, before: datetime, most: Limit, instants: list[datetime], start: int
) -> None:
    ramp = Ramp(begun_at=before - DAY + 5 * SECOND, start=start, step=1)
    hold = Hold(instants, Limit(most=most.most, seconds=most.seconds, ramp=ramp))
    everywhere = Window(hours=(((0, DAY_SECONDS),),) * 7)

    assert next_slot(earliest, [hold]).at == brute_force(earliest, [hold], everywhere)


@settings(max_examples=200, deadline=None)
@given(
    wishes=st.lists(st.tuples(seconds, st.sampled_from([A, B]), st.booleans()), max_size=25),
    some=st.lists(limits, min_size=1, max_size=3),
)
def test_what_is_booked_one_after_the_other_never_breaks_a_limit(
    wishes: list[tuple[datetime, UUID, bool]], some: list[Limit]
) -> None:
    """First mails alone: a follow-up may take a first mail's slot, which then moves."""
    book = Book()
    for earliest, campaign_id, _ in wishes:
        wish = Wish(campaign_id=campaign_id, is_first=True)
        slot = next_slot(earliest, holds_for(wish, book, some))
        book.add(Booking(at=slot.at, campaign_id=campaign_id, is_first=True))

    booked = [booking.at for booking in book.booked]
    for place, at in enumerate(booked):
        others = booked[:place] + booked[place + 1 :]
        assert all(keeps(at, Hold(others, limit)) for limit in some)


@settings(max_examples=200, deadline=None)
@given(asked=st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=40), some=limits)
def test_permission_is_never_given_once_too_often(
    asked: list[tuple[int, bool]], some: Limit
) -> None:
    book, now = Book(), NOW
    for wait, is_first in asked:
        now += wait * SECOND
        if is_free(now, holds_for(Wish(campaign_id=A, is_first=is_first), book, [some], now=now)):
            book.done.append(now)

    assert all(keeps(at, Hold(without(book.done, at), some)) for at in book.done)


def without(instants: list[datetime], at: datetime) -> list[datetime]:
    place = instants.index(at)
    return instants[:place] + instants[place + 1 :]


def test_a_day_is_any_twenty_four_hours() -> None:
    done = [NOW - timedelta(hours=23), NOW - timedelta(hours=1)]
    [limit] = limits_of(2, begun_at=NOW)

    slot = next_slot(NOW, [Hold(done, limit)])

    assert slot == Slot(at=NOW + timedelta(hours=1), words="the account's 2 a day")


def test_limits_of_an_account_hold_all_at_once() -> None:
    more = {"per_minute": 2, "per_hour": 5, "per_week": 100, "min_gap_seconds": 10}
    some, book = limits_of(40, more, begun_at=NOW), Book()
    for _ in range(8):
        slot = next_slot(NOW, holds_for(Wish(campaign_id=A, is_first=True), book, some))
        book.add(Booking(at=slot.at, campaign_id=A, is_first=True))

    after = [int((booking.at - NOW).total_seconds()) for booking in book.booked]
    assert after == [0, 10, 60, 70, 120, 3_600, 3_610, 3_660]
    assert slot.words == "the account's 5 an hour"


def test_a_new_account_is_warmed_up() -> None:
    [limit] = limits_of(40, {"ramp_up": {"start": 2, "step": 3}}, begun_at=NOW)
    book = Book()
    for _ in range(12):
        slot = next_slot(NOW, holds_for(Wish(campaign_id=A, is_first=True), book, [limit]))
        book.add(Booking(at=slot.at, campaign_id=A, is_first=True))

    assert [(booking.at - NOW) // DAY for booking in book.booked] == [0] * 2 + [1] * 5 + [2] * 5
    assert limit.words_at(NOW) == (
        "the account's 40 a day, 2 for now while the account is warmed up"
    )


def test_follow_ups_go_before_first_mails() -> None:
    limits = limits_of(3, begun_at=NOW)
    book = Book(booked=[Booking(at=NOW, campaign_id=A, is_first=True)] * 3)

    follow_up = next_slot(NOW, holds_for(Wish(campaign_id=A, is_first=False), book, limits))
    assert follow_up.at == NOW

    book.booked = [Booking(at=NOW + i * SECOND, campaign_id=B, is_first=False) for i in (1, 2, 3)]
    first = Wish(campaign_id=A, is_first=True)
    assert not is_free(NOW, holds_for(first, book, limits, now=NOW))
    assert is_free(NOW, holds_for(Wish(campaign_id=A, is_first=False), book, limits, now=NOW))


def test_campaigns_of_one_account_share_its_day() -> None:
    """One has filled three days already when the other begins; it gets its half at once."""
    limits = limits_of(10, begun_at=NOW)
    ahead = [NOW + i * timedelta(minutes=144) for i in range(30)]
    book = Book(booked=[Booking(at=at, campaign_id=A, is_first=True) for at in ahead])
    wish = Wish(campaign_id=B, is_first=True)
    for _ in range(5):
        slot = next_slot(NOW, holds_for(wish, book, limits))
        book.add(Booking(at=slot.at, campaign_id=B, is_first=True))
        assert slot.at < NOW + DAY

    assert next_slot(NOW, holds_for(wish, book, limits)).at >= NOW + DAY
    book.firsts_done = {A: ahead[:5]}
    book.done = ahead[:5]
    permission = holds_for(Wish(campaign_id=A, is_first=True), book, limits, now=ahead[5])
    assert not is_free(ahead[5], permission)
    moved = next_slot(ahead[5], permission)
    assert moved.words == "2 campaigns share the account's 10 a day"


def test_an_account_without_room_is_asked_again_when_the_span_is_over() -> None:
    slot = next_slot(NOW, [Hold([], Limit(most=0, seconds=60, words="none"))])

    assert slot == Slot(at=NOW + timedelta(minutes=1), words="none")


def test_the_gap_differs_from_plan_to_plan_and_permission_asks_for_the_least() -> None:
    [gap] = limits_of(None, {"min_gap_seconds": 60, "gap_jitter_seconds": 30}, begun_at=NOW)
    book = Book()
    for seed in range(10):
        wish = Wish(campaign_id=A, is_first=True, seed=str(seed))
        slot = next_slot(NOW, holds_for(wish, book, [gap]))
        book.add(Booking(at=slot.at, campaign_id=A, is_first=True))

    gaps = {(later.at - at.at).seconds for at, later in pairwise(book.booked)}
    assert len(gaps) > 3
    assert 60 <= min(gaps) <= max(gaps) <= 90


@given(
    weights=st.dictionaries(st.uuids(), st.integers(0, 5), max_size=5), number=st.integers(0, 60)
)
def test_accounts_are_used_by_their_weight(weights: dict[UUID, int], number: int) -> None:
    chosen = assign(weights, number, given={})

    whole = sum(weights.values())
    assert len(chosen) == (number if whole else 0)
    for account, weight in weights.items():
        assert abs(chosen.count(account) - len(chosen) * weight / max(1, whole)) <= max(
            1, len(weights)
        )


def test_accounts_without_weights_take_turns() -> None:
    assert assign({A: 1, B: 1}, 4, given={A: 1}) == [B, A, B, A]


def test_slots_lie_in_the_window() -> None:
    window = Window(hours=(((9 * 3_600, 9 * 3_600 + 120),),) * 7, calendar=Calendar())
    limits, book = limits_of(None, {"min_gap_seconds": 60}, begun_at=NOW), Book()
    for _ in range(5):
        holds = holds_for(Wish(campaign_id=A, is_first=True), book, limits)
        slot = next_slot(NOW, holds, window=window)
        book.add(Booking(at=slot.at, campaign_id=A, is_first=True))

    assert [f"{booking.at:%d %H:%M}" for booking in book.booked] == [
        "03 09:00",
        "03 09:01",
        "04 09:00",
        "04 09:01",
        "05 09:00",
    ]


@pytest.mark.parametrize(
    ("health", "trouble"),
    [
        pytest.param(Health(sent=19, bounced=19, complaints=9), None, id="too few to judge"),
        pytest.param(Health(sent=100, bounced=8, complaints=0), None, id="as many as there may be"),
        pytest.param(Health(sent=100, bounced=9, complaints=0), "9 of 100 mails", id="one more"),
        pytest.param(Health(sent=100, bounced=0, complaints=1), None, id="a single complaint"),
        pytest.param(Health(sent=100, bounced=0, complaints=2), "complained", id="a second one"),
    ],
)
def test_an_account_whose_mails_are_not_welcome_is_in_trouble(
    health: Health, trouble: str | None
) -> None:
    found = trouble_of(health)

    assert found is None if trouble is None else trouble in (found or "")
