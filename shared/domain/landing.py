"""Where waits end in the week: days and hours without a date."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from shared.domain.calendar import SATURDAY
from shared.domain.definition import Delay
from shared.domain.windows import DAY_SECONDS, WEEKDAYS, Closed, Hours, Window

WEEK_SECONDS = 7 * DAY_SECONDS
# From and to, in seconds since Monday's midnight; the end may lie in the week behind.
Span = tuple[int, int]


def why_never_open(delay: Delay, window: Window) -> str | None:
    """Why this wait never ends within the window, wherever in the window it begins."""
    if delay.on_date:
        return None
    if delay.business_days:
        if any(window.hours[:SATURDAY]):
            return None
        return "its business days end from Monday to Friday, when the window is closed"
    wait = int(delay.span.total_seconds())
    opened = list(_spans(window.hours))
    if any(_meet(_moved(span, wait), other) for span in opened for other in opened):
        return None
    return f"{delay.span} after any hour of the window it is closed"


def why_closed_on(day: date, window: Window) -> Closed | None:
    """Why nothing can be sent on this day at all."""
    if day in window.calendar.holidays:
        return Closed.HOLIDAY
    return None if window.hours[day.weekday()] else Closed.WEEKDAY


def have_common_hours(one: Window, other: Window, *, apart: timedelta = timedelta()) -> bool:
    """Whether both are ever open together. `apart`: what the other's clocks show more."""
    moved = [_moved(span, -int(apart.total_seconds())) for span in _spans(other.hours)]
    return any(_meet(span, beside) for span in _spans(one.hours) for beside in moved)


def weekday_of(day: date) -> str:
    return WEEKDAYS[day.weekday()].capitalize()


def _spans(hours: Sequence[Sequence[Hours]]) -> Iterator[Span]:
    for day, ranges in enumerate(hours):
        for opens, closes in ranges:
            yield day * DAY_SECONDS + opens, day * DAY_SECONDS + closes


def _moved(span: Span, seconds: int) -> Span:
    begin = (span[0] + seconds) % WEEK_SECONDS
    return begin, begin + span[1] - span[0]


def _meet(one: Span, other: Span) -> bool:
    """On the circle of a week."""
    return any(
        one[0] < other[1] + turn and other[0] + turn < one[1]
        for turn in (-WEEK_SECONDS, 0, WEEK_SECONDS)
    )
