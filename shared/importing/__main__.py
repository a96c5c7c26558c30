"""Turns a file into rows, in a process of its own: it costs a core, and a worker needs its own.

Standard input: a line of JSON (`Task`), then the bytes of the file. Standard output: frames, each
two lengths, JSON and lines for COPY. It ends with its input, or when nobody listens any more.
"""

import json
import struct
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, BinaryIO

from shared.importing.records import FileForm, Record, read_records, split_lines
from shared.importing.rows import RowReader
from shared.keyring import SuppressionMarks

PIECE_BYTES = 256 * 1024
HEAD = struct.Struct(">II")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """`first_row`: the number of the first record that comes in."""

    form: FileForm
    headers: list[str]
    mapping: dict[str, str]
    region: str | None
    keeps_unmapped: bool
    marks_key: str
    first_row: int
    chunk_rows: int
    chunk_bytes: int

    def to_json(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_json(cls, line: bytes) -> "Task":
        fields = json.loads(line)
        return cls(**{**fields, "form": FileForm(**fields["form"])})


def read_task(task: Task, stream: BinaryIO) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Chunk by chunk: what is to be known of it, and its lines for COPY."""
    marks = SuppressionMarks(bytes.fromhex(task.marks_key))
    reader = RowReader(
        task.headers,
        task.mapping,
        marks=marks,
        region=task.region,
        keeps_unmapped=task.keeps_unmapped,
    )
    pieces = iter(lambda: stream.read1(PIECE_BYTES), b"")  # type: ignore[attr-defined] # a buffered reader has it
    records = read_records(split_lines(pieces, task.form), task.form)
    numbered = enumerate(records, start=task.first_row)
    begins_at = 0
    while records_of_chunk := _take(numbered, task, begins_at):
        chunk = reader.read_chunk(records_of_chunk)
        last_number, last = records_of_chunk[-1]
        yield (
            {
                "size": last.ends_at - begins_at,
                "next_row": last_number + 1,
                "rows": chunk.rows,
                "doubled": chunk.doubled,
                "batches": chunk.batches,
                "refusals": [asdict(refusal) for refusal in chunk.refusals],
            },
            chunk.copy,
        )
        begins_at = last.ends_at


def _take(
    numbered: Iterator[tuple[int, Record]], task: Task, begins_at: int
) -> list[tuple[int, Record]]:
    """Some rows, or some bytes. The same file is always cut at the same places."""
    taken = []
    for number, record in islice(numbered, task.chunk_rows):
        taken.append((number, record))
        if record.ends_at - begins_at > task.chunk_bytes:
            break
    return taken


def main() -> None:
    source, out = sys.stdin.buffer, sys.stdout.buffer
    task = Task.from_json(source.readline())
    try:
        for about, copy in read_task(task, source):
            head = json.dumps(about, ensure_ascii=True).encode()
            out.write(HEAD.pack(len(head), len(copy)))
            out.write(head)
            out.write(copy)
            out.flush()
    except BrokenPipeError:
        # Whoever started us is gone; what was not taken is read again.
        sys.stderr.close()


if __name__ == "__main__":
    main()
