"""A Postgres and a Temporal server that live as long as a benchmark."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from temporalio.client import Client

from deploy.local.migrate import migrate_meanwhile
from deploy.local.postgres import Postgres, running_postgres
from deploy.local.temporal import Temporal, running_temporal
from shared.db.session import Database, make_engine
from workflows.client import connect_temporal


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """Durable ones, as `drumbeat up` has them, in a folder that is thrown away."""

    folder: Path
    postgres: Postgres
    temporal: Temporal
    client: Client
    database: Database


@asynccontextmanager
async def running_servers() -> AsyncIterator[Servers]:
    """Both servers, with tables, namespace and connections, for the block."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="drumbeat-bench-")))
        postgres = await stack.enter_async_context(running_postgres(folder / "postgres"))
        await migrate_meanwhile(postgres.owner_url)
        temporal = await stack.enter_async_context(running_temporal(folder / "temporal"))
        engine = make_engine(postgres.app_url)
        stack.push_async_callback(engine.dispose)
        yield Servers(
            folder=folder,
            postgres=postgres,
            temporal=temporal,
            client=await connect_temporal(temporal.address),
            database=Database(engine),
        )
