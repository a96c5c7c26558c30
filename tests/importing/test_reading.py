"""How a file is written is found out, and its records are cut where they end."""

import csv
import io
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.importing.__main__ import Task, read_task
from shared.importing.records import FileForm, read_records, split_lines
from shared.importing.sniffing import NotReadable, Sniffed, sniff

PEOPLE = [["Email", "First Name", "City"], ["zoë@example.com", "Zoë", "Köln"]]
PEOPLE += [[f"lead{n}@example.com", f"Zoë {n}", "Köln"] for n in (2, 3)]


async def in_pieces(content: bytes, size: int = 7) -> AsyncIterator[bytes]:
    for at in range(0, len(content), size):
        yield content[at : at + size]


def cells_of(content: bytes, sniffed: Sniffed, size: int = 7) -> list[list[str]]:
    """The rows behind the header, through the same cut pieces."""
    rest = content[sniffed.starts_at :]
    pieces = [rest[at : at + size] for at in range(0, len(rest), size)]
    records = read_records(split_lines(pieces, sniffed.form), sniffed.form)
    return [record.cells for record in records if record.cells]


def as_csv(rows: Sequence[Sequence[str]], delimiter: str = ",") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
async def test_whatever_spreadsheets_write_is_read(
    delimiter: str, encoding: str, newline: str
) -> None:
    content = as_csv(PEOPLE, delimiter).replace("\r\n", newline).encode(encoding)

    sniffed = await sniff(in_pieces(content))

    assert sniffed.headers == PEOPLE[0]
    assert sniffed.form.delimiter == delimiter
    assert cells_of(content, sniffed) == PEOPLE[1:]
    assert (sniffed.first_row, sniffed.estimate) == (2, 3)


@pytest.mark.parametrize(
    ("encoding", "name", "city"),
    [
        pytest.param("cp1251", "Екатерина Иванова", "Санкт-Петербург", id="Cyrillic"),
        pytest.param("cp1250", "Małgorzata Wiśniewska", "Łódź", id="Polish"),
        pytest.param("cp1250", "Andrzej Kończak", "Gdańsk", id="Polish without crossed letters"),
        pytest.param("cp1250", "Dvořáková Květa", "Plzeň", id="Czech"),
        pytest.param("cp1252", "João Conceição", "São Paulo", id="Portuguese"),
        pytest.param("cp1252", "Iñaki Muñoz", "A Coruña", id="Spanish"),
        pytest.param("cp1252", "Jürgen Groß", "São Paulo", id="German, abroad"),
        pytest.param("shift_jis", "山田太郎", "東京都渋谷区", id="Japanese"),
    ],
)
async def test_old_code_pages_are_recognised(encoding: str, name: str, city: str) -> None:
    rows = [["Email", "Name", "City"], *([f"a{n}@example.com", name, city] for n in range(30))]
    content = as_csv(rows).encode(encoding)

    sniffed = await sniff(in_pieces(content, 1_000))

    assert cells_of(content, sniffed) == rows[1:]


@pytest.mark.parametrize("content", [b"", b" \n\n ", b"\xef\xbb\xbf", b",,\n,,\n"])
async def test_a_file_without_anything_is_refused(content: bytes) -> None:
    with pytest.raises(NotReadable, match="export it again"):
        await sniff(in_pieces(content))


async def test_a_model_would_see_shapes_and_no_cell() -> None:
    sniffed = await sniff(in_pieces(b"Wer,Was\nAda Love,0815-X\n"))

    assert sniffed.samples == {"Wer": ["Aaa Aaaa"], "Was": ["9999-A"]}


async def test_columns_are_known_by_what_they_hold() -> None:
    content = b"Eins,Zwei\na@b.com,https://www.linkedin.com/in/a\n"

    sniffed = await sniff(in_pieces(content))

    assert sniffed.proposed == {"Eins": "email", "Zwei": "linkedin_url"}


CELLS = st.text(st.sampled_from("ab é\"',;\n\r|\t"), max_size=6)
TABLES = st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=12)


@settings(max_examples=150, deadline=None)
@given(table=TABLES, encoding=st.sampled_from(["utf-8", "utf-16-le"]), size=st.integers(1, 40))
def test_reading_on_from_the_end_of_any_record_gives_the_rest(
    table: list[list[str]], encoding: str, size: int
) -> None:
    content = as_csv(table).encode(encoding)
    form = FileForm(encoding=encoding, delimiter=",")

    def read(start: int) -> list[tuple[list[str], int]]:
        rest = content[start:]
        pieces = [rest[at : at + size] for at in range(0, len(rest), size)]
        records = read_records(split_lines(pieces, form), form, starts_at=start)
        return [(record.cells, record.ends_at) for record in records]

    whole = read(0)

    for number, (_, ends_at) in enumerate(whole, start=1):
        assert read(ends_at) == whole[number:]
    assert [cells for cells, _ in whole] == [
        [it.replace("\r\n", "\n").replace("\r", " ") for it in row] for row in table
    ]
    assert whole[-1][1] == len(content)


def task(**more: Any) -> Task:
    made = Task(
        form=FileForm(encoding="utf-8", delimiter=","),
        headers=["Email", "Name"],
        mapping={"Email": "email", "Name": "name"},
        region=None,
        keeps_unmapped=True,
        marks_key="00" * 32,
        first_row=2,
        chunk_rows=3,
        chunk_bytes=1_000,
    )
    return replace(made, **more)


def test_a_task_survives_its_way_to_the_other_process() -> None:
    assert Task.from_json(task().to_json()) == task()


def test_chunks_are_cut_at_the_same_places_wherever_reading_begins() -> None:
    content = "".join(f"a{n}@b.com,{'x' * (n * 40 % 290)}\n" for n in range(40)).encode()
    whole = list(read_task(task(chunk_rows=7), io.BytesIO(content)))
    starts_at, first_row = 0, 2
    for number, (about, lines) in enumerate(whole):
        rest = io.BytesIO(content[starts_at:])
        again = list(read_task(task(chunk_rows=7, first_row=first_row), rest))
        assert json.dumps(again[0][0]) == json.dumps(about)
        assert [it for _, it in again] == [it for _, it in whole[number:]]
        assert lines
        starts_at, first_row = starts_at + about["size"], about["next_row"]
    assert (starts_at, first_row) == (len(content), 42)


def test_a_record_without_an_end_costs_one_line_and_no_memory() -> None:
    form = FileForm(encoding="utf-8", delimiter=",")
    content = b'a@b.com,"open\n' + b"c@d.com,fine\n" * 5_000

    records = list(read_records(split_lines([content], form), form))

    assert [bool(record.problem) for record in records] == [True] + [False] * 5_000
    assert records[-1].ends_at == len(content)
