"""The row of an import: what was found out, how far it is, how it ended."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import text

from shared.contracts.imports import ImportOrder
from shared.db.repositories.imports import keep_refusals, merge_rows
from shared.db.session import Database
from shared.errors import DrumbeatError

LISTED_ERRORS = 100

_JOB = text("""
select status, processed, more, finished_at is null and cancelled_at is null as is_open
from jobs where id = :job_id
""")
_LOCKED = text("""
select status, finished_at is null and cancelled_at is null as is_open,
  cast(more ->> 'offset' as bigint) as at, jsonb_array_length(errors) as errors
from jobs where id = :job_id for update
""")
_NOTE = text("update jobs set more = more || cast(:more as jsonb) where id = :job_id")
_BEGIN = text("""
update jobs set status = 'running', started_at = coalesce(started_at, now()),
  total = coalesce(total, cast(more ->> 'estimate' as int))
where id = :job_id and finished_at is null and cancelled_at is null
returning processed, more, true as is_open
""")
_HOLD = text("""
update jobs set is_held = true
where id = :job_id and not (more ->> 'is_applied')::boolean and cancelled_at is null
returning id
""")
# Two imports of one company take turns, or they would wait for each other's leads for ever.
_TURN = text("select pg_advisory_xact_lock(hashtextextended('import/' || :company_id, 0))")
_TAKEN_IN = text("""
update jobs set processed = processed + :rows, total = greatest(total, processed + :rows),
  errors = errors || cast(:errors as jsonb),
  more = more || jsonb_build_object(
    'offset', cast(:at as bigint), 'next_row', cast(:next_row as int),
    'created', coalesce(cast(more ->> 'created' as int), 0) + :created,
    'updated', coalesce(cast(more ->> 'updated' as int), 0) + :updated,
    'skipped', coalesce(cast(more ->> 'skipped' as int), 0) + :skipped)
where id = :job_id
""")
_FAIL = text("""
update jobs set status = 'failed', finished_at = now(),
  errors = jsonb_build_array(jsonb_build_object('message', cast(:message as text))) || errors
where id = :job_id and finished_at is null and cancelled_at is null
""")
_FINISH = text("""
update jobs set status = case when cancelled_at is null then 'completed' else 'cancelled' end,
  finished_at = now(), total = case when cancelled_at is null then processed else total end,
  result_url = case when cast(more ->> 'skipped' as int) > 0
    then '/api/tasks/' || id || '/refused' end
where id = :job_id and finished_at is null and not is_held
""")


class Overtaken(DrumbeatError):
    """Another attempt has taken in this chunk: what is left is for who comes next."""


class Taken(Protocol):
    """A chunk of the file as it was read."""

    @property
    def size(self) -> int: ...
    @property
    def next_row(self) -> int: ...
    @property
    def rows(self) -> int: ...
    @property
    def doubled(self) -> int: ...
    @property
    def batches(self) -> Sequence[str]: ...
    @property
    def refusals(self) -> Sequence[tuple[int, str, list[str]]]: ...
    @property
    def lines(self) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    processed: int
    is_open: bool
    more: dict[str, Any]


class ImportJobs:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, order: ImportOrder) -> Import | None:
        async with self._database.company_transaction(order.company_id) as connection:
            row = (await connection.execute(_JOB, {"job_id": order.job_id})).one_or_none()
        if row is None:
            return None
        return Import(processed=row.processed, is_open=row.is_open, more=row.more)

    async def get(self, order: ImportOrder) -> Import:
        job = await self.find(order)
        if job is None:
            raise Overtaken("The job is not there any more")
        return job

    async def note(self, order: ImportOrder, **more: Any) -> None:
        await self._execute(order, _NOTE, more=json.dumps(more))

    async def fail(self, order: ImportOrder, message: str) -> None:
        await self._execute(order, _FAIL, message=message)

    async def finish(self, order: ImportOrder) -> None:
        await self._execute(order, _FINISH)

    async def hold(self, order: ImportOrder) -> bool:
        async with self._database.company_transaction(order.company_id) as connection:
            held = await connection.execute(_HOLD, {"job_id": order.job_id})
            return held.one_or_none() is not None

    async def begin(self, order: ImportOrder) -> Import | None:
        """None when it was cancelled or has ended."""
        async with self._database.company_transaction(order.company_id) as connection:
            row = (await connection.execute(_BEGIN, {"job_id": order.job_id})).one_or_none()
        return None if row is None else Import(processed=row.processed, is_open=True, more=row.more)

    async def take_in(self, order: ImportOrder, chunk: Taken, *, at: int) -> bool:
        """One transaction; False when nobody wants it any more.

        `at` is where the chunk begins: two attempts that overlap cannot take it in twice.
        """
        async with self._database.company_transaction(order.company_id) as connection:
            await connection.execute(_TURN, {"company_id": str(order.company_id)})
            job = (await connection.execute(_LOCKED, {"job_id": order.job_id})).one_or_none()
            if job is None or not job.is_open:
                return False
            if job.at != at:
                raise Overtaken("Another attempt is already further in the file")
            merged = await merge_rows(connection, chunk.lines, batches=chunk.batches)
            await keep_refusals(connection, order.job_id, chunk.refusals)
            listed = chunk.refusals[: max(0, LISTED_ERRORS - job.errors)]
            await connection.execute(
                _TAKEN_IN,
                {
                    "job_id": order.job_id,
                    "rows": chunk.rows,
                    "at": at + chunk.size,
                    "next_row": chunk.next_row,
                    "created": merged.created,
                    "updated": merged.updated + chunk.doubled,
                    "skipped": len(chunk.refusals),
                    "errors": json.dumps([{"number": n, "message": why} for n, why, _ in listed]),
                },
            )
            return True

    async def _execute(self, order: ImportOrder, statement: Any, **values: Any) -> None:
        async with self._database.company_transaction(order.company_id) as connection:
            await connection.execute(statement, {"job_id": order.job_id, **values})
