"""Whom an AI agent may call, and when: what is not known to be allowed is not."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from shared.domain.calendar import Calendar
from shared.domain.calling import SOURCES, Callee, consents_to_calls, hours_of, why_denied
from shared.domain.windows import Closed, joined

BERLIN, NEW_YORK, LOS_ANGELES = map(
    ZoneInfo, ("Europe/Berlin", "America/New_York", "America/Los_Angeles")
)


def callee(*countries: str) -> Callee:
    return Callee(countries=countries, hours=hours_of([Calendar(zone=BERLIN)]))


@pytest.mark.parametrize(
    ("country", "words"),
    [
        ("US", "TCPA"),
        ("DE", "ePrivacy"),
        ("GB", "regulation 19"),
        ("CA", "CRTC"),
        ("NZ", "we know of no rule there"),
    ],
)
def test_without_consent_nobody_is_called_and_the_reason_names_its_source(
    country: str, words: str
) -> None:
    reason = why_denied(callee(country), consent=None)

    assert reason is not None
    assert words in reason
    assert "consent" in reason
    assert "calls: 2026-03-01" in reason


@pytest.mark.parametrize("country", ["US", "DE", "NZ"])
def test_with_consent_to_calls_everybody_is_called(country: str) -> None:
    assert why_denied(callee(country), consent="calls: 2026-03-01, web form") is None


def test_a_company_may_know_better_where_we_know_nothing() -> None:
    assert why_denied(callee("NZ"), consent=None, exempt=["NZ"]) is None


def test_a_law_that_we_know_stays() -> None:
    assert why_denied(callee("US"), consent=None, exempt=["US"]) is not None
    assert {"US", "CA", "GB", "DE", "FR"} <= SOURCES.keys()


def test_the_number_s_country_and_the_lead_s_both_count() -> None:
    assert why_denied(callee("NZ", "DE"), consent=None, exempt=["NZ"]) is not None


def test_what_is_wrong_with_a_number_outranks_consent() -> None:
    broken = Callee(trouble="The lead has no phone number")

    assert why_denied(broken, consent="yes") == "The lead has no phone number"


@pytest.mark.parametrize(
    "consent",
    [
        "yes",
        "calls: 2026-03-01, web form",
        "Phone and e-mail, at the fair",
        "telefonische Kontaktaufnahme, Anruf erwünscht",
        "TCPA consent 2026-01-02",
        "true",
    ],
)
def test_words_that_welcome_calls(consent: str) -> None:
    assert consents_to_calls(consent)


@pytest.mark.parametrize(
    "consent",
    [
        None,
        "",
        "  ",
        "-",
        "n/a",
        "no",
        "newsletter 2026-01-02",
        "legitimate interest",
        "calls: no",
        "no calls please",
        "phone withdrawn 2026-02-03",
        "opted out of calls",
        "kein Anruf",
        "unknown",
        "pending phone confirmation",
    ],
)
def test_words_that_do_not(consent: str | None) -> None:
    assert not consents_to_calls(consent)


@pytest.mark.parametrize(
    ("hour", "is_open"), [(6, False), (7, True), (19, True), (20, False)], ids=str
)
def test_hours_are_the_callee_s(hour: int, is_open: bool) -> None:
    """Eight to nine in the evening, which in winter is an hour behind UTC in Berlin."""
    hours = hours_of([Calendar(zone=BERLIN)])
    assert hours is not None

    assert hours.is_open(datetime(2026, 11, 21, hour, 30, tzinfo=UTC)) is is_open


def test_where_somebody_may_be_in_several_zones_all_have_to_be_awake() -> None:
    hours = hours_of([Calendar(zone=NEW_YORK), Calendar(zone=LOS_ANGELES)])
    assert hours is not None

    first = hours.first_open(datetime(2026, 11, 23, 12, tzinfo=UTC))

    assert first == datetime(2026, 11, 23, 8, tzinfo=LOS_ANGELES)
    assert not hours.is_open(datetime(2026, 11, 23, 21, tzinfo=NEW_YORK))


def test_nobody_is_called_on_a_holiday() -> None:
    holiday = date(2026, 12, 25)
    hours = hours_of([Calendar(zone=BERLIN, holidays=frozenset({holiday}))])
    assert hours is not None

    assert hours.why_closed(datetime(2026, 12, 25, 12, tzinfo=UTC)) is Closed.HOLIDAY
    after = hours.first_open(datetime(2026, 12, 25, 12, tzinfo=UTC))
    assert after == datetime(2026, 12, 26, 8, tzinfo=BERLIN)


def test_zones_that_never_wake_together_are_found_out() -> None:
    """As for a number that may ring on either side of the world."""
    zones = [ZoneInfo(name) for name in ("Asia/Tokyo", "Europe/London", "America/New_York")]
    hours = hours_of(Calendar(zone=zone) for zone in zones)
    assert hours is not None

    with pytest.raises(ValueError, match="never open together"):
        hours.first_open(datetime(2026, 11, 23, tzinfo=UTC))


def test_one_window_needs_no_joining() -> None:
    [window] = [hours_of([Calendar(zone=BERLIN)])]

    assert joined(None, window) is window
    assert joined(None) is None
