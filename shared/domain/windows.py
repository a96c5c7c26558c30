"""When a campaign may reach somebody: hours on weekdays, at the lead's place, not on holidays."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from shared.domain.calendar import ANYWHERE, DAY, Calendar, Stretch, jitter

DAY_SECONDS = 86_400
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_RANGE = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")
# Holidays are known for some years only, so within ten of them every window opens.
FARTHEST = timedelta(days=3_660)
# Two windows that have no hour of the week in common never meet: this is more than a year.
_MOST_ROUNDS = 1_000

# From and to, in seconds after midnight.
Hours = tuple[int, int]
ALL_DAY: tuple[Hours, ...] = ((0, DAY_SECONDS),)


class Closed(StrEnum):
    """Why a window is not open."""

    HOLIDAY = "a public holiday"
    WEEKDAY = "a day without sending hours"
    HOURS = "outside of the sending hours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """`hours`: of seven weekdays, Monday first, each in order and without overlaps.

    `spread_seconds`: who has waited for an opening comes in by this much apart, by the seed.
    """

    hours: tuple[tuple[Hours, ...], ...]
    calendar: Calendar = ANYWHERE
    spread_seconds: int = 0

    def __post_init__(self) -> None:
        if len(self.hours) != 7 or not any(self.hours):
            raise ValueError("A window has seven weekdays, and hours on one of them")
        for day in self.hours:
            bounds = [second for opens, closes in day for second in (opens, closes)]
            if sorted(set(bounds)) != bounds or (bounds and not 0 <= bounds[0] < bounds[-1]):
                raise ValueError("The hours of a day are in order and do not touch")
            if bounds and bounds[-1] > DAY_SECONDS:
                raise ValueError("A day ends at 24:00")

    def is_open(self, at: datetime) -> bool:
        return self.why_closed(at) is None

    def why_closed(self, at: datetime) -> Closed | None:
        """None: it is open."""
        local = at.astimezone(self.calendar.zone)
        if local.date() in self.calendar.holidays:
            return Closed.HOLIDAY
        hours = self.hours[local.weekday()]
        second = local.hour * 3_600 + local.minute * 60 + local.second
        if any(opens <= second < closes for opens, closes in hours):
            return None
        return Closed.HOURS if hours else Closed.WEEKDAY

    def first_open(self, at: datetime, seed: str = "") -> datetime:
        """The first whole second, `at` or later, at which it is open for this seed."""
        at = whole_second(at)
        for begin, end in self._openings(at):
            if self.spread_seconds:
                length = (end - begin) // timedelta(seconds=1)
                begin += timedelta(seconds=jitter(seed, min(self.spread_seconds, length - 1)))
            if at < end:
                return max(at, begin)
        raise ValueError("The window does not open within ten years")

    def open_for(self, since: datetime, seconds: int) -> datetime:
        """When it will have been open for so many seconds since then."""
        since, left = whole_second(since), timedelta(seconds=seconds)
        for begin, end in self._openings(since):
            begin = max(begin, since)
            if end - begin > left:
                return begin + left
            left -= max(timedelta(0), end - begin)
        raise ValueError("The window does not open for so long within ten years")

    def _openings(self, at: datetime) -> Iterator[Stretch]:
        day = self.calendar.day_of(at)
        # Clocks that are put back at midnight show the end of the day before once more.
        yield from sorted([*_openings_of(self, day - DAY), *_openings_of(self, day)])
        last = day + FARTHEST
        while (day := day + DAY) <= last:
            yield from _openings_of(self, day)


@lru_cache(maxsize=20_000)
def _openings_of(window: Window, day: date) -> tuple[Stretch, ...]:
    """In order. Everybody of one place asks for the same days, again and again."""
    if day in window.calendar.holidays:
        return ()
    hours = window.hours[day.weekday()]
    return tuple(
        sorted(
            stretch
            for opens, closes in hours
            for stretch in window.calendar.stretches(day, opens, closes)
        )
    )


def first_open(windows: Sequence["Opening"], at: datetime, seed: str = "") -> datetime:
    """The first whole second, `at` or later, at which all of them are open for this seed."""
    at = whole_second(at)
    for _ in range(_MOST_ROUNDS):
        latest = at
        for window in windows:
            latest = window.first_open(latest, seed)
        if latest == at:
            return at
        at = latest
    raise ValueError("The windows are never open together")


@dataclass(frozen=True, slots=True)
class JointWindow:
    """Open when all of its windows are. `first_open` raises ValueError when they never are."""

    windows: tuple["Opening", ...]

    def is_open(self, at: datetime) -> bool:
        return self.why_closed(at) is None

    def why_closed(self, at: datetime) -> Closed | None:
        """None: it is open."""
        return next((why for window in self.windows if (why := window.why_closed(at))), None)

    def first_open(self, at: datetime, seed: str = "") -> datetime:
        return first_open(self.windows, at, seed)


Opening = Window | JointWindow


def joined(*windows: Opening | None) -> Opening | None:
    """What is open when all of them are; None: any time is right."""
    found = tuple(window for window in windows if window is not None)
    return found[0] if len(found) == 1 else JointWindow(found) if found else None


def read_hours(days: Mapping[str, Sequence[str]]) -> tuple[tuple[Hours, ...], ...]:
    """Seven weekdays from `{"monday": ["09:00-12:00", "13:00-17:00"], ...}`.

    Hours that end before they begin reach into the next day. Raises ValueError, for people.
    """
    found: list[list[Hours]] = [[] for _ in WEEKDAYS]
    for name, ranges in days.items():
        if name not in WEEKDAYS:
            raise ValueError(f"{name} is no weekday: use {', '.join(WEEKDAYS)}")
        place = WEEKDAYS.index(name)
        for words in ranges:
            opens, closes = _read_range(words)
            if opens < closes:
                found[place].append((opens, closes))
                continue
            found[place].append((opens, DAY_SECONDS))
            if closes:
                found[(place + 1) % 7].append((0, closes))
    if not any(found):
        raise ValueError("Give at least one weekday with hours, or the campaign would never send")
    return tuple(_in_order(name, hours) for name, hours in zip(WEEKDAYS, found, strict=True))


def _read_range(words: str) -> Hours:
    match = _RANGE.fullmatch(words)
    if match is None:
        raise ValueError(f"{words} are no hours: write them as 09:00-17:00")
    begin, begin_minute, end, end_minute = (int(number) for number in match.groups())
    opens, closes = begin * 3_600 + begin_minute * 60, end * 3_600 + end_minute * 60
    if max(begin_minute, end_minute) > 59 or opens >= DAY_SECONDS or closes > DAY_SECONDS:
        raise ValueError(f"{words} are no hours: a day goes from 00:00 to 24:00")
    if opens == closes:
        raise ValueError(f"{words} is no time at all: for the whole day write 00:00-24:00")
    return opens, closes


def _in_order(name: str, hours: list[Hours]) -> tuple[Hours, ...]:
    """Sorted; what touches is one."""
    joined: list[Hours] = []
    for opens, closes in sorted(hours):
        if joined and opens < joined[-1][1]:
            raise ValueError(f"Hours of {name} overlap: write them as one")
        if joined and opens == joined[-1][1]:
            joined[-1] = (joined[-1][0], closes)
        else:
            joined.append((opens, closes))
    return tuple(joined)


def whole_second(at: datetime) -> datetime:
    """Rounded up, so that no wait is cut short."""
    return at if at.microsecond == 0 else at.replace(microsecond=0) + timedelta(seconds=1)
