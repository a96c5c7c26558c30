"""Where a phone number rings, asked of the `phonenumbers` and `holidays` libraries and kept."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from holidays import country_holidays, list_supported_countries
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberType
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_number

from shared.db.holidays import holidays_of, place_of
from shared.domain.calendar import Calendar
from shared.domain.calling import Callee, hours_of
from shared.domain.windows import Opening, joined

MOST_KEPT = 20_000
_NOT_DIALLED = {
    PhoneNumberType.PREMIUM_RATE: "is a premium-rate number, which costs whoever calls it",
    PhoneNumberType.SHARED_COST: "is a shared-cost number, not a person's",
    PhoneNumberType.UAN: "is a company's number for everybody, not a person's",
    PhoneNumberType.PAGER: "is a pager",
    PhoneNumberType.VOICEMAIL: "is a voice mailbox",
}


def callee_in(lead: Mapping[str, Any], now: datetime) -> Callee:
    """Of a lead's row."""
    return callee_of(
        lead["phone"],
        zone=lead["time_zone"],
        country=lead["country"],
        region=lead["region"],
        year=now.year,
    )


def calling_hours(
    lead: Mapping[str, Any], now: datetime, *, beside: Opening | None
) -> Opening | None:
    """When a lead may be called. None: never, and the call itself says why.

    `beside`: the campaign's own window, which may leave no time at all.
    """
    hours = callee_in(lead, now).hours
    return hours if _meets(joined(hours, beside), now.year) else None


@lru_cache(maxsize=MOST_KEPT)
def _meets(window: Opening | None, year: int) -> bool:
    """Whether there is any time at all at which it is open."""
    try:
        return window is None or bool(window.first_open(datetime(year, 1, 1, tzinfo=UTC)))
    except ValueError:
        return False


@lru_cache(maxsize=MOST_KEPT)
def callee_of(
    phone: str | None, *, zone: str | None, country: str | None, region: str | None, year: int
) -> Callee:
    """`phone` in E.164; the rest as the lead's row has it. What is not known is no place to call.

    A lead's own zone counts where the number may be in it. Else it has to be a good time in every
    zone of the number, and in the lead's as well.
    """
    if not phone:
        return Callee(trouble="The lead has no phone number")
    number = _parse(phone)
    if number is None:
        return Callee(trouble=f"{_masked(phone)} is no number that exists in its country")
    if reason := _NOT_DIALLED.get(phonenumbers.number_type(number)):
        return Callee(trouble=f"{_masked(phone)} {reason}")
    own = phonenumbers.region_code_for_number(number)
    if own is None or not own.isalpha():
        return Callee(trouble=f"{_masked(phone)} belongs to no country")
    zones = _zones(number, zone)
    if not zones:
        return Callee(
            trouble=f"Nobody knows the time where {_masked(phone)} rings: fill in the lead's"
            " time_zone"
        )
    countries = tuple(dict.fromkeys(filter(None, (own, _country(country)))))
    unknown = next((it for it in countries if not _is_known(it)), None)
    if unknown:
        return Callee(
            trouble=f"The public holidays of {unknown} are not known", countries=countries
        )
    holidays = frozenset[date]().union(*(_holidays(it, region, year) for it in countries))
    hours = hours_of(Calendar(zone=it, holidays=holidays) for it in zones)
    if not _meets(hours, year):
        return Callee(trouble=f"{_masked(phone)} may ring where it is night at any hour")
    return Callee(countries=countries, hours=hours)


def _parse(phone: str) -> PhoneNumber | None:
    try:
        number = phonenumbers.parse(phone)
    except NumberParseException:
        return None
    return number if phonenumbers.is_valid_number(number) else None


def _zones(number: PhoneNumber, lead_zone: str | None) -> list[ZoneInfo]:
    found = [name for name in time_zones_for_number(number) if name != UNKNOWN_TIMEZONE]
    zones = [zone for name in found if (zone := _zone(name))]
    own = _zone(lead_zone) if lead_zone else None
    if own is None:
        return zones
    return [own] if own.key in found else [*zones, own]


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None


def _country(country: str | None) -> str | None:
    place = place_of(country) if country else None
    return place.partition("-")[0] if place else None


def _is_known(country: str) -> bool:
    return country in list_supported_countries()


@lru_cache(maxsize=500)
def _holidays(country: str, region: str | None, year: int) -> frozenset[date]:
    """Those of the part that the lead lives in; of every part where that is not known."""
    part = _part(country, region)
    if part:
        return holidays_of(f"{country}-{part}", year)
    parts = list_supported_countries()[country]
    return frozenset[date]().union(
        holidays_of(country, year), *(holidays_of(f"{country}-{it}", year) for it in parts)
    )


def _part(country: str, region: str | None) -> str | None:
    word = (region or "").strip()
    if word.upper() in list_supported_countries()[country]:
        return word.upper()
    aliases = country_holidays(country).subdivisions_aliases
    return next((it for name, it in aliases.items() if name.casefold() == word.casefold()), None)


def _masked(phone: str) -> str:
    """Reasons are shown and kept, and a number is a person's."""
    return f"{phone[:4]}...{phone[-2:]}"
