"""The records of a CSV file, with the byte at which each one ends.

Whoever reads on from such a byte misses nothing and meets nothing twice.
"""

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# A record that is longer has a quotation mark that is never closed.
LONGEST_RECORD, MOST_LINES = 1024 * 1024, 1_000
_NEVER_CLOSED = "has a quotation mark that is never closed, or a cell of more than 1 MB"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileForm:
    """How a file is written. `newline` is a line's end as one character."""

    encoding: str
    delimiter: str
    newline: str = "\n"

    @property
    def is_wide(self) -> bool:
        return self.encoding.startswith("utf-16")


@dataclass(slots=True)
class Record:
    """`ends_at`: the byte behind it. `problem`: why its cells cannot be told apart."""

    cells: list[str]
    ends_at: int
    problem: str | None = None


class _Unclosed(Exception):
    """Ends the reading of one record from within."""


def split_lines(pieces: Iterable[bytes], form: FileForm) -> Iterator[tuple[str, int]]:
    """Each line with its end, and how many bytes it takes.

    Bytes that are no text in this encoding become surrogates, so that their row is refused.
    """
    # In the other encodings the byte of a line's end is never part of a character.
    end = form.newline.encode(form.encoding)
    errors = "surrogatepass" if form.is_wide else "surrogateescape"
    rest = b""
    for piece in pieces:
        whole = rest + piece
        lines = _cut_wide(whole, end) if form.is_wide else whole.split(end)
        rest = lines.pop()
        for line in lines:
            yield (line + end).decode(form.encoding, errors), len(line) + len(end)
    if rest:
        # Half a character at the very end means that the file was cut.
        is_cut = form.is_wide and len(rest) % 2 == 1
        text = rest[: len(rest) - is_cut].decode(form.encoding, errors)
        yield text + "\udc80" * is_cut, len(rest)


def read_records(
    lines: Iterator[tuple[str, int]], form: FileForm, *, starts_at: int = 0
) -> Iterator[Record]:
    """Every record in turn, blank lines too, as records without cells."""
    csv.field_size_limit(2 * LONGEST_RECORD)
    pulled = _PulledLines(lines, form)
    reader = csv.reader(pulled, delimiter=form.delimiter)
    at = starts_at
    while True:
        problem, cells = None, []
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            problem = "cannot be read as CSV"
        except _Unclosed:
            problem = None
        if pulled.is_unclosed:
            cells, problem = [pulled.give_back_all_but_one().rstrip("\r\n")], _NEVER_CLOSED
        at += pulled.taken()
        yield Record(cells, at, problem)


class _PulledLines:
    """What the csv reader pulls, so that it is known which lines one record took."""

    def __init__(self, lines: Iterator[tuple[str, int]], form: FileForm) -> None:
        self._lines = lines
        self._is_unix = form.newline == "\n"
        self._given_back: deque[tuple[str, int]] = deque()
        self._pulled: list[tuple[str, int]] = []
        self._size = 0
        self.is_unclosed = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._size > LONGEST_RECORD or len(self._pulled) > MOST_LINES:
            self.is_unclosed = True
            raise _Unclosed
        line = self._given_back.popleft() if self._given_back else next(self._lines, None)
        if line is None:
            # Asked for more in the middle of a record: its quotation mark stays open.
            self.is_unclosed = bool(self._pulled)
            raise StopIteration
        self._pulled.append(line)
        self._size += line[1]
        # A lone carriage return inside a line is no line's end to us, but it is to csv.
        text = line[0]
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", " " if self._is_unix else "\n")
        return text

    def taken(self) -> int:
        """The bytes of the lines that the record has taken. They count once."""
        size, self._size = self._size, 0
        self._pulled.clear()
        return size

    def give_back_all_but_one(self) -> str:
        """Only the first line is lost to its quotation mark; the others are records again."""
        self.is_unclosed = False
        first, *others = self._pulled
        self._given_back.extendleft(reversed(others))
        self._pulled, self._size = [first], first[1]
        return first[0]


def _cut_wide(whole: bytes, end: bytes) -> list[bytes]:
    """Like `split`, but a pair of bytes across two characters is no line's end."""
    lines, begin, look = [], 0, 0
    while (found := whole.find(end, look)) >= 0:
        if (found - begin) % 2:
            look = found + 1
            continue
        lines.append(whole[begin:found])
        begin = look = found + len(end)
    return [*lines, whole[begin:]]
