"""What the library knows of holidays, and what a lead's own words for its country mean."""

from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from shared.db.holidays import holidays_of, is_place, place_of
from shared.db.repositories.places import calendar_of, window_of

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_holidays_are_those_of_the_country_or_of_a_part() -> None:
    epiphany = date(2027, 1, 6)

    assert date(2026, 12, 25) in holidays_of("DE", 2026)
    assert epiphany not in holidays_of("DE", 2026)
    assert epiphany in holidays_of("DE-BY", 2026)
    assert holidays_of("XX", 2026) == frozenset()


@pytest.mark.parametrize(
    ("word", "place"),
    [
        ("de", "DE"),
        ("Germany", "DE"),
        (" united states ", "US"),
        ("us-ca", "US-CA"),
        ("Nowhere", None),
    ],
)
def test_a_country_is_known_by_its_code_or_its_name(word: str, place: str | None) -> None:
    assert place_of(word) == place


def test_a_part_belongs_to_its_country() -> None:
    assert is_place("DE-BY")
    assert not is_place("FR-BY")
    assert not is_place("DE-")


def lead(**values: Any) -> Any:
    known = {"sending_window": None, "lead_zone": None, "own_zone": None, "lead_country": None}
    return SimpleNamespace(**known | values)


@pytest.mark.parametrize(
    ("row", "zone"),
    [
        pytest.param(lead(lead_zone="Asia/Tokyo", own_zone="UTC"), "Asia/Tokyo", id="the lead's"),
        pytest.param(lead(own_zone="Europe/Paris"), "Europe/Paris", id="the company's"),
        pytest.param(lead(lead_zone="Mars/Base"), "UTC", id="nobody has checked it"),
        pytest.param(lead(lead_zone="../etc/passwd"), "UTC", id="nor this"),
        pytest.param(lead(), "UTC", id="nothing is known"),
    ],
)
def test_a_calendar_is_where_the_lead_is(row: Any, zone: str) -> None:
    assert calendar_of(row, NOW).zone.key == zone
    assert window_of(row, NOW) is None


def test_a_campaign_may_keep_to_its_own_zone() -> None:
    words = '{"days": {"monday": ["09:00-17:00"]}, "in_lead_zone": false, "holidays": "lead"}'
    row = lead(sending_window=words, lead_zone="Asia/Tokyo", own_zone="Europe/Paris")

    window = window_of(row, NOW)

    assert window is not None
    assert window.calendar.zone.key == "Europe/Paris"
    assert window.calendar.holidays == frozenset()
