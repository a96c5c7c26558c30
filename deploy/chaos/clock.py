"""Gives the database the clock of each company, which jumps from one due instant to the next.

Marks and stops are dated by the database; without this, time would stand still between them.
"""

from datetime import datetime

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.chaos.world import World

_SCHEMA = (
    "create schema if not exists chaos",
    "create table if not exists chaos.clocks"
    " (company_id uuid primary key, shift interval not null)",
    "create or replace function chaos.clock_timestamp() returns timestamptz"
    " language sql volatile as $body$ select pg_catalog.clock_timestamp() + coalesce("
    " (select shift from chaos.clocks where company_id ="
    " nullif(current_setting('app.company_id', true), '')::uuid), interval '0') $body$",
    "grant usage on schema chaos to public",
    "grant select, insert, update on chaos.clocks to public",
)
_BEND = text(
    "insert into chaos.clocks values (:company_id, cast(:now as timestamptz)"
    " - pg_catalog.clock_timestamp())"
    " on conflict (company_id) do update set shift = greatest(clocks.shift, excluded.shift)"
)


async def make_clocks(owner: AsyncEngine) -> None:
    """Before anybody connects to a bent clock."""
    async with owner.begin() as connection:
        for statement in _SCHEMA:
            await connection.execute(text(statement))


def on_bent_clock(url: str) -> str:
    """Connections by this URL ask the company's clock where they ask the time of day."""
    options = {"options": "-c search_path=chaos,public,pg_catalog"}
    return make_url(url).update_query_dict(options).render_as_string(hide_password=False)


async def bend_clock(world: World, now: datetime) -> None:
    """From here on it is this time in the company, or later: a clock never goes back."""
    async with world.database.company_transaction(world.company_id) as connection:
        await connection.execute(_BEND, {"company_id": world.company_id, "now": now})
