"""Where a lead is and when it may be reached there, from the columns of a campaign and a lead."""

import json
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Row

from shared.db.holidays import holidays_of, place_of
from shared.domain.calendar import ANYWHERE, Calendar
from shared.domain.windows import Window, read_hours

# Of a campaign `c` and a lead `l`; the window as text, so that each is read once per process.
PLACE_COLUMNS = """cast(c."window" as text) as sending_window, c.start_at,
       coalesce(c.time_zone, (select co.time_zone from companies co)) as own_zone,
       l.time_zone as lead_zone, l.country as lead_country"""
MOST_KEPT = 20_000


def calendar_of(row: Row[Any], now: datetime) -> Calendar:
    """`row` has `PLACE_COLUMNS`."""
    window = window_of(row, now)
    return window.calendar if window else _calendar(row.lead_zone or row.own_zone, None, now.year)


def window_of(row: Row[Any], now: datetime) -> Window | None:
    """None: any time is right."""
    if row.sending_window is None:
        return None
    return _window(row.sending_window, row.lead_zone, row.own_zone, row.lead_country, now.year)


@lru_cache(maxsize=MOST_KEPT)
def _window(
    words: str, lead_zone: str | None, own_zone: str | None, lead_country: str | None, year: int
) -> Window:
    """`words`: the JSON that `api.schemas.pacing` has checked."""
    wanted = json.loads(words)
    zone = lead_zone if wanted.get("in_lead_zone", True) else None
    place = wanted.get("holidays")
    if place == "lead":
        place = place_of(lead_country) if lead_country else None
    return Window(
        hours=read_hours(wanted["days"]),
        calendar=_calendar(zone or own_zone, place, year),
        spread_seconds=60 * wanted.get("spread_minutes", 0),
    )


@lru_cache(maxsize=MOST_KEPT)
def _calendar(zone: str | None, place: str | None, year: int) -> Calendar:
    holidays = holidays_of(place, year) if place else frozenset()
    return Calendar(zone=_zone(zone), holidays=holidays)


def _zone(name: str | None) -> ZoneInfo:
    try:
        return ZoneInfo(name) if name else ANYWHERE.zone
    except (ZoneInfoNotFoundError, ValueError):
        # A lead's zone may come from a file that nobody has checked.
        return ANYWHERE.zone
