"""Files of leads: kept, looked at and taken in by a workflow; a person may change the mapping."""

import csv
import io
import json
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from contextlib import suppress
from uuid import UUID

from sqlalchemy import select
from uuid_utils.compat import uuid7

from api.callers import Caller
from api.conducting import Conducting
from api.errors import UnsupportedMedia
from api.services.tasks import get_job
from shared.db.models import CompanyRow, JobKind, JobRow, RefusedRowRow
from shared.db.session import Database
from shared.errors import Conflict, Invalid
from shared.importing.headers import combine, problems_of
from shared.importing.regions import region_of, region_of_zone
from shared.storage import Storage

# What spreadsheets and others save when they are not told to export.
NO_CSV = {
    b"PK\x03\x04": "an Excel or OpenDocument workbook",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Excel workbook",
    b"%PDF-": "a PDF",
    b"\x1f\x8b": "a packed file",
}
REFUSED_AT_ONCE = 2_000
# Spreadsheets would run such a cell as a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class ImportService:
    def __init__(self, *, database: Database, conducting: Conducting, storage: Storage) -> None:
        self._database = database
        self._conducting = conducting
        self._storage = storage

    async def upload(
        self,
        caller: Caller,
        file_name: str,
        pieces: AsyncIterable[bytes],
        *,
        mapping: Mapping[str, str | None],
        is_applied: bool,
        keeps_unmapped: bool,
    ) -> UUID:
        """Keep the file, then have it taken in; returns the task. Raises Invalid."""
        _must_be_good(problems_of(mapping, None))
        job_id = uuid7()
        key = f"leads-uploads/{caller.company_id}/{job_id}.csv"
        await self._storage.put(key, pieces)
        async with self._database.company_session(caller.company_id) as session:
            company = await session.get_one(CompanyRow, caller.company_id)
            more = {
                "key": key,
                "file_name": file_name[:300],
                "wanted": dict(mapping),
                "is_applied": is_applied,
                "keeps_unmapped": keeps_unmapped,
                "region": home_region(company),
            }
            session.add(
                JobRow(id=job_id, kind=JobKind.IMPORT, created_by=caller.user_id, more=more)
            )
        await self._conducting.start_import(caller.company_id, job_id)
        return job_id

    async def confirm(
        self, caller: Caller, job_id: UUID, mapping: Mapping[str, str | None]
    ) -> JobRow:
        """Take the file in with this mapping. Raises Invalid, or Conflict once it has begun."""
        async with self._database.company_session(caller.company_id) as session:
            job = await get_job(session, job_id, is_locked=True)
            if job.kind is not JobKind.IMPORT:
                raise Conflict(f"A {job.kind} has no mapping")
            if job.started_at or job.finished_at or job.cancelled_at or job.more["is_applied"]:
                raise Conflict("The import has begun: upload the file again with ?apply=false")
            if "headers" not in job.more:
                raise Conflict("The file is not read yet: ask for the task again in a moment")
            headers = job.more["headers"]
            _must_be_good(problems_of(mapping, headers))
            wanted = {**job.more["wanted"], **mapping}
            chosen = combine(job.more["proposed"], wanted, headers)
            job.more = job.more | {"wanted": wanted, "mapping": chosen, "is_applied": True}
            job.is_held = False
        await self._conducting.start_import(caller.company_id, job_id)
        return job

    async def refused(self, caller: Caller, job_id: UUID) -> AsyncIterator[str]:
        """Every refused row as CSV: number, reason, and what was refused. Raises NotFound."""
        async with self._database.company_session(caller.company_id) as session:
            job = await get_job(session, job_id)
        return self._write(caller.company_id, job)

    async def _write(self, company_id: UUID, job: JobRow) -> AsyncIterator[str]:
        # Spreadsheets take a file without this mark for one in the country's old encoding.
        yield "\ufeff" + _line(["number", "reason", *job.more.get("headers", ["contact_id"])])
        after = -1
        while True:
            async with self._database.company_session(company_id) as session:
                rows = await session.scalars(
                    select(RefusedRowRow)
                    .where(RefusedRowRow.job_id == job.id, RefusedRowRow.number > after)
                    .order_by(RefusedRowRow.number)
                    .limit(REFUSED_AT_ONCE)
                )
                page = rows.all()
            if not page:
                return
            yield "".join(_line([str(row.number), row.reason, *row.cells]) for row in page)
            after = page[-1].number


def read_mapping(text: str | None) -> dict[str, str | None]:
    """`{"header": "field" or null}` as JSON. Raises Invalid."""
    if not text:
        return {}
    found: object = None
    with suppress(ValueError, RecursionError):
        found = json.loads(text)
    if not isinstance(found, dict) or len(found) > 500:
        raise Invalid('Use JSON such as {"E-Mail": "email", "Notes": null}', field="mapping")
    for header, field in found.items():
        if not header or not isinstance(field, str | None) or "\x00" in f"{header}{field}":
            raise Invalid("Give for each header a field's name, or null", field="mapping")
        try:
            f"{header}{field}".encode()
        except UnicodeEncodeError:
            raise Invalid("Use Unicode text without lone surrogates", field="mapping") from None
    return found


def _must_be_good(problems: list[str]) -> None:
    if problems:
        raise Invalid("; ".join(problems[:5])[:2_000], field="mapping")


def must_be_text(beginning: bytes) -> None:
    """Raises UnsupportedMedia, for such a file would be read as one column of nonsense."""
    for mark, kind in NO_CSV.items():
        if beginning.startswith(mark):
            raise UnsupportedMedia(f"This is {kind}, not CSV: save it as CSV, and upload that file")


def home_region(company: CompanyRow) -> str | None:
    """Where telephone numbers without a country code are from."""
    country = company.settings.get("country")
    named = region_of(country) if isinstance(country, str) and country else None
    return named or region_of_zone(company.time_zone)


def _line(cells: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([f"'{c}" if c.startswith(FORMULA) else c for c in cells])
    return out.getvalue()
