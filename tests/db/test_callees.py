"""Where a phone number rings: its country, its zones, and what nobody knows."""

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.db.callees import callee_of, calling_hours
from shared.domain.calling import Callee
from shared.domain.windows import JointWindow, Window, read_hours

MONDAY_MORNING = datetime(2026, 11, 23, 10, tzinfo=UTC)


def find(phone: str | None, **lead: Any) -> Callee:
    known = {"zone": None, "country": None, "region": None, "year": 2026}
    return callee_of(phone, **(known | lead))


@pytest.mark.parametrize(
    ("phone", "country", "zones"),
    [("+4930123456", "DE", 1), ("+12125550123", "US", 1), ("+442071838750", "GB", 1)],
)
def test_a_number_says_where_it_rings(phone: str, country: str, zones: int) -> None:
    found = find(phone)

    assert (found.countries, found.trouble) == ((country,), None)
    assert isinstance(found.hours, Window)


def test_a_number_of_a_whole_country_rings_in_all_of_its_zones() -> None:
    hours = find("+18005550123").hours

    assert isinstance(hours, JointWindow)
    assert len(hours.windows) > 10
    # Nine in the morning in New York, and night in Honolulu.
    assert not hours.is_open(datetime(2026, 11, 23, 14, tzinfo=UTC))


def test_a_lead_s_own_zone_counts_where_the_number_may_be_in_it() -> None:
    hours = find("+18005550123", zone="America/New_York").hours

    assert isinstance(hours, Window)
    assert hours.is_open(datetime(2026, 11, 23, 14, tzinfo=UTC))


def test_a_lead_who_is_elsewhere_has_to_be_awake_there_too() -> None:
    hours = find("+4930123456", zone="America/New_York").hours

    assert isinstance(hours, JointWindow)
    assert not hours.is_open(datetime(2026, 11, 23, 9, tzinfo=UTC))
    assert hours.is_open(datetime(2026, 11, 23, 15, tzinfo=UTC))


def test_the_lead_s_country_counts_beside_the_number_s() -> None:
    assert find("+4930123456", country="France").countries == ("DE", "FR")


@pytest.mark.parametrize(
    ("phone", "words"),
    [
        (None, "no phone number"),
        ("", "no phone number"),
        ("+15550100", "no number that exists"),
        ("030 123456", "no number that exists"),
        ("+881612345678", "belongs to no country"),
        ("+19005550123", "premium-rate"),
    ],
)
def test_what_cannot_be_called_says_why_and_shows_no_number(phone: str | None, words: str) -> None:
    found = find(phone)

    assert found.trouble is not None
    assert words in found.trouble
    assert found.hours is None
    if phone:
        assert phone not in found.trouble


def test_nobody_is_called_on_the_holidays_of_their_part_of_the_country() -> None:
    """The sixth of January is one in Bavaria, and none in Berlin."""
    epiphany = datetime(2026, 1, 6, 12, tzinfo=UTC)

    bavaria = find("+4989123456", region="Bavaria").hours
    berlin = find("+4930123456", region="BE").hours
    anywhere = find("+4930123456").hours

    assert bavaria
    assert berlin
    assert anywhere
    assert not bavaria.is_open(epiphany)
    assert berlin.is_open(epiphany)
    # Where the part is not known, it may be the one.
    assert not anywhere.is_open(epiphany)


def test_a_campaign_whose_hours_are_never_right_leaves_none() -> None:
    lead = {"phone": "+4930123456", "time_zone": None, "country": "DE", "region": "BE"}
    at_night = Window(hours=read_hours({"monday": ["00:00-03:00"]}))

    assert calling_hours(lead, MONDAY_MORNING, beside=None)
    assert calling_hours(lead, MONDAY_MORNING, beside=at_night) is None
