"""Real Postgres, a real Temporal server, a fake Gmail on the wire, and one company per test."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

# The wheel with the Postgres binaries warns without it, and warnings are errors here.
os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from deploy.local.fetch import fetch_programs
from deploy.local.postgres import Postgres, running_postgres
from deploy.local.temporal import Temporal, running_temporal
from shared.config import Settings
from shared.db.migrate import upgrade
from shared.db.session import Database
from shared.keyring import Keyring
from tests.factories import Company
from tests.fakes.conductor import RecordingConductor
from tests.fakes.gmail import FakeGmail
from tests.fakes.mail_server import FakeSmtp, ImapServer, imap_server, smtp_server

APP_ROLE = "drumbeat_app"
POSTGRES = pytest.StashKey[Postgres]()


def pytest_sessionstart(session: pytest.Session) -> None:
    """Get the Temporal server before any test is timed: the first time takes minutes."""
    if not hasattr(session.config, "workerinput"):  # one process of several has seen to it
        asyncio.run(fetch_programs(Settings()))


@pytest.fixture(scope="session")
async def postgres(request: pytest.FixtureRequest) -> AsyncIterator[Postgres]:
    with tempfile.TemporaryDirectory(prefix="drumbeat-pg-") as folder:
        async with running_postgres(Path(folder), throwaway=True) as postgres:
            await asyncio.to_thread(upgrade, postgres.owner_url, APP_ROLE)
            await asyncio.to_thread(stop_autovacuum, postgres)
            request.session.stash[POSTGRES] = postgres
            yield postgres
            del request.session.stash[POSTGRES]


@pytest.fixture(scope="module", autouse=True)
async def own_rows(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """What one file of tests leaves is gone before the next: looking through all companies for
    what is due has a limit, and thousands of rows of others would fill it."""
    yield
    if (postgres := request.session.stash.get(POSTGRES, None)) is not None:
        await empty_tables(postgres)


async def empty_tables(postgres: Postgres) -> None:
    administrator = create_async_engine(postgres.url("postgres"), isolation_level="AUTOCOMMIT")
    async with administrator.connect() as connection:
        await connection.execute(text("set lock_timeout = '20s'"))
        await connection.execute(text(_EMPTY))
        # Pages that look empty would mislead the planner about the next ones.
        await connection.execute(text("vacuum leads, recipients, campaigns, actions"))
    await administrator.dispose()


# New files for all tables and indexes, as `truncate` makes them, take ten times longer than
# deleting a few rows; replicas leave the order of foreign keys alone.
_EMPTY = """
do $$
declare name regclass;
begin
  if (select sum(pg_relation_size(oid)) from pg_class
      where relkind = 'r' and relnamespace = 'public'::regnamespace) > 8_000_000 then
    truncate companies, users cascade;
    return;
  end if;
  set local session_replication_role = replica;
  for name in
    select oid from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace
    and relname <> 'alembic_version' and pg_relation_size(oid) > 0
  loop
    execute format('delete from %s', name);
  end loop;
end $$
"""


def stop_autovacuum(postgres: Postgres) -> None:
    """What it learns in the middle of a run, by chance, would make some plans very slow."""
    administrator = create_engine(postgres.url("postgres"), isolation_level="AUTOCOMMIT")
    with administrator.connect() as connection:
        connection.execute(text("alter system set autovacuum = off"))
        connection.execute(text("select pg_reload_conf()"))
    administrator.dispose()


@pytest.fixture(scope="session")
async def temporal_server() -> AsyncIterator[Temporal]:
    with tempfile.TemporaryDirectory(prefix="drumbeat-temporal-") as folder:
        async with running_temporal(Path(folder), throwaway=True) as temporal:
            yield temporal
    # The SDK can abort an interpreter that exits right after its last client.
    await asyncio.sleep(0.3)


@pytest.fixture(scope="session")
async def engine(postgres: Postgres) -> AsyncIterator[AsyncEngine]:
    """The tables, reached through the login that row security applies to."""
    # Last in, first out: what one block left on a connection would meet the next block.
    engine = create_async_engine(postgres.app_url, pool_use_lifo=True)
    yield engine
    await engine.dispose()


@pytest.fixture
def database(engine: AsyncEngine) -> Database:
    return Database(engine)


@pytest.fixture(scope="session")
def keyring() -> Keyring:
    return Keyring(secret_key="s" * 32, encryption_keys="k1:" + "A" * 43 + "=")


@pytest.fixture
async def company(database: Database, keyring: Keyring) -> Company:
    return await Company.make(database, keyring)


@pytest.fixture
async def stranger(database: Database, keyring: Keyring) -> Company:
    return await Company.make(database, keyring)


@pytest.fixture
def gmail() -> FakeGmail:
    return FakeGmail()


@pytest.fixture(scope="session")
async def imap() -> AsyncIterator[ImapServer]:
    """One mailbox for all tests: each finds its own mails there by their Message-ID."""
    async with imap_server() as server:
        yield server


@pytest.fixture
async def smtp() -> AsyncIterator[FakeSmtp]:
    async with smtp_server(FakeSmtp()) as server:
        yield server


@pytest.fixture
def conductor() -> RecordingConductor:
    return RecordingConductor()
