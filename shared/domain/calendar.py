"""Days as people at one place count them: their zone, their business days, their holidays."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

SATURDAY = 5
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
GREENWICH = ZoneInfo("UTC")

# From and to, in UTC; the end lies outside.
Stretch = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Where somebody is, and on which dates nobody works there."""

    zone: ZoneInfo = GREENWICH
    holidays: frozenset[date] = frozenset()

    def day_of(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def is_business_day(self, day: date) -> bool:
        return day.weekday() < SATURDAY and day not in self.holidays

    def start_of(self, day: date) -> datetime:
        """Midnight, or what comes first after it where the clocks leave midnight out."""
        return _instant(datetime.combine(day, time()), self.zone)

    def add_business_days(self, at: datetime, days: int) -> datetime:
        """The same time of day so many business days later; in a gap of the clocks, behind it.

        From a day that is none it counts from the beginning of the next one.
        """
        if days == 0:
            return at
        local = at.astimezone(self.zone)
        day, clock = local.date(), local.time()
        if not self.is_business_day(day):
            day, clock = self._next_business_day(day), time()
        for _ in range(days):
            day = self._next_business_day(day)
        return _instant(datetime.combine(day, clock), self.zone)

    def _next_business_day(self, day: date) -> date:
        day += DAY
        while not self.is_business_day(day):
            day += DAY
        return day

    def stretches(self, day: date, opens: int, closes: int) -> Iterator[Stretch]:
        """When the clocks on this day show a time from `opens` to `closes`, in seconds.

        None where the clocks leave it out; two where they show it twice.
        """
        midnight = datetime.combine(day, time())
        shows = (midnight + timedelta(seconds=opens), midnight + timedelta(seconds=closes))
        offsets = {
            wall.replace(tzinfo=self.zone, fold=fold).utcoffset()
            for wall in shows
            for fold in (0, 1)
        }
        for offset in sorted(offset for offset in offsets if offset is not None):
            begin, end = ((wall - offset).replace(tzinfo=UTC) for wall in shows)
            if stretch := self._within(begin, end, offset):
                yield stretch

    def _within(self, begin: datetime, end: datetime, offset: timedelta) -> Stretch | None:
        """The part of a stretch in which the clocks really have this offset."""
        has_begun = self.offset(begin) == offset
        if has_begun and self.offset(end - SECOND) == offset:
            return begin, end
        if not has_begun and self.offset(end - SECOND) != offset:
            return None
        change = self.change(begin, end - SECOND)
        return (begin, change) if has_begun else (change, end)

    def change(self, before: datetime, behind: datetime) -> datetime:
        """The second in between at which the clocks are moved."""
        old = self.offset(before)
        while behind - before > SECOND:
            middle = before + timedelta(seconds=(behind - before) // SECOND // 2)
            if self.offset(middle) == old:
                before = middle
            else:
                behind = middle
        return behind

    def offset(self, at: datetime) -> timedelta:
        """By how much the clocks are ahead of UTC."""
        return at.astimezone(self.zone).utcoffset() or timedelta()


def clock_changes(
    zone: ZoneInfo, begin: datetime, end: datetime
) -> Iterator[tuple[datetime, timedelta]]:
    """When the clocks of a zone are moved between two instants, and by how much."""
    calendar = Calendar(zone=zone)
    at = begin
    while at < end:
        behind = min(at + DAY, end)
        by = calendar.offset(behind) - calendar.offset(at)
        if by:
            yield calendar.change(at, behind), by
        at = behind


# Where nothing is known of the place.
ANYWHERE = Calendar()


def jitter(seed: str, most_seconds: int) -> int:
    """From 0 to `most_seconds`, always the same for the same seed."""
    if most_seconds <= 0:
        return 0
    return int.from_bytes(sha256(seed.encode()).digest()[:8]) % (most_seconds + 1)


def _instant(wall: datetime, zone: ZoneInfo) -> datetime:
    # In a gap the offset before it counts, which leads behind it by the length of the gap.
    return wall.replace(tzinfo=zone).astimezone(UTC)
