"""Public holidays of a country or a part of one, asked of the `holidays` library and kept."""

from datetime import date
from functools import lru_cache

from holidays import country_holidays, list_supported_countries
from holidays.registry import COUNTRIES

# A plan looks at most so many years ahead; behind that nothing counts as a holiday.
YEARS_AHEAD = 3


@lru_cache(maxsize=2_000)
def holidays_of(place: str, year: int) -> frozenset[date]:
    """The dates from the year before until `YEARS_AHEAD`; none for a place that nobody knows.

    `place`: an ISO 3166 code, of a part as well: `DE`, `DE-BY`, `US-CA`.
    """
    if not is_place(place):
        return frozenset()
    country, _, part = place.partition("-")
    years = range(year - 1, year + YEARS_AHEAD + 1)
    # Days that are moved to a working day are listed with the day that they fall on.
    return frozenset(country_holidays(country, subdiv=part or None, years=years))


def is_place(place: str) -> bool:
    country, has_part, part = place.partition("-")
    parts = _supported().get(country)
    return parts is not None and (part in parts if has_part else True)


@lru_cache(maxsize=2_000)
def place_of(country: str) -> str | None:
    """`DE` of `de` or `Germany`; None where nothing is sure."""
    word = country.strip()
    if is_place(word.upper()):
        return word.upper()
    return _codes().get(word.casefold().replace(" ", "_"))


@lru_cache(maxsize=1)
def _supported() -> dict[str, list[str]]:
    return list_supported_countries()


@lru_cache(maxsize=1)
def _codes() -> dict[str, str]:
    return {name: codes[1] for name, codes in COUNTRIES.items()}
