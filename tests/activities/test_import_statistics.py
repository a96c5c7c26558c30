"""A file is taken in as quickly when nobody has counted the company's rows yet."""

import psycopg
import pytest
from sqlalchemy import text

from deploy.local.postgres import Postgres
from tests.activities.files import Import, as_csv, counts
from tests.factories import Company

ROWS = 8_000
_LEADS = text("""
insert into leads (email, phone, suppression_keys)
select 'lead' || n || '@example.test', '+49301' || 100000 + n, array[decode(md5(n::text), 'hex')]
from generate_series(1, 100000) n
""")


# It takes 3 s, and more than a minute when each row walks through all leads.
@pytest.mark.timeout(45, func_only=True)
async def test_statistics_of_another_company_do_not_make_it_slow(
    take_in: Import, stranger: Company, postgres: Postgres
) -> None:
    """Where one company has all the rows, a new one's look as few as to be found by any index."""
    async with stranger.session() as session:
        await session.execute(_LEADS)
    async with await psycopg.AsyncConnection.connect(
        postgres.owner_url.replace("+psycopg", ""), autocommit=True
    ) as connection:
        await connection.execute("analyze leads")

    numbers = [f"+4930{1_000_000 + n}" for n in range(ROWS)]
    new = [[f"a{n}@lead.example", number] for n, number in enumerate(numbers)]
    created = await take_in(as_csv([["Email", "Phone"], *new]).encode())
    updated = await take_in(as_csv([["Email", "Phone"], *(["", it] for it in numbers)]).encode())

    assert counts(created) == (ROWS, 0, 0)
    assert counts(updated) == (0, ROWS, 0)
