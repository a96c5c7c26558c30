"""How much of a raw COPY's speed is left when every row is read, checked and merged.

The same file goes into the same table with the same indexes twice: by COPY as superuser, which
checks nothing and asks no policy, and by the activities of an import.
"""

import asyncio
import csv
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from time import perf_counter

import psutil
import psycopg
from sqlalchemy import func, select
from temporalio.testing import ActivityEnvironment
from uuid_utils.compat import uuid7

from activities.importing import ImportActivities
from deploy.bench.result import BenchResult, WentWrong
from deploy.bench.world import BenchCompany
from deploy.local.migrate import migrate_meanwhile
from deploy.local.postgres import Postgres, running_postgres
from shared.contracts.imports import ImportOrder
from shared.db.models import JobKind, JobRow, LeadRow
from shared.db.session import Database, make_engine
from shared.storage import Storage, make_storage

COLUMNS = """email first_name last_name phone linkedin_url company_name title industry city country
fit_score budget_max""".split()  # noqa: SIM905 - it reads better
CITIES = (
    ("Berlin", "Germany"),
    ("Paris", "France"),
    ("London", "United Kingdom"),
    ("Oslo", "Norway"),
)
TRADES = ("Software", "Real Estate", "Logistics", "Health Care", "Banking")
MB = 1024 * 1024


async def bench_imports(rows: int, say: Callable[[str], None]) -> BenchResult:
    """Rows a second of both, on a server of their own that is thrown away."""
    started = perf_counter()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="drumbeat-bench-")))
        file = folder / "leads.csv"
        write_file(file, rows)
        postgres = await stack.enter_async_context(running_postgres(folder / "postgres"))
        await migrate_meanwhile(postgres.owner_url)
        engine = make_engine(postgres.app_url)
        stack.push_async_callback(engine.dispose)
        database = Database(engine)
        say(f"{rows:,} rows, {file.stat().st_size // MB} MB: a raw COPY as superuser")
        baseline = await _copy(postgres, database, file)
        say(f"{rows:,} rows: an import")
        ours, peak = await _import(database, make_storage(None, folder), file, rows)
    return BenchResult(
        name="import",
        ours=rows / ours,
        baseline=rows / baseline,
        unit="rows/s",
        seconds=perf_counter() - started,
        more={"peak_mb": peak},
    )


def write_file(file: Path, rows: int) -> None:
    """People who differ, as a spreadsheet writes them."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for number in range(rows):
            city, country = CITIES[number % 4]
            name, trade = f"Lead{number:07}", TRADES[number % 5]
            writer.writerow(
                [
                    f"{name.lower()}.sample@company-{number % 5_000}.example.com",
                    name,
                    "Sample",
                    f"+49 30 {10_000_000 + number}",
                    f"https://www.linkedin.com/in/{name}-sample/",
                    f"{trade} Company {number % 5_000}",
                    "Head of Sales",
                    trade,
                    city,
                    country,
                    number % 101,
                    100_000 + number % 900_000,
                ]
            )


async def _copy(postgres: Postgres, database: Database, file: Path) -> float:
    company = await BenchCompany.make(database)
    login = postgres.url("postgres").replace("+psycopg", "")
    async with await psycopg.AsyncConnection.connect(login) as connection:
        await connection.execute(
            "select set_config('app.company_id', %s, false)", [str(company.id)]
        )
        begun = perf_counter()
        async with (
            connection.cursor() as cursor,
            cursor.copy(
                f"copy leads ({', '.join(COLUMNS)}) from stdin with (format csv, header)"
            ) as copy,
        ):
            async for piece in _pieces(file):
                await copy.write(piece)
        await connection.commit()
        seconds = perf_counter() - begun
        # The import finds an empty table, as this did.
        await connection.execute("truncate leads cascade")
    return seconds


async def _import(
    database: Database, storage: Storage, file: Path, rows: int
) -> tuple[float, float]:
    company = await BenchCompany.make(database)
    order = ImportOrder(company_id=company.id, job_id=uuid7())
    key = f"leads-uploads/{company.id}/{order.job_id}.csv"
    await storage.put(key, _pieces(file))
    more = {"key": key, "wanted": {}, "is_applied": True, "keeps_unmapped": True}
    async with database.company_session(company.id) as session:
        session.add(JobRow(id=order.job_id, kind=JobKind.IMPORT, more=more))
    activities = ImportActivities(
        database=database, storage=storage, keyring=company.keyring, model=None
    )
    run = ActivityEnvironment().run
    async with _watching_memory() as peaks:
        begun = perf_counter()
        await run(activities.sniff, order)
        while not (await run(activities.load, order)).is_last:
            pass
        await run(activities.finish, order)
        seconds = perf_counter() - begun
    async with database.company_session(company.id) as session:
        found = await session.scalar(select(func.count()).select_from(LeadRow))
    if found != rows:
        raise WentWrong(f"{rows} rows were in the file, {found} leads are in the table")
    return seconds, max(peaks) / MB


@asynccontextmanager
async def _watching_memory() -> AsyncIterator[list[int]]:
    """What this process holds, and the largest of those that it has started."""
    peaks = [0]
    own = psutil.Process()

    async def watch() -> None:
        while True:
            for process in (own, *own.children()):
                try:
                    if "postgres" not in process.name():
                        peaks[0] = max(peaks[0], process.memory_info().rss)
                except psutil.NoSuchProcess:
                    continue
            await asyncio.sleep(0.1)

    watching = asyncio.create_task(watch())
    try:
        yield peaks
    finally:
        watching.cancel()


async def _pieces(file: Path) -> AsyncIterator[bytes]:
    with file.open("rb") as stream:
        while piece := stream.read(MB):
            yield piece
