"""Jobs that import a file, and what is in the tables afterwards."""

import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from sqlalchemy import select
from temporalio.testing import ActivityEnvironment
from uuid_utils.compat import uuid7

from activities.importing import ImportActivities
from shared.contracts.imports import ImportOrder, ImportTurn
from shared.db.models import JobKind, JobRow, LeadRow, RefusedRowRow
from shared.storage import Storage
from tests.factories import Company

Import = Callable[..., Awaitable[JobRow]]


async def load(activities: ImportActivities, order: ImportOrder) -> None:
    turn: ImportTurn | None = None
    while turn is None or not turn.is_last:
        turn = await ActivityEnvironment().run(activities.load, order)


async def make_job(company: Company, storage: Storage, content: bytes, **more: Any) -> ImportOrder:
    order = ImportOrder(company_id=company.id, job_id=uuid7())
    key = f"leads-uploads/{company.id}/{order.job_id}.csv"
    await storage.put(key, once(content))
    values = {"key": key, "wanted": {}, "is_applied": True, "keeps_unmapped": True, "region": None}
    async with company.session() as session:
        session.add(JobRow(id=order.job_id, kind=JobKind.IMPORT, more=values | more))
    return order


async def once(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def job_of(company: Company, order: ImportOrder) -> JobRow:
    async with company.session() as session:
        return await session.get_one(JobRow, order.job_id)


async def leads_of(company: Company) -> list[LeadRow]:
    async with company.session() as session:
        return list(await session.scalars(select(LeadRow).order_by(LeadRow.id)))


async def refused_of(company: Company) -> list[tuple[int, str]]:
    async with company.session() as session:
        rows = await session.scalars(select(RefusedRowRow).order_by(RefusedRowRow.number))
        return [(row.number, row.reason) for row in rows]


def counts(job: JobRow) -> tuple[int, int, int]:
    return tuple(job.more.get(name, 0) for name in ("created", "updated", "skipped"))


def as_csv(rows: Sequence[Sequence[str]], delimiter: str = ",") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue()


def many_people(count: int) -> bytes:
    """Some twice, some by profile only, some that are refused, some with several lines."""
    rows = [["Email", "LinkedIn", "Name", "Notes"]]
    for n in range(count):
        address = "nobody" if n % 97 == 5 else f"lead{n % (count - 50)}@example.com"
        profile = f"linkedin.com/in/lead-{n}"
        notes = f'Said "hello",\nthen left {n}' if n % 3 else f"é {n}"
        rows.append(["" if n % 11 == 0 else address, profile, f"Lead {n}", notes])
    return as_csv(rows).encode()
