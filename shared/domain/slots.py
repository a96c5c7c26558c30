"""Which instant an account has left for one more action. Pure; the rows come in as `Book`."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from shared.domain.calendar import jitter
from shared.domain.windows import Opening, whole_second

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ramp:
    """A new account begins with `start` and is given `step` more for each day since `begun_at`."""

    begun_at: datetime
    start: int
    step: int

    def most_at(self, at: datetime) -> int:
        return self.start + self.step * max(0, (at - self.begun_at) // DAY)

    def next_rise(self, at: datetime) -> datetime:
        return self.begun_at + DAY * (max(0, (at - self.begun_at) // DAY) + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most so many actions in any span of so many seconds. A minimum gap is one in its span.

    `jitter_seconds`: by how much more a plan may be apart, by its seed.
    """

    most: int
    seconds: int
    words: str = ""
    ramp: Ramp | None = None
    jitter_seconds: int = 0

    @property
    def span(self) -> timedelta:
        return timedelta(seconds=self.seconds)

    def most_at(self, at: datetime) -> int:
        return min(self.most, self.ramp.most_at(at)) if self.ramp else self.most

    def words_at(self, at: datetime) -> str:
        if self.ramp and self.most_at(at) < self.most:
            return f"{self.words}, {self.most_at(at)} for now while the account is warmed up"
        return self.words


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """One that is planned. Follow-ups go before first mails, of whatever campaign."""

    at: datetime
    campaign_id: UUID
    is_first: bool


@dataclass(slots=True, kw_only=True)
class Book:
    """What one account has done and what it has planned, in the order of time.

    `firsts_done`: those of `done` that were first mails, by campaign. `until`: what is booked
    behind that is not in it; None: everything is.
    """

    done: list[datetime] = field(default_factory=list)
    firsts_done: dict[UUID, list[datetime]] = field(default_factory=dict)
    booked: list[Booking] = field(default_factory=list)
    until: datetime | None = None

    def knows(self, at: datetime) -> bool:
        return self.until is None or at <= self.until

    def add(self, booking: Booking) -> None:
        insort(self.booked, booking, key=_instant)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Somebody who wants a slot."""

    campaign_id: UUID
    is_first: bool
    seed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """`words`: the limit that moved it most; empty when none did."""

    at: datetime
    words: str = ""


@dataclass(frozen=True, slots=True)
class Hold:
    """Instants that count, in the order of time, and the limit that they count towards."""

    taken: Sequence[datetime]
    limit: Limit

    def free_again_at(self, at: datetime) -> datetime | None:
        """When to try again, if one more at `at` is one too many; None when it is not."""
        return self._try_again_at(at) if self.limit.ramp else self._room_at(at)

    def _room_at(self, at: datetime) -> datetime | None:
        """The first instant that is not too close to as many neighbours as there may be.

        Neighbours within a span forbid whatever lies within a span of all of them.
        """
        most, span, taken = self.limit.most, self.limit.span, self.taken
        free, groups = at, len(taken) - most
        first = bisect_right(taken, at - span)
        while first <= groups:
            leaves = taken[first + most - 1] - span
            if leaves >= free:
                break
            if taken[first] > leaves:
                free = taken[first] + span
                first += 1
            else:
                # Too far apart, and so is every group that begins before the last one's span.
                first = bisect_right(taken, leaves, first + 1)
        return free if free > at else None

    def _try_again_at(self, at: datetime) -> datetime | None:
        """For a limit that rises: each span that ends here or behind is counted."""
        limit, taken = self.limit, self.taken
        most = limit.most_at(at)
        last = bisect_right(taken, at)
        inside = last - bisect_right(taken, at - limit.span)
        if inside >= most:
            # The one that has to leave the span before there is room.
            room = taken[last - most] + limit.span if most else at + limit.span
            return min(room, limit.ramp.next_rise(at)) if limit.ramp else room
        for place in range(last, bisect_left(taken, at + limit.span)):
            later = taken[place]
            inside = place + 1 - bisect_right(taken, later - limit.span)
            if inside >= limit.most_at(later):
                return later
        return None


def next_slot(
    earliest: datetime, holds: Sequence[Hold], *, window: Opening | None = None, seed: str = ""
) -> Slot:
    """The first whole second, `earliest` or later, in the window, that no limit forbids."""
    at = _open(earliest, window, seed)
    words, longest = "", timedelta(0)
    for hold in holds:
        if hold.limit.most < 1:
            # Nothing is allowed at all: it is asked again once the span is over.
            return Slot(at=_open(at + hold.limit.span, window, seed), words=hold.limit.words)
    while (found := _in_the_way(at, holds)) is not None:
        later, limit = found
        if later - at > longest:
            words, longest = limit.words_at(at), later - at
        at = _open(later, window, seed)
    return Slot(at=at, words=words)


def is_free(at: datetime, holds: Sequence[Hold]) -> bool:
    """Whether one more action now keeps every limit."""
    return _in_the_way(at, holds) is None


def holds_for(
    wish: Wish, book: Book, limits: Iterable[Limit], *, now: datetime | None = None
) -> list[Hold]:
    """What stands in the way of a wish.

    A first mail makes room for every follow-up and for the other campaigns' share of first
    mails; a follow-up only for follow-ups. With `now` it is permission that is asked for: what
    was really done counts, and for a first mail the follow-ups that are still to come.
    """
    limits = tuple(limits)
    if now is None:
        return _holds_of_plan(wish, book, [widened(limit, wish) for limit in limits])
    share = share_of(wish, book, limits) if wish.is_first else None
    taken = book.done
    if wish.is_first:
        taken = sorted([*book.done, *(max(b.at, now) for b in book.booked if not b.is_first)])
    holds = [Hold(taken, limit) for limit in limits]
    return [*holds, Hold(book.firsts_done.get(wish.campaign_id, ()), share)] if share else holds


def _holds_of_plan(wish: Wish, book: Book, limits: Sequence[Limit]) -> list[Hold]:
    taken = [*book.done, *(b.at for b in book.booked if not b.is_first)]
    if not wish.is_first:
        return [Hold(sorted(taken), limit) for limit in limits]
    share = share_of(wish, book, limits)
    firsts = _firsts(book)
    own = sorted([*book.firsts_done.get(wish.campaign_id, ()), *firsts.get(wish.campaign_id, ())])
    taken += firsts.pop(wish.campaign_id, ())
    taken += [at for others in firsts.values() for at in _within_share(others, share)]
    taken.sort()
    holds = [Hold(taken, limit) for limit in limits]
    return [*holds, Hold(own, share)] if share else holds


def share_of(wish: Wish, book: Book, limits: Iterable[Limit]) -> Limit | None:
    """What one campaign's first mails may take of a day when others want some as well."""
    wanting = {b.campaign_id for b in book.booked if b.is_first} | {wish.campaign_id}
    days = [limit for limit in limits if limit.span == DAY]
    if len(wanting) < 2 or not days:
        return None
    least = min(days, key=lambda limit: limit.most)
    words = f"{len(wanting)} campaigns share the account's {least.most} a day"
    return Limit(most=max(1, least.most // len(wanting)), seconds=least.seconds, words=words)


def assign(weights: Mapping[UUID, int], number: int, *, given: Mapping[UUID, int]) -> list[UUID]:
    """Which account each of so many recipients gets, so that all are used by their weight.

    `given`: how many each account has already. Accounts without weight get none.
    """
    counts = {account: given.get(account, 0) for account, weight in weights.items() if weight > 0}
    chosen: list[UUID] = []
    for _ in range(number if counts else 0):
        account = min(counts, key=lambda one: (counts[one] + 1) / weights[one])
        counts[account] += 1
        chosen.append(account)
    return chosen


def widened(limit: Limit, wish: Wish) -> Limit:
    """With the jitter that this wish's seed draws."""
    more = jitter(wish.seed, limit.jitter_seconds)
    return replace(limit, seconds=limit.seconds + more) if more else limit


def _in_the_way(at: datetime, holds: Sequence[Hold]) -> tuple[datetime, Limit] | None:
    """The limit that holds it longest, and until when."""
    found = [(later, hold.limit) for hold in holds if (later := hold.free_again_at(at))]
    return max(found, key=lambda pair: pair[0], default=None)


def _open(at: datetime, window: Opening | None, seed: str) -> datetime:
    return window.first_open(at, seed) if window else whole_second(at)


def _firsts(book: Book) -> dict[UUID, list[datetime]]:
    firsts: dict[UUID, list[datetime]] = {}
    for booking in book.booked:
        if booking.is_first:
            firsts.setdefault(booking.campaign_id, []).append(booking.at)
    return firsts


def _within_share(instants: Iterable[datetime], share: Limit | None) -> Iterator[datetime]:
    """Those of another campaign that it may keep; the rest will have to move."""
    kept: list[datetime] = []
    for at in instants:
        if share is None or sum(1 for one in kept if at - one < share.span) < share.most:
            kept.append(at)
            yield at


def _instant(booking: Booking) -> datetime:
    return booking.at
