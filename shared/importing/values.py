"""Cells of a file as the values of a lead. What cannot be read is refused, with the reason."""

import json
import re
from collections.abc import Callable
from typing import Any
from zoneinfo import available_timezones

from shared.domain.leads import LeadStatus
from shared.importing.addresses import NoAddress

LONGEST_TEXT, LONGEST_WORDS, LONGEST_CUSTOM = 300, 2_000, 10_000
MOST_ENTRIES = 100
LARGEST_AMOUNT = 10**15
# What people write where they have nothing to say.
_NOTHING = {
    "-",
    "--",
    "n/a",
    "na",
    "#n/a",
    "null",
    "none",
    "nil",
    "k.a.",
    "k. a.",
    "\u2014",
    "\u2013",
}
_AMOUNT = re.compile(
    r"[^\d,.+-]*(?P<digits>\d[\d.,'\s\u00a0\u202f]*)\s*(?P<unit>k|tsd\.?|mio\.?|m|mm|million(?:en|s)?|bn|mrd\.?)?"
    r"\s*[^\d]*",
    re.IGNORECASE,
)
_UNITS = {"k": 3, "tsd": 3, "m": 6, "mm": 6, "mio": 6, "bn": 9, "mrd": 9}
_ARROW = re.compile(r"\s*(?:->|=>|→|➔|»)\s*")
_DATED = re.compile(r"^(?P<text>.*?)[\s,(\[]*\(?(?P<at>\d{4}(?:-\d{1,2}(?:-\d{1,2})?)?)\)?\]?$")
_BETWEEN_ENTRIES = re.compile(r"\s*[;|\n]\s*")


class Unreadable(ValueError):
    """The cell is no such value. The message names what would be one, never what stood there."""


def is_nothing(cell: str) -> bool:
    return not cell or cell.isspace() or cell.strip().lower() in _NOTHING


def text(cell: str, *, longest: int = LONGEST_TEXT) -> str:
    """One line without control characters; line breaks become spaces."""
    if not cell.isprintable() or cell[0] == " " or cell[-1] == " ":
        cell = clean(cell)
        cell = " ".join(cell.split())
    if len(cell) > longest:
        raise Unreadable(f"is longer than {longest:,} characters")
    return cell


def clean(cell: str) -> str:
    """Refuse what cannot be stored, drop what cannot be seen."""
    if "\x00" in cell:
        raise Unreadable("holds the character NUL, as a file does that is no plain CSV")
    try:
        cell.encode()
    except UnicodeEncodeError:
        raise Unreadable("has bytes that are no text in the encoding of the file") from None
    return "".join(c for c in cell if c in "\n\t" or (ord(c) >= 32 and ord(c) != 127))


def words(cell: str) -> str:
    return text(cell, longest=LONGEST_WORDS)


def custom(cell: str) -> str:
    cleaned = cell if cell.isprintable() else clean(cell)
    if len(cleaned) > LONGEST_CUSTOM:
        raise Unreadable(f"is longer than {LONGEST_CUSTOM:,} characters")
    return cleaned.strip()


def address(normal: Callable[[str], str]) -> Callable[[str], str]:
    """An address in its one spelling."""

    def read(cell: str) -> str:
        try:
            return normal(text(cell, longest=500))
        except NoAddress as error:
            # The library's first sentence may quote the address; reasons are kept for long.
            raise Unreadable(f"is no such address: {_unquoted(str(error))}") from None

    return read


def whole(cell: str, *, least: int = 0, most: int = LARGEST_AMOUNT) -> int:
    """A whole number; `85 %` and `85.0` are 85."""
    number = amount(cell.strip().removesuffix("%"))
    if not least <= number <= most:
        raise Unreadable(f"is not between {least:,} and {most:,}")
    return number


def amount(cell: str) -> int:
    """Whole units of money: `€ 1.250.000`, `1,250,000.00`, `1.2m`, `500 Tsd.`"""
    found = _AMOUNT.fullmatch(cell.strip())
    if found is None:
        raise Unreadable("is no number, such as 250000 or 250,000")
    unit = (found["unit"] or "").lower().rstrip(".")
    exponent = 6 if unit.startswith("million") else _UNITS.get(unit, 0)
    number = _decimal(re.sub(r"[\s'\u00a0\u202f]", "", found["digits"]), has_unit=bool(exponent))
    value: int = round(number * 10**exponent)
    if value > LARGEST_AMOUNT:
        raise Unreadable(f"is more than {LARGEST_AMOUNT:,}")
    return value


def amounts(cell: str) -> tuple[int | None, int | None]:
    """At least and at most: `300k - 500k`; one amount alone is the most."""
    low, dash, high = re.sub(r"\s+(?:to|bis|à|a|until)\s+|[\u2013\u2014]", "-", cell).partition("-")
    if not dash or not low.strip():
        return None, amount(cell.strip().lstrip("-<≤ "))
    top = amount(high)
    bottom = amount(low)
    # `300-500k` means thousands twice.
    if bottom < 1_000 <= top and not re.search(r"[a-z]", low, re.IGNORECASE):
        bottom *= 1_000 if top < 10**6 else 10**6 if bottom < 100 else 1_000
    return bottom, top


def areas(cell: str) -> list[str]:
    """Names with semicolons, bars, line breaks or else commas between, or a JSON list."""
    parsed = _json(cell)
    if isinstance(parsed, list):
        parts = [str(part) for part in parsed]
    else:
        parts = _BETWEEN_ENTRIES.split(cell)
        parts = cell.split(",") if len(parts) == 1 else parts
    found = [text(part.strip()) for part in parts if not is_nothing(part)]
    return _limited(list(dict.fromkeys(found)))


def moves(cell: str) -> list[dict[str, Any]]:
    """`Berlin -> Munich (2025-03); Munich -> Paris`, or JSON, as `{from, to, at}` each."""
    parsed = _json(cell)
    if isinstance(parsed, dict):
        parsed = [parsed]
    if isinstance(parsed, list):
        if not all(isinstance(entry, dict) for entry in parsed):
            raise Unreadable('is no list of changes, such as [{"from": "Berlin", "to": "Munich"}]')
        clean(json.dumps(parsed, ensure_ascii=False).replace("\\u0000", "\x00"))
        return _limited(parsed)
    entries = [entry for entry in _BETWEEN_ENTRIES.split(cell) if not is_nothing(entry)]
    return _limited([_move(text(entry.strip())) for entry in entries])


def status(cell: str) -> str:
    try:
        return LeadStatus("_".join(re.split(r"[\s_-]+", cell.strip().lower()))).value
    except ValueError:
        raise Unreadable(f"is none of {', '.join(LeadStatus)}") from None


def time_zone(cell: str) -> str:
    name = text(cell)
    if name not in _ZONES:
        raise Unreadable("is no IANA time zone such as Europe/Paris")
    return name


_ZONES = available_timezones()


def _move(entry: str) -> dict[str, Any]:
    move: dict[str, Any] = {}
    if dated := _DATED.fullmatch(entry):
        entry, move["at"] = dated["text"].strip(" ,:"), dated["at"]
    before, *after = _ARROW.split(entry)
    if len(after) > 1:
        raise Unreadable("has two arrows in one change: put a semicolon between two changes")
    if after and before:
        return {"from": before, "to": after[0], **move}
    return {"to": after[0] if after else entry, **move}


def _decimal(digits: str, *, has_unit: bool) -> float:
    """Which of dot and comma groups thousands, and which one begins the decimals."""
    digits = digits.rstrip(".,")
    marks = [c for c in digits if c in ".,"]
    if not marks:
        return int(digits)
    last = marks[-1]
    *_, tail = digits.split(last)
    is_grouping = marks.count(last) > 1 or (
        len(set(marks)) == 1 and len(tail) == 3 and not has_unit
    )
    if is_grouping:
        return int(digits.replace(",", "").replace(".", ""))
    other = "," if last == "." else "."
    return float(digits.replace(other, "").replace(last, "."))


def _json(cell: str) -> Any:
    if cell.lstrip()[:1] not in ("[", "{"):
        return None
    try:
        return json.loads(cell)
    except ValueError:
        raise Unreadable("begins like JSON and is none") from None


def _limited(entries: list[Any]) -> list[Any]:
    if len(entries) > MOST_ENTRIES:
        raise Unreadable(f"has more than {MOST_ENTRIES} entries")
    return entries


def _unquoted(message: str) -> str:
    """Without what was in the cell, which the message may repeat at its end."""
    quoted = r"'[^']*'|\"[^\"]*\""
    message = re.sub(rf":\s*(?:{quoted})(?:,\s*(?:{quoted}))*(?=\.?$)", "", message)
    return re.sub(quoted, "…", message)
