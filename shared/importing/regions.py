"""Countries by the names that people write, for telephone numbers without a country code."""

from functools import cache
from importlib.resources import files

from shared.importing.addresses import is_region
from shared.importing.headers import plain

_ALSO = {"uk": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "usa": "US", "uae": "AE"}
_ALSO |= {"holland": "NL", "brd": "DE", "america": "US", "korea": "KR", "czechrepublic": "CZ"}


def region_of(country: str) -> str | None:
    """`DE` of `Germany`, `Deutschland`, `de` or `Allemagne`; None where nothing is sure."""
    code = country.strip().upper()
    return code if is_region(code) else _names().get(plain(country))


def region_of_zone(time_zone: str) -> str | None:
    """The country that a time zone is named in: `DE` of `Europe/Berlin`."""
    return _zones().get(time_zone)


@cache
def _names() -> dict[str, str]:
    from phonenumbers.geodata.locale import LOCALE_DATA  # noqa: PLC0415 - takes most of a second

    known = {
        plain(name): region for region, names in LOCALE_DATA.items() for name in names.values()
    }
    return {name: region for name, region in (known | _ALSO).items() if is_region(region)}


@cache
def _zones() -> dict[str, str]:
    table = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return {zone: code for code, _, zone, *_ in rows}
