"""A worker that dies in the middle of a commit: what it had said to Postgres is still done."""

import asyncio
import contextlib

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.chaos.workers import ChaosWorker
from shared.keyring import Keyring
from tests.factories import Company
from tests.fakes.conductor import RecordingConductor

_RENAME_SLOWLY = text(
    "with slept as materialized (select pg_sleep(0.5))"
    " update users set name = 'written late' from slept where id = :id"
)
_NAME = text("select name from users where id = :id")


async def test_what_it_had_sent_is_waited_for(
    engine: AsyncEngine, keyring: Keyring, company: Company
) -> None:
    url = engine.url.render_as_string(hide_password=False)
    worker = ChaosWorker(url=url, postboxes={}, keyring=keyring, conductor=RecordingConductor())

    async def rename() -> None:
        async with worker.database.single_statement() as connection:
            await connection.execute(_RENAME_SLOWLY, {"id": company.user_id})

    renaming = asyncio.create_task(rename())
    while not worker.is_committing:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    worker.die()
    await worker.until_forgotten(engine)

    async with engine.connect() as connection:
        assert await connection.scalar(_NAME, {"id": company.user_id}) == "written late"
    with contextlib.suppress(Exception):
        await renaming
    await worker.close()
