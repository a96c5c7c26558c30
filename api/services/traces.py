"""How a person can be recognised in what others wrote: exactly, or however they spelled it."""

import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import phonenumbers

FIELDS = ("email", "phone", "linkedin_url")
NAMES = ("first_name", "last_name", "name")
# What spellings differ by, in cells and between them. Only what is left is compared.
IGNORED = "".join(
    chr(code) for code in range(1, 128) if chr(code) not in string.ascii_letters + string.digits
).replace("@", "")
# Fewer letters would be found in anybody's row.
SHORTEST = 6

_DELETED = b"\x00" + IGNORED.encode()
_SMALL = bytes(range(256)).lower()
_ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "cp1252")


@dataclass(frozen=True, slots=True)
class Traces:
    """`exact`: patterns of Postgres for the addresses. `loose`: letters and digits alone."""

    exact: list[str]
    loose: list[str]

    def searched(self) -> list[bytes]:
        """What `squeezed` leaves of them in a file, whatever its encoding."""
        found = {
            squeezed(spelling.encode(encoding, errors="ignore"))
            for text in self.loose
            for spelling in (text, text.upper(), text.title())
            for encoding in _ENCODINGS
        }
        return [it for it in found if len(it) >= SHORTEST]


def traces_of(*states: Mapping[str, Any]) -> Traces:
    """`states`: the lead's fields, now and before each change."""
    exact: dict[str, None] = {}
    loose: dict[str, None] = {}
    for state in states:
        known = {name: state[name] for name in (*FIELDS, *NAMES) if state.get(name)}
        exact |= dict.fromkeys(_exact(known))
        squeezed_texts = ("".join(it.lower().split()).translate(_TABLE) for it in _loose(known))
        loose |= dict.fromkeys(it for it in squeezed_texts if len(it) >= SHORTEST)
    return Traces(exact=[*exact], loose=[*loose])


def squeezed(content: bytes) -> bytes:
    """Small letters and digits alone. The zeros of UTF-16 go as well, so that ASCII is left."""
    return content.translate(_SMALL, _DELETED)


_TABLE = str.maketrans("", "", IGNORED)


def _exact(known: Mapping[str, str]) -> Iterator[str]:
    """None is found in the middle of somebody else's."""
    if email := known.get("email"):
        yield rf"(?<![\w.+%-]){_literal(email)}(?![\w-]|\.\w)"
    if phone := known.get("phone"):
        yield rf"(?<!\d){_literal(phone)}(?!\d)"
    if profile := known.get("linkedin_url"):
        yield rf"{_literal(_path(profile))}(?![\w-])"


def _loose(known: Mapping[str, str]) -> Iterator[str]:
    if email := known.get("email"):
        yield email
    if profile := known.get("linkedin_url"):
        yield _path(profile)
    if phone := known.get("phone"):
        yield _national(phone)
    first, last = known.get("first_name"), known.get("last_name")
    if first and last:
        yield first + last
        yield last + first
    if (name := known.get("name")) and len(name.split()) > 1:
        yield name


def _national(phone: str) -> str:
    """Without the country's code: many a file has none."""
    try:
        return phonenumbers.national_significant_number(phonenumbers.parse(phone))
    except phonenumbers.NumberParseException:
        return phone


def _path(profile: str) -> str:
    parts = urlsplit(profile)
    return f"linkedin.com{parts.path}"


def _literal(text: str) -> str:
    return re.sub(r"([^\w@])", r"\\\1", text)
