"""Files of suppressions, as other systems and our own export write them."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from api.services.suppression_values import normal_value
from shared.errors import Invalid
from shared.importing.addresses import NoAddress
from shared.suppression import SuppressionKind, SuppressionReason

MOST_ROWS = 50_000
# csv's own limit belongs to the whole process, and imports of leads raise it.
LONGEST_CELL = 10_000
COLUMNS = ("kind", "value", "reason", "source", "created_at")
# Spreadsheets would run such a cell as a formula; a quotation mark before it is not shown.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
_KINDS = {
    "email": SuppressionKind.EMAIL,
    "emailaddress": SuppressionKind.EMAIL,
    "mail": SuppressionKind.EMAIL,
    "domain": SuppressionKind.DOMAIN,
    "phone": SuppressionKind.PHONE,
    "phonenumber": SuppressionKind.PHONE,
    "linkedin": SuppressionKind.LINKEDIN,
    "linkedinurl": SuppressionKind.LINKEDIN,
    "profile": SuppressionKind.LINKEDIN,
}
_VALUES = {"value", "address", "entry"}
_GIVEN = frozenset(SuppressionReason) - {SuppressionReason.ERASED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    kind: SuppressionKind
    value: str
    reason: SuppressionReason


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRow:
    """`row`: as spreadsheets count, the header is row 1."""

    row: int
    value: str
    reason: str


def read_suppressions(content: bytes) -> tuple[list[Wanted], list[RefusedRow]]:
    """CSV with a header (`email`, or `kind` and `value`; `reason` if wanted), or a bare list.

    Raises Invalid for what is no such file as a whole.
    """
    wanted: list[Wanted] = []
    refused: list[RefusedRow] = []
    header: list[str] | None = None
    for number, cells in enumerate(_rows(content), start=1):
        if number > MOST_ROWS + 1:
            raise Invalid(f"Use files of at most {MOST_ROWS:,} rows", field="file")
        if not any(cells):
            continue
        if header is None:
            header = _header(cells)
            if header:
                continue
        value = cells[0]
        try:
            value, kind, reason = _pick(dict(zip(header, cells, strict=False)), cells[0])
            wanted.append(Wanted(kind=kind, value=normal_value(kind, value), reason=reason))
        except NoAddress as error:
            refused.append(RefusedRow(row=number, value=value[:300], reason=str(error)))
    if header is None:
        raise Invalid(
            "The file is empty: give a column `email`, or `kind` and `value`", field="file"
        )
    return wanted, refused


def line(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([f"'{c}" if c.startswith(FORMULA) else c for c in cells])
    return out.getvalue()


def _rows(content: bytes) -> Iterator[list[str]]:
    text = _decode(content)
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if any(len(cell) > LONGEST_CELL for cell in cells):
                raise Invalid("A cell is too long: is a quotation mark open?", field="file")
            yield [_plain(cell) for cell in cells]
    except csv.Error as error:
        raise Invalid(f"The file cannot be read as CSV: {error}", field="file") from None


def _decode(content: bytes) -> str:
    encoding = "utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        # What spreadsheets write where they do not write Unicode; addresses are ASCII mostly.
        return content.decode("cp1252", "replace")


def _plain(cell: str) -> str:
    cell = cell.strip()
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell


def _header(cells: Sequence[str]) -> list[str]:
    """The columns' names without ornaments; empty when the first row is already an entry."""
    names = ["".join(filter(str.isalnum, cell.lower())) for cell in cells]
    return names if {*names} & {*_KINDS, *_VALUES} else []


def _pick(row: dict[str, str], first: str) -> tuple[str, SuppressionKind, SuppressionReason]:
    """Raises NoAddress."""
    reason = row.get("reason", "").lower() or SuppressionReason.MANUAL
    if reason not in _GIVEN:
        raise NoAddress(f"Use one of these reasons, or none: {', '.join(sorted(_GIVEN))}")
    value = next((row[name] for name in _VALUES if row.get(name)), "")
    named = next(((row[name], kind) for name, kind in _KINDS.items() if row.get(name)), None)
    if not value and named:
        return *named, SuppressionReason(reason)
    value = value if row else first
    if not value:
        raise NoAddress("Give an address, a domain, a phone number or a profile")
    wish = row.get("kind", "").lower()
    if wish and wish not in _KINDS:
        raise NoAddress(f"Use one of these kinds: {', '.join(SuppressionKind)}")
    return value, _KINDS[wish] if wish else _guess(value), SuppressionReason(reason)


def _guess(value: str) -> SuppressionKind:
    if "linkedin.com/" in value.lower():
        return SuppressionKind.LINKEDIN
    if "@" in value[1:]:
        return SuppressionKind.EMAIL
    has_letters = any(character.isalpha() for character in value)
    return SuppressionKind.DOMAIN if has_letters else SuppressionKind.PHONE
