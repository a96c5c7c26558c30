"""A file is taken in as quickly when nobody has counted the company's rows yet."""

from sqlalchemy import text

from deploy.local.postgres import Postgres
from shared.db.session import Database
from tests.activities.files import Import, as_csv, counts
from tests.factories import Company
from tests.planner import count_rows, rows_read

# Each lead is read a few times, and not all of them for each.
ROWS, FEW_TIMES = 4_000, 400
_LEADS = text("""
insert into leads (email, phone, suppression_keys)
select 'lead' || n || '@example.test', '+49301' || 100000 + n, array[decode(md5(n::text), 'hex')]
from generate_series(1, 20000) n
""")


async def test_statistics_of_another_company_do_not_make_it_slow(
    take_in: Import, stranger: Company, postgres: Postgres, database: Database
) -> None:
    """Where one company has all the rows, a new one's look as few as to be found by any index."""
    async with stranger.session() as session:
        await session.execute(_LEADS)
    await count_rows(postgres)
    before = await rows_read(database)

    numbers = [f"+4930{1_000_000 + n}" for n in range(ROWS)]
    new = [[f"a{n}@lead.example", number] for n, number in enumerate(numbers)]
    created = await take_in(as_csv([["Email", "Phone"], *new]).encode())
    updated = await take_in(as_csv([["Email", "Phone"], *(["", it] for it in numbers)]).encode())

    assert counts(created) == (ROWS, 0, 0)
    assert counts(updated) == (0, ROWS, 0)
    assert await rows_read(database) - before < FEW_TIMES * ROWS
