"""Records of a file as rows of leads, ready for COPY, or as refusals."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from shared.importing import values
from shared.importing.addresses import normal_email, normal_phone, normal_profile
from shared.importing.headers import CUSTOM
from shared.importing.records import Record
from shared.importing.regions import region_of
from shared.importing.values import Unreadable
from shared.suppression import Marks, lead_keys

Read = Callable[[str], Any]

TEXTS = """first_name last_name name title role seniority company_name company_website industry
city region country language source"""
READERS: dict[str, Read] = {
    "email": values.address(normal_email),
    "linkedin_url": values.address(normal_profile),
    "phone": values.text,
    **dict.fromkeys(TEXTS.split(), values.text),
    "consent": values.words,
    "time_zone": values.time_zone,
    "fit_score": partial(values.whole, most=100),
    "budget_min": values.amount,
    "budget_max": values.amount,
    "beds": partial(values.whole, most=1_000),
    "areas": values.areas,
    "location_moves": values.moves,
    "job_changes": values.moves,
    "status": values.status,
}
LISTS = ("areas", "location_moves", "job_changes")
# Once they are there, no file changes them.
KEPT = ("status", "consent")
# The order of a row's cells in COPY.
COLUMNS = (*READERS, "custom")
EXTRA = ("batch", "kind", "number", "email_keys", "phone_keys", "linkedin_keys")
_SLOTS = {name: number for number, name in enumerate(COLUMNS)}
_EMAIL, _LINKEDIN, _PHONE = _SLOTS["email"], _SLOTS["linkedin_url"], _SLOTS["phone"]
_COUNTRY, _CUSTOM = _SLOTS["country"], _SLOTS["custom"]
_BUDGET_MIN, _BUDGET_MAX = _SLOTS["budget_min"], _SLOTS["budget_max"]
_NAMES = tuple(_SLOTS[name] for name in ("name", "last_name", "first_name"))
_LIST_SLOTS = {_SLOTS[name] for name in LISTS}
_KEPT_SLOTS = {_SLOTS[name] for name in KEPT}
_JSON_SLOTS = {_SLOTS["location_moves"], _SLOTS["job_changes"], _CUSTOM}
_AREAS = _SLOTS["areas"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    number: int
    reason: str
    cells: list[str]


@dataclass(slots=True, kw_only=True)
class Chunk:
    """`copy`: lines for COPY; `doubled`: rows that went into an earlier one of this chunk.

    `batches`: the kinds of rows in each, of `Placed`.
    """

    copy: bytes = b""
    batches: list[str] = field(default_factory=list)
    rows: int = 0
    doubled: int = 0
    refusals: list[Refusal] = field(default_factory=list)


class RowReader:
    """Reads records by a mapping of headers to fields. `region`: of national phone numbers."""

    def __init__(
        self,
        headers: Sequence[str],
        mapping: Mapping[str, str],
        *,
        marks: Marks,
        region: str | None = None,
        keeps_unmapped: bool = True,
    ) -> None:
        self._headers, self._region, self._marks = list(headers), region, marks
        self._plan: list[tuple[int, int, Read]] = []
        self._custom: list[tuple[int, str]] = []
        self._budget: int | None = None
        self._phone: int | None = None
        for index, header in enumerate(headers):
            name = mapping.get(header, CUSTOM if keeps_unmapped else "")
            if name == CUSTOM:
                self._custom.append((index, header))
            elif name == "budget":
                self._budget = index
            elif name == "phone":
                self._phone = index
            elif name:
                self._plan.append((index, _SLOTS[name], READERS[name]))

    def read_chunk(self, records: Iterable[tuple[int, Record]]) -> Chunk:
        """Rows with their numbers; blank ones count for nothing."""
        chunk, merging = Chunk(), _Merging()
        for number, record in records:
            if not any(record.cells) or not any(
                not cell.isspace() for cell in record.cells if cell
            ):
                continue
            chunk.rows += 1
            try:
                merging.add(number, self._read(record))
            except Unreadable as error:
                cells = [_storable(cell) for cell in record.cells[: len(self._headers) + 1]]
                chunk.refusals.append(Refusal(number=number, reason=str(error), cells=cells))
        chunk.doubled, chunk.batches = merging.doubled, merging.kinds()
        chunk.copy = "".join(map(self._line, merging.placed)).encode()
        return chunk

    def _read(self, record: Record) -> list[Any]:
        cells = record.cells
        if record.problem:
            raise Unreadable(f"The row {record.problem}")
        if len(cells) != len(self._headers):
            cells = self._fitted(cells)
        row: list[Any] = [None] * len(COLUMNS)
        index = 0
        try:
            for index, slot, read in self._plan:
                cell = cells[index]
                if cell and not (len(cell) < 8 and values.is_nothing(cell)) and not cell.isspace():
                    row[slot] = read(cell)
            if self._phone is not None:
                index = self._phone
                row[_PHONE] = self._read_phone(cells[index], row[_COUNTRY])
            if self._budget is not None:
                index = self._budget
                self._read_budget(cells[index], row)
            if self._custom:
                kept = {}
                for index, header in self._custom:
                    if cells[index] and not cells[index].isspace():
                        kept[header] = values.custom(cells[index])
                row[_CUSTOM] = kept or None
        except Unreadable as error:
            raise Unreadable(f"{self._headers[index]} {error}") from None
        self._check(row)
        return row

    def _fitted(self, cells: list[str]) -> list[str]:
        """Spreadsheets leave out empty cells at the end, or add some."""
        width = len(self._headers)
        if any(not values.is_nothing(cell) for cell in cells[width:]):
            raise Unreadable(f"The row has {len(cells)} cells, the header has {width}")
        return cells[:width] + [""] * (width - len(cells))

    def _read_phone(self, cell: str, country: str | None) -> str | None:
        if values.is_nothing(cell):
            return None
        region = (region_of(country) if country else None) or self._region
        found: str = values.address(partial(normal_phone, region=region))(cell)
        return found

    @staticmethod
    def _read_budget(cell: str, row: list[Any]) -> None:
        if values.is_nothing(cell):
            return
        low, high = values.amounts(cell)
        if row[_BUDGET_MIN] is None:
            row[_BUDGET_MIN] = low
        if row[_BUDGET_MAX] is None:
            row[_BUDGET_MAX] = high

    @staticmethod
    def _check(row: list[Any]) -> None:
        if not (row[_EMAIL] or row[_LINKEDIN] or row[_PHONE] or any(row[i] for i in _NAMES)):
            raise Unreadable(
                "The row names nobody: it needs an email address, a LinkedIn profile,"
                " a phone number or a name"
            )
        low, high = row[_BUDGET_MIN], row[_BUDGET_MAX]
        if low is not None and high is not None and low > high:
            raise Unreadable("The row has a smallest budget above the largest one")

    def _line(self, placed: "Placed") -> str:
        row = placed.row
        email, phone, linkedin = row[_EMAIL], row[_PHONE], row[_LINKEDIN]
        keys = lead_keys(self._marks, email=email, phone=phone, linkedin_url=linkedin)
        emails = 2 if email else 0
        phones = emails + (1 if phone else 0)
        parts = [_cell(slot, value) for slot, value in enumerate(row)]
        parts += (str(placed.batch), placed.kind, str(placed.number))
        parts += (_keys(keys[:emails]), _keys(keys[emails:phones]), _keys(keys[phones:]))
        return "\t".join(parts) + "\n"


@dataclass(slots=True)
class Placed:
    """`kind`: by what the row is known: e(mail), l(inkedin), p(hone), or n(othing)."""

    row: list[Any]
    batch: int
    kind: str
    number: int


class _Merging:
    """Rows of one key become one, later values first.

    A row without an address that refers to an earlier row by its profile or phone number opens
    a new batch, and batches go into the table one after the other. Inside a batch those that are
    known by their phone number alone go first, then profiles, then addresses.
    """

    def __init__(self) -> None:
        self.batch = self.doubled = 0
        self.placed: list[Placed] = []
        self._by_key: dict[str, Placed] = {}
        self._mentioned: set[str] = set()

    def add(self, number: int, row: list[Any]) -> None:
        kind, key = _key(row)
        if key in self._mentioned:
            self.batch += 1
            self._by_key.clear()
            self._mentioned.clear()
        earlier = self._by_key.get(key) if key else None
        if earlier:
            _merge(earlier.row, row)
            self.doubled += 1
        else:
            placed = Placed(row, self.batch, kind, number)
            self.placed.append(placed)
            if key:
                self._by_key[key] = placed
        if kind == "e" and row[_LINKEDIN]:
            self._mentioned.add(row[_LINKEDIN])
        if kind in "el" and row[_PHONE]:
            self._mentioned.add(row[_PHONE])

    def kinds(self) -> list[str]:
        """Which kinds of rows each batch has."""
        found: list[set[str]] = [set() for _ in range(self.batch + 1)]
        for placed in self.placed:
            found[placed.batch].add(placed.kind)
        return ["".join(sorted(kinds)) for kinds in found]


def _key(row: list[Any]) -> tuple[str, str]:
    if row[_EMAIL]:
        return "e", row[_EMAIL]
    if row[_LINKEDIN]:
        return "l", row[_LINKEDIN]
    return ("p", row[_PHONE]) if row[_PHONE] else ("n", "")


def _merge(earlier: list[Any], later: list[Any]) -> None:
    """Later values win unless empty, lists are united, status and consent stay."""
    for slot, value in enumerate(later):
        if value is None:
            continue
        if earlier[slot] is None:
            earlier[slot] = value
        elif slot in _LIST_SLOTS:
            earlier[slot] += [entry for entry in value if entry not in earlier[slot]]
        elif slot == _CUSTOM:
            earlier[slot] = earlier[slot] | value
        elif slot not in _KEPT_SLOTS:
            earlier[slot] = value


def _cell(slot: int, value: Any) -> str:
    """In COPY's text format."""
    if value is None:
        return "\\N"
    if slot in _JSON_SLOTS:
        value = json.dumps(value, ensure_ascii=False)
    elif slot == _AREAS:
        value = "{" + ",".join(map(_quoted, value)) + "}"
    words = str(value)
    return words.replace("\\", "\\\\") if "\\" in words else words


def _quoted(entry: str) -> str:
    escaped = entry.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _keys(keys: list[bytes]) -> str:
    """A bytea[]; the backslashes of its text are doubled for the array and again for COPY."""
    return "{" + ",".join(f'"\\\\\\\\x{key.hex()}"' for key in keys) + "}"


def _storable(cell: str) -> str:
    """As it stood in the file, as far as Postgres can keep it."""
    cut = cell[:2_000].replace("\x00", "\u2400")
    return cut.encode("utf-8", "replace").decode()
