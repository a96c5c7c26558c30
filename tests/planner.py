"""What Postgres believes of the rows, and how many of them it then reads."""

from contextlib import AsyncExitStack

import psycopg
from sqlalchemy import text

from deploy.local.postgres import Postgres
from shared.db.session import Database

_READ = text("""
select (sum(seq_tup_read) + (select sum(idx_tup_read) from pg_stat_user_indexes))::bigint
from pg_stat_user_tables
""")


async def count_rows(postgres: Postgres) -> None:
    """Tell the planner of the rows that are there now, and so not of those that come."""
    url = postgres.owner_url.replace("+psycopg", "")
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("analyze leads, recipients, campaigns")


async def rows_read(database: Database) -> int:
    """By whatever way, up to now."""
    async with AsyncExitStack() as stack:
        # A session tells what it has read when it has time; each of the pool is told to.
        for _ in range(10):
            session = await stack.enter_async_context(database.outside_session())
            await session.execute(text("select pg_stat_force_next_flush()"))
    async with database.outside_session() as session:
        return await session.scalar(_READ) or 0
