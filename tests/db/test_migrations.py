"""The migrations make what the models say, once, and never at the cost of those who work."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import create_async_engine

from deploy.local.postgres import Postgres
from shared.db.migrate import MIGRATIONS, make_config, upgrade
from shared.db.models import CompanyRow
from shared.errors import Misconfigured

ROOT = Path(__file__).parents[2]
APP_ROLE = "drumbeat_app"
TURN = 7232020  # of shared/db/migrations/env.py
DATED = re.compile(r"^20\d\d_[01]\d_[0-3]\d_[a-z][a-z0-9_]*$")


@pytest.fixture
async def empty(postgres: Postgres) -> AsyncIterator[str]:
    """The owner's login to a database without a table."""
    name = "migrations"
    await postgres.provision(database=name)
    yield postgres.owner_url.replace("/drumbeat?", f"/{name}?")
    administrator = create_async_engine(postgres.url("postgres"), isolation_level="AUTOCOMMIT")
    async with administrator.connect() as connection:
        await connection.execute(text(f"drop database {name} with (force)"))
    await administrator.dispose()


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, CompanyRow.metadata))


def revisions(owner_url: str) -> list[str]:
    engine = create_engine(owner_url)
    with engine.connect() as connection:
        found = connection.execute(text("select version_num from alembic_version")).scalars().all()
    engine.dispose()
    return list(found)


def test_models_and_migrations_agree(postgres: Postgres) -> None:
    engine = create_engine(postgres.owner_url)
    with engine.connect() as connection:
        found = differences(connection)
    engine.dispose()
    assert found == [], "write a migration for what was changed in shared/db/models"


def test_a_second_upgrade_changes_nothing(empty: str) -> None:
    upgrade(empty, APP_ROLE)
    first = revisions(empty)
    upgrade(empty, APP_ROLE)
    assert revisions(empty) == first
    assert len(first) == 1


async def test_upgrades_at_the_same_time_take_turns(empty: str) -> None:
    """As when several jobs of a rollout start together, and the first one takes its time."""
    engine = create_async_engine(empty)
    async with engine.connect() as connection:
        await connection.execute(text(f"select pg_advisory_lock({TURN})"))
        both = [await start_upgrade(empty) for _ in range(2)]
        await connection.commit()
        waiting = text("select count(*) from pg_locks where locktype = 'advisory' and not granted")
        while await connection.scalar(waiting) != 2:  # noqa: ASYNC110 - Postgres has no event for it
            await asyncio.sleep(0.1)
        # Longer than a migration would wait for a table.
        await asyncio.sleep(5.5)
        assert [process.returncode for process in both] == [None, None]
    await engine.dispose()
    assert [await process.wait() for process in both] == [0, 0]
    assert len(revisions(empty)) == 1


async def start_upgrade(owner_url: str) -> asyncio.subprocess.Process:
    """In a process of its own: Alembic's context is one for the whole process."""
    code = f"from shared.db.migrate import upgrade; upgrade({owner_url!r}, {APP_ROLE!r})"
    return await asyncio.create_subprocess_exec(sys.executable, "-c", code, cwd=ROOT)


async def test_an_upgrade_gives_up_behind_a_long_transaction(empty: str) -> None:
    """Waiting for a lock would make everybody behind it wait as well."""
    upgrade(empty, APP_ROLE)
    engine = create_async_engine(empty)
    async with engine.begin() as connection:
        # The last migration shall run again, and finds its version table held by somebody.
        await connection.execute(text("lock table alembic_version in access exclusive mode"))
        with pytest.raises(OperationalError, match="lock timeout"):
            await asyncio.to_thread(upgrade, empty, APP_ROLE)
    await engine.dispose()
    assert len(revisions(empty)) == 1


def test_revisions_are_dated_and_in_one_line() -> None:
    scripts = ScriptDirectory.from_config(make_config("postgresql://unused", APP_ROLE))
    found = list(scripts.walk_revisions())
    assert len(scripts.get_heads()) == 1
    for script in found:
        assert DATED.match(script.revision), f"{script.revision}: name it YYYY_MM_DD_what"
        assert Path(script.path).stem == script.revision
    # walk_revisions goes from the newest to the oldest.
    dates = [script.revision[:10] for script in found]
    assert dates == sorted(dates, reverse=True)


def test_every_migration_is_a_revision() -> None:
    files = {it.stem for it in (MIGRATIONS / "versions").glob("*.py")}
    scripts = ScriptDirectory.from_config(make_config("postgresql://unused", APP_ROLE))
    assert {it.revision for it in scripts.walk_revisions()} == files


@pytest.mark.parametrize("login", ['drumbeat"; drop table users; --', "a b", ""])
def test_a_login_that_would_break_a_grant_is_refused(login: str) -> None:
    with pytest.raises(Misconfigured, match="may only have letters, digits"):
        upgrade("postgresql+psycopg://unused", login)
