"""How a file is written: encoding, delimiter, header. Nothing is taken from its name."""

import codecs
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass

from charset_normalizer import from_bytes

from shared.errors import DrumbeatError
from shared.importing.headers import propose, unique
from shared.importing.records import FileForm, Record, read_records, split_lines

SAMPLE_BYTES = 256 * 1024
SAMPLE_RECORDS = 60
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What spreadsheets write where they do not write Unicode, the most usual first.
_CODE_PAGES = ["cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1257", "mac_roman"]
_CODE_PAGES += ["shift_jis", "gb18030", "big5", "euc_kr", "koi8_r"]
_WESTERN = {"latin-1", "cp1252", "cp1254", "cp1257", "mac_roman"}
_POLISH = re.compile(r"[^\W\d_][\u00b3\u00b9\u00bf][^\W\d_]|\u00a3[^\W\d_]{2}")
_DELIMITERS = ",;\t|"
# Before these vowels the letters of Poland and Romania that share the bytes do not stand.
_IBERIAN = re.compile(
    r"[\u00e3\u00f5][oes]|\u00f1[aeiou\u00e1\u00e9\u00ed\u00f3\u00fa]", re.IGNORECASE
)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class NotReadable(DrumbeatError):
    """The file as a whole is no list of leads. The message says why and what would be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sniffed:
    """`starts_at`: the byte of the first row of data, which has number `first_row`."""

    form: FileForm
    headers: list[str]
    proposed: dict[str, str]
    by_content: frozenset[str]
    samples: dict[str, list[str]]
    starts_at: int
    first_row: int
    estimate: int


async def sniff(pieces: AsyncIterator[bytes]) -> Sniffed:
    """Read the file once, without keeping it. Raises NotReadable."""
    scan = _Scan()
    async for piece in pieces:
        scan.take(piece)
    sample = bytes(scan.sample)
    if not sample.strip():
        raise NotReadable("The file is empty: export it again with a header and rows")
    encoding, bom = _encoding(sample, scan)
    form = FileForm(encoding=encoding, delimiter=",", newline=_newline(sample, encoding))
    form, records, at = _delimited(sample, form, bom)
    return _with_header(form, records, at, scan)


class _Scan:
    """What can be known only from the whole file, in a few bytes."""

    def __init__(self) -> None:
        self.sample = bytearray()
        self.odd = bytearray()
        self._newlines = self._returns = 0
        self.good = self.bad = 0
        self._rest = b""

    def take(self, piece: bytes) -> None:
        if len(self.sample) < SAMPLE_BYTES:
            self.sample += piece[: SAMPLE_BYTES - len(self.sample)]
        self._newlines += piece.count(b"\n")
        self._returns += piece.count(b"\r")
        if piece.isascii() and not self._rest:
            return
        whole = self._rest + piece
        until = whole.rfind(b"\n") + 1
        self._judge(whole[:until])
        self._rest = whole[until:][-SAMPLE_BYTES:]

    def end(self) -> None:
        self._judge(self._rest)

    @property
    def newlines(self) -> int:
        return self._newlines or self._returns

    def _judge(self, block: bytes) -> None:
        if block.isascii():
            return
        for line in block.split(b"\n") if len(self.odd) < SAMPLE_BYTES else ():
            if line.isascii():
                continue
            try:
                line.decode()
                self.good += 1
            except UnicodeDecodeError:
                self.bad += 1
                self.odd += line[:2_000] + b"\n"


def _encoding(sample: bytes, scan: _Scan) -> tuple[str, int]:
    """The encoding, and how many bytes of mark stand before the text."""
    scan.end()
    for mark, encoding in _BOMS:
        if sample.startswith(mark):
            return encoding, len(mark)
    zeros = sample[:4_000].count(0)
    if zeros > len(sample[:4_000]) // 4:
        return ("utf-16-le" if sample[1:4_000:2].count(0) > zeros // 2 else "utf-16-be"), 0
    # A few broken rows are refused; they do not change how the others are read.
    if scan.good >= 10 * scan.bad:
        return "utf-8", 0
    return _code_page(bytes(scan.odd)), 0


def _code_page(odd: bytes) -> str:
    best = from_bytes(odd, cp_isolation=_CODE_PAGES, preemptive_behaviour=False).best()
    guessed = best.encoding if best else "latin-1"
    western = odd.decode("cp1252", "replace")
    if guessed == "cp1250" and _IBERIAN.search(western) and not _POLISH.search(western):
        return "cp1252"
    if guessed not in _WESTERN:
        return guessed
    # Western code pages differ in a few characters, and Windows' is what spreadsheets write; but
    # a cube or a pound inside a word is a Polish letter.
    return "cp1250" if _POLISH.search(western) else "cp1252" if "\ufffd" not in western else guessed


def _newline(sample: bytes, encoding: str) -> str:
    text = sample[: len(sample) // 2 * 2].decode(encoding, "replace")
    return "\r" if "\r" in text and "\n" not in text else "\n"


def _delimited(sample: bytes, form: FileForm, bom: int) -> tuple[FileForm, list[Record], int]:
    """The delimiter under which most rows are as wide as the first, and wide."""
    at = bom
    first = next(split_lines([sample[at:]], form), ("", 0))
    named = re.fullmatch(r"\"?sep=(.)\"?\s*", first[0], re.IGNORECASE)
    if named:
        at += first[1]
    candidates = named[1] if named else _DELIMITERS
    best: tuple[tuple[float, int], FileForm, list[Record]] | None = None
    for delimiter in candidates:
        tried = FileForm(encoding=form.encoding, delimiter=delimiter, newline=form.newline)
        records = _some_records(sample[at:], tried, at)
        widths = Counter(len(r.cells) for r in records if r.cells)
        width, count = max(
            widths.items(), key=lambda it: (it[1] * (it[0] > 1), it[0]), default=(0, 0)
        )
        score = (count / sum(widths.values()) if width > 1 else 0.0, width)
        if best is None or score > best[0]:
            best = score, tried, records
    assert best is not None  # noqa: S101 - there is always a candidate
    return best[1], best[2], at


def _some_records(sample: bytes, form: FileForm, at: int) -> list[Record]:
    found = []
    for record in read_records(split_lines([sample], form), form, starts_at=at):
        found.append(record)
        if len(found) >= SAMPLE_RECORDS:
            break
    # The sample may end in the middle of a record.
    return found[:-1] if len(found) > 1 and len(sample) >= SAMPLE_BYTES - 4 else found


def _with_header(form: FileForm, records: Sequence[Record], at: int, scan: _Scan) -> Sniffed:
    blank = 0
    while blank < len(records) and not any(cell.strip() for cell in records[blank].cells):
        blank += 1
    if blank == len(records):
        raise NotReadable("The file has no rows: export it again with a header and rows")
    first, rows = records[blank], records[blank + 1 :]
    if len(first.cells) > 500:
        raise NotReadable("The file has more than 500 columns: export the ones that matter")
    has_header = not any(_EMAIL.fullmatch(cell.strip()) for cell in first.cells)
    if has_header:
        headers, starts_at = (unique(first.cells), first.ends_at)
    else:
        headers, rows = unique([""] * len(first.cells)), [first, *rows]
        starts_at = records[blank - 1].ends_at if blank else at
    rows_before = blank + has_header
    columns = {h: [r.cells[i] for r in rows if i < len(r.cells)] for i, h in enumerate(headers)}
    proposed = propose(headers)
    by_content = _by_content(columns, proposed)
    return Sniffed(
        form=form,
        headers=headers,
        proposed=proposed | by_content,
        by_content=frozenset(by_content),
        samples={header: _shapes(cells) for header, cells in columns.items()},
        starts_at=starts_at,
        first_row=rows_before + 1,
        estimate=max(scan.newlines - rows_before, len(rows) if scan.newlines < 100 else 0),
    )


def _by_content(columns: dict[str, list[str]], proposed: dict[str, str]) -> dict[str, str]:
    """Columns that nobody has named, and that hold nothing but addresses."""
    kinds = (
        ("email", lambda cell: bool(_EMAIL.fullmatch(cell))),
        ("linkedin_url", lambda cell: "linkedin.com/" in cell.lower()),
    )
    found: dict[str, str] = {}
    for field, is_one in kinds:
        for header, cells in columns.items():
            filled = [cell.strip() for cell in cells if cell.strip()]
            taken = {*proposed.values(), *found.values()}
            if (
                header not in proposed
                and field not in taken
                and filled
                and all(map(is_one, filled))
            ):
                found[header] = field
    return found


def _shapes(cells: Iterable[str]) -> list[str]:
    """What the cells look like, without what they say: `Aaaa Aa`, `99.999`."""
    shapes = (re.sub(r"\d", "9", re.sub(r"[^\W\d_]", _letter, _shown(c))) for c in cells)
    return [shape for shape, _ in Counter(filter(None, shapes)).most_common(3)]


def _shown(cell: str) -> str:
    return "".join(c for c in cell.strip()[:30] if c.isprintable())


def _letter(found: re.Match[str]) -> str:
    return "A" if found[0].isupper() else "a"
