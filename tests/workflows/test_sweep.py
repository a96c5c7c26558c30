"""The workflow that goes over the rows: what has expired goes with its first round."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import psycopg
from temporalio.client import Client
from uuid_utils.compat import uuid7

from deploy.local.postgres import Postgres
from shared.contracts.queues import Queue
from shared.db.models import SessionRow
from shared.db.session import Database
from shared.keyring import Keyring
from tests.factories import Company
from tests.fakes.conductor import RecordingConductor
from tests.fakes.gmail import FakeTokens
from workflows.parts import make_parts
from workflows.sweep import SweepWorkflow
from workflows.worker import make_worker


async def test_a_sweep_forgets_what_has_expired(
    *, company: Company, database: Database, keyring: Keyring, temporal: Client, postgres: Postgres
) -> None:
    await settle_leftovers(postgres)
    session_id = uuid7()
    async with database.outside_session() as session:
        session.add(
            SessionRow(
                id=session_id,
                user_id=company.user_id,
                family_id=uuid7(),
                token_hash=str(session_id),
                expires_at=datetime.now(UTC) - timedelta(hours=1),
            )
        )
    prefix, tokens = f"test-{uuid7()}/", FakeTokens()
    async with httpx.AsyncClient() as http:
        parts = make_parts(
            database=database,
            keyring=keyring,
            conductor=RecordingConductor(),
            http=http,
            token_source_of=lambda _: tokens,
            gmail_endpoint="http://127.0.0.1:1",
            poll_seconds=1,
        )
        async with make_worker(temporal, Queue.OPS, parts, prefix=prefix):
            sweeping = await temporal.start_workflow(
                SweepWorkflow.run, id=f"{prefix}sweep", task_queue=f"{prefix}{Queue.OPS}"
            )
            async with asyncio.timeout(120):
                while await _is_there(database, session_id):  # noqa: ASYNC110 - the database tells nobody
                    await asyncio.sleep(0.1)
            await sweeping.terminate()


async def settle_leftovers(postgres: Postgres) -> None:
    """What other tests have left open would be looked up by workers that this one does not have."""
    url = postgres.url("postgres").replace("+psycopg", "")
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute(
            "update actions set status = 'abandoned' where status in ('reserved', 'unconfirmed')"
        )


async def _is_there(database: Database, session_id: UUID) -> bool:
    async with database.outside_session() as session:
        return await session.get(SessionRow, session_id) is not None
