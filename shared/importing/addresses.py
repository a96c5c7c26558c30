"""Ways to reach a lead, in the one spelling under which they are stored and suppressed."""

import re
from functools import cache, lru_cache
from urllib.parse import urlsplit

import phonenumbers
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from phonenumbers import NumberParseException, PhoneMetadata

# Addresses about which the library has nothing to add: tests/unit/test_addresses.py proves it.
_PLAIN_EMAIL = re.compile(
    r"(?=.{6,254}\Z)(?=[^@]{1,64}@)[a-z0-9_]+(?:[.+-][a-z0-9_]+)*@"
    r"(?:[a-z0-9]{1,20}(?:-[a-z0-9]{1,20}){0,2}\.){1,4}([a-z]{2,20})",
    re.IGNORECASE | re.ASCII,
)
_SPECIAL = {name.rpartition(".")[2] for name in SPECIAL_USE_DOMAIN_NAMES} | {"test"}
_ORNAMENTS = re.compile(r"[\s().\-/'\u00a0\u2010-\u2015]+")
_DIGITS = re.compile(r"\+?[0-9]{5,15}", re.ASCII)
_INTERNATIONAL = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_PLAIN_PROFILE = re.compile(
    r"https://(?:[a-z]{2,3}\.)?linkedin\.com(/in/[a-z0-9_-]+)/?", re.IGNORECASE | re.ASCII
)


class NoAddress(ValueError):
    """The text is no such address. The message says what would be one."""


def normal_email(value: str) -> str:
    """In small letters, as the standards spell it (RFC 5321, IDNA). Raises NoAddress."""
    plain = _PLAIN_EMAIL.fullmatch(value)
    if plain and plain[1].lower() not in _SPECIAL:
        return value.lower()
    try:
        # `.test` is for installations that send into a sandbox; no such address exists outside.
        found = validate_email(value.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise NoAddress(str(error)) from None
    return found.normalized.lower()


def normal_phone(value: str, *, region: str | None = None) -> str:
    """E.164, a national number by the rules of `region` (ISO 3166, two capitals).

    Without a region and a country code nothing is guessed: the digits stay. Raises NoAddress.
    """
    number = _ORNAMENTS.sub("", value)
    number = f"+{number[2:]}" if number.startswith("00") else number
    if _INTERNATIONAL.fullmatch(number) and _is_plain(number):
        return number
    if number.startswith("+") or region:
        return _parse_phone(value if region and number[:1] != "+" else number, region)
    if not _DIGITS.fullmatch(number):
        raise NoAddress(
            "Use a phone number of 5 to 15 digits, best with its country code: +4930123456"
        )
    return number


def normal_profile(value: str) -> str:
    """One spelling per profile: no tracking, no country's subdomain. Raises NoAddress."""
    if plain := _PLAIN_PROFILE.fullmatch(value):
        return f"https://www.linkedin.com{plain[1].lower()}"
    address = value.strip()
    try:
        parts = urlsplit(address if "//" in address else f"https://{address}")
        host = (parts.hostname or "").lower()
    except ValueError:
        host = ""
    path = parts.path.rstrip("/") if host else ""
    if not (host == "linkedin.com" or host.endswith(".linkedin.com")) or not path:
        raise NoAddress("Use the address of a LinkedIn profile: https://www.linkedin.com/in/name")
    return f"https://www.linkedin.com{path.lower()}"


def _parse_phone(text: str, region: str | None) -> str:
    try:
        found = phonenumbers.parse(text, region)
    except NumberParseException:
        found = None
    if found is None or not phonenumbers.is_possible_number(found):
        raise NoAddress("Use a phone number that exists in its country, such as +49 30 1234567")
    return phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)


def _is_plain(number: str) -> bool:
    """Whether the library would leave these digits as they are.

    It changes a number only where the country's prefix for calls inside it was left in, and
    calls one possible by its length alone.
    """
    for size in (1, 2, 3):
        code, rest = number[1 : 1 + size], number[1 + size :]
        if (rules := _rules_of(code)) is not None:
            prefix, lengths = rules
            return len(rest) in lengths and not (prefix and prefix.match(rest))
    return False


@cache
def _rules_of(code: str) -> tuple[re.Pattern[str] | None, frozenset[int]] | None:
    """What a country's own prefix looks like, and how long its numbers can be."""
    region = phonenumbers.region_code_for_country_code(int(code))
    if region == "ZZ":
        return None
    if region == "001":
        return None, frozenset()
    metadata = PhoneMetadata.metadata_for_region(region)
    if metadata is None or metadata.general_desc is None:
        return None, frozenset()
    prefix = metadata.national_prefix_for_parsing
    return re.compile(prefix) if prefix else None, frozenset(metadata.general_desc.possible_length)


@lru_cache(maxsize=1_000)
def is_region(text: str) -> bool:
    """Whether phone numbers of this country (ISO 3166, two capitals) can be told."""
    return text in phonenumbers.SUPPORTED_REGIONS
