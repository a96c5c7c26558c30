"""Takes in a file of leads: looks how it is written, maps its columns, loads it chunk by chunk."""

import asyncio
import json
import logging
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from time import monotonic
from typing import Any

from temporalio import activity

from activities.import_jobs import Import, ImportJobs
from activities.mapping import MappingModel
from shared.contracts.imports import ImportOrder, ImportPlan, ImportTurn
from shared.db.session import Database
from shared.errors import NotFound
from shared.importing.__main__ import HEAD, Task
from shared.importing.headers import combine
from shared.importing.records import FileForm
from shared.importing.sniffing import NotReadable, Sniffed, sniff
from shared.keyring import Keyring
from shared.storage import Storage

TURN_SECONDS = 300
# One transaction: long enough for sets to pay, short enough for locks and memory.
CHUNK_ROWS, CHUNK_BYTES = 5_000, 4 * 1024 * 1024

log = logging.getLogger(__name__)


class ReaderDied(Exception):
    """The process that reads rows has ended too soon; the next attempt goes on from the row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadChunk:
    """`size`: how many bytes of the file it was."""

    size: int
    next_row: int
    rows: int
    doubled: int
    batches: list[str]
    refusals: list[tuple[int, str, list[str]]]
    lines: bytes


class ImportActivities:
    def __init__(
        self,
        *,
        database: Database,
        storage: Storage,
        keyring: Keyring,
        model: MappingModel | None,
        chunk_rows: int = CHUNK_ROWS,
    ) -> None:
        self._jobs = ImportJobs(database)
        self._storage = storage
        self._marks_key = keyring.suppression.key.hex()
        self._model = model
        self._chunk_rows = chunk_rows

    @activity.defn(name="import.sniff")
    async def sniff(self, order: ImportOrder) -> ImportPlan:
        """Find out how the file is written and propose a mapping, once."""
        job = await self._jobs.find(order)
        if job is None or not job.is_open:
            return ImportPlan(is_open=False)
        if "form" not in job.more:
            try:
                async with aclosing(self._storage.open(job.more["key"])) as pieces:
                    sniffed = await sniff(pieces)
            except (NotFound, NotReadable) as error:
                await self._jobs.fail(order, str(error))
                return ImportPlan(is_open=False)
            await self._jobs.note(order, **_to_json(sniffed, job.more["wanted"]))
            job = await self._jobs.get(order)
        unknown = set(job.more["headers"]) - set(job.more["mapping"])
        asks = self._model is not None and bool(unknown) and not job.more.get("is_asked")
        return ImportPlan(is_open=True, asks_model=asks, is_held=not job.more["is_applied"])

    @activity.defn(name="import.ask_model")
    async def ask_model(self, order: ImportOrder) -> None:
        """Let a model name the columns that nobody knows. It sees headers, and no cell."""
        job = await self._jobs.get(order)
        if self._model is None or job.more.get("is_asked"):
            return
        known: dict[str, str] = job.more["mapping"]
        unknown = {h: job.more["samples"][h] for h in job.more["headers"] if h not in known}
        named = await self._model.name(unknown, taken={*known.values()})
        wanted, proposed = job.more["wanted"], job.more["proposed"] | named
        await self._jobs.note(
            order,
            proposed=proposed,
            by_model=sorted(named),
            mapping=combine(proposed, wanted, job.more["headers"]),
            is_asked=True,
        )

    @activity.defn(name="import.hold")
    async def hold(self, order: ImportOrder) -> bool:
        """Leave it to a person, unless the mapping was confirmed meanwhile."""
        return await self._jobs.hold(order)

    @activity.defn(name="import.load")
    async def load(self, order: ImportOrder) -> ImportTurn:
        """Go on where the row says, for some minutes. Each chunk and its place commit as one."""
        job = await self._jobs.begin(order)
        if job is None:
            return ImportTurn(processed=0, is_last=True)
        until, processed, at = monotonic() + TURN_SECONDS, job.processed, job.more["offset"]
        try:
            async with self._reading(job) as chunks:
                async for chunk in chunks:
                    activity.heartbeat()
                    if not await _whole(self._jobs.take_in(order, chunk, at=at)):
                        return ImportTurn(processed=processed, is_last=True)
                    at += chunk.size
                    processed += chunk.rows
                    if monotonic() > until or activity.is_worker_shutdown():
                        return ImportTurn(processed=processed, is_last=False)
        except NotFound as error:
            await self._jobs.fail(order, str(error))
        return ImportTurn(processed=processed, is_last=True)

    @activity.defn(name="import.finish")
    async def finish(self, order: ImportOrder) -> None:
        """Write the end on the row. The file stays until somebody in it is erased."""
        await self._jobs.finish(order)

    @asynccontextmanager
    async def _reading(self, job: Import) -> AsyncIterator[AsyncIterator[ReadChunk]]:
        """Chunks from a process of their own, which works ahead by one and ends with the block."""
        await self._storage.size(job.more["key"])
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "shared.importing", stdin=PIPE, stdout=PIPE
        )
        feeding = asyncio.create_task(self._feed(process, job))
        try:
            async with aclosing(_chunks(process, feeding)) as chunks:
                yield chunks
        finally:
            feeding.cancel()
            with suppress(ProcessLookupError):
                process.kill()
            # What it has written has to be taken before its pipe is closed.
            if process.stdout is not None:
                await process.stdout.read()
            await process.wait()
            with suppress(asyncio.CancelledError, OSError):
                await feeding

    async def _feed(self, process: Process, job: Import) -> None:
        more = job.more
        assert process.stdin is not None  # noqa: S101 - it was asked for
        task = Task(
            form=FileForm(**more["form"]),
            headers=more["headers"],
            mapping=more["mapping"],
            region=more.get("region"),
            keeps_unmapped=more["keeps_unmapped"],
            marks_key=self._marks_key,
            first_row=more["next_row"],
            chunk_rows=self._chunk_rows,
            chunk_bytes=CHUNK_BYTES,
        )
        process.stdin.write(task.to_json())
        async with aclosing(self._storage.open(more["key"], start=more["offset"])) as pieces:
            async for piece in pieces:
                process.stdin.write(piece)
                await process.stdin.drain()
        process.stdin.close()


async def _whole(transaction: Coroutine[Any, Any, bool]) -> bool:
    """A COPY that is cut off spoils its connection, so who is cancelled waits for its end."""
    task = asyncio.create_task(transaction)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


async def _chunks(process: Process, feeding: asyncio.Task[None]) -> AsyncGenerator[ReadChunk, None]:
    assert process.stdout is not None  # noqa: S101 - it was asked for
    while True:
        try:
            head = await process.stdout.readexactly(HEAD.size)
            about_size, lines_size = HEAD.unpack(head)
            about = json.loads(await process.stdout.readexactly(about_size))
            lines = await process.stdout.readexactly(lines_size)
        except asyncio.IncompleteReadError as error:
            # An error of the storage is the reason, if there is one.
            await feeding
            if error.partial or await process.wait():
                raise ReaderDied("the process that reads rows has died") from None
            return
        refusals = [(it["number"], it["reason"], it["cells"]) for it in about.pop("refusals")]
        yield ReadChunk(**about, refusals=refusals, lines=lines)


def _to_json(sniffed: Sniffed, wanted: dict[str, str | None]) -> dict[str, Any]:
    return {
        "form": asdict(sniffed.form),
        "headers": sniffed.headers,
        "proposed": sniffed.proposed,
        "by_content": sorted(sniffed.by_content),
        "samples": sniffed.samples,
        "mapping": combine(sniffed.proposed, wanted, sniffed.headers),
        "offset": sniffed.starts_at,
        "next_row": sniffed.first_row,
        "estimate": sniffed.estimate,
    }
