"""Ways to reach a lead, in the one form under which they are stored and suppressed."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints

from api.schemas.fields import storable, wrong

_PHONE_ORNAMENTS = re.compile(r"[\s().\-/\u00a0]+")
_PHONE = re.compile(r"\+?[0-9]{5,15}")


def _normal_phone(value: str) -> str:
    """E.164 where a country code is given: nothing is guessed."""
    number = _PHONE_ORNAMENTS.sub("", value)
    number = f"+{number[2:]}" if number.startswith("00") else number
    if not _PHONE.fullmatch(number):
        raise wrong("Use a phone number of 5 to 15 digits, best with its country code: +4930123456")
    return number


def _normal_profile(value: str) -> str:
    """One spelling per profile: no tracking parameters, no country's subdomain."""
    address = value.strip()
    parts = urlsplit(address if "//" in address else f"https://{address}")
    host = (parts.hostname or "").lower()
    path = parts.path.rstrip("/")
    if not (host == "linkedin.com" or host.endswith(".linkedin.com")) or not path:
        raise wrong("Use the address of a LinkedIn profile: https://www.linkedin.com/in/name")
    return f"https://www.linkedin.com{path.lower()}"


Phone = Annotated[
    str,
    StringConstraints(max_length=60),
    AfterValidator(storable),
    AfterValidator(_normal_phone),
    Field(examples=["+49 30 123456"]),
]
LinkedInUrl = Annotated[
    str,
    StringConstraints(max_length=500),
    AfterValidator(storable),
    AfterValidator(_normal_profile),
    Field(examples=["https://www.linkedin.com/in/ada"]),
]
