"""When a campaign may reach somebody: hours on weekdays, at the lead's place, not on holidays."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from shared.domain.calendar import ANYWHERE, DAY, Calendar, Stretch, jitter

DAY_SECONDS = 86_400
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_RANGE = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")
# Holidays are known for some years only, so within ten of them every window opens.
FARTHEST = timedelta(days=3_660)

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
            length = (end - begin) // timedelta(seconds=1)
            begin += timedelta(seconds=jitter(seed, min(self.spread_seconds, length - 1)))
            if at < end:
                return max(at, begin)
        raise ValueError("The window does not open within ten years")

    def _openings(self, at: datetime) -> Iterator[Stretch]:
        day = self.calendar.day_of(at)
        # Clocks that are put back at midnight show the end of the day before once more.
        yield from sorted([*self._openings_of(day - DAY), *self._openings_of(day)])
        last = day + FARTHEST
        while (day := day + DAY) <= last:
            yield from sorted(self._openings_of(day))

    def _openings_of(self, day: date) -> Iterator[Stretch]:
        if day not in self.calendar.holidays:
            for opens, closes in self.hours[day.weekday()]:
                yield from self.calendar.stretches(day, opens, closes)


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
