"""Headers and bodies as they are, however they were written: reading them never fails."""

import re
from collections.abc import Iterable
from email.errors import HeaderParseError
from email.message import Message
from typing import Any

# What the standard library raises for headers and charsets that nobody should write.
_UNREADABLE = (
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
    UnboundLocalError,
    HeaderParseError,
)
_ID = re.compile(r"<[^<>\s]+>")


def header_of(message: Message, name: str) -> str:
    try:
        return str(message[name] or "").strip()
    except _UNREADABLE:
        return _as_written(message, name)


def ids_of(message: Message, name: str) -> tuple[str, ...]:
    """Not parsed: the library shortens ids that are odd, and they would match no more."""
    return tuple(_ID.findall(_as_written(message, name)))


def body_of(part: Any) -> str:
    try:
        text = str(part.get_content())
    except _UNREADABLE:
        text = (part.get_payload(decode=True) or b"").decode("utf-8", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def first(values: Iterable[str]) -> str | None:
    return next(iter(values), None)


def _as_written(message: Message, name: str) -> str:
    raw = (str(value) for key, value in message.raw_items() if key.lower() == name.lower())
    return " ".join(next(raw, "").encode("ascii", "replace").decode().split())
