"""The installation that is killed: Postgres, Temporal and worker processes of its own."""

import asyncio
import json
import os
import signal
import sys
from base64 import b64encode
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client
from temporalio.service import RPCError

from deploy.chaos.audit import Verdict
from deploy.chaos.books import Lived
from deploy.chaos.crowd import Crowd
from deploy.chaos.faults import Fault
from deploy.chaos.mortal import PARTS_OF, Post
from deploy.chaos.plans import Plan
from deploy.chaos.post_office import PostOffice, serving
from deploy.chaos.wounds import Wounds
from deploy.local.migrate import migrate_meanwhile
from deploy.local.postgres import Postgres, postgres_lock
from deploy.local.process import Program
from deploy.local.supervisor import Supervisor
from deploy.local.temporal import make_temporal, start_temporal, temporal_lock
from deploy.sandbox.faulty_gmail import FakeGmail, FakeTokens, http_of
from shared.config import Settings
from shared.db.session import Database, make_engine
from shared.keyring import Keyring
from workflows.client import TemporalConductor, connect_temporal
from workflows.parts import Parts, make_parts

CROWD_SIZE = 16
CROWDS_AT_ONCE = 3
ROOT = Path(__file__).parents[2]
NAMES = {Fault.TEMPORAL_KILLED: "temporal", Fault.POSTGRES_KILLED: "postgres"}
BACK_WITHIN_SECONDS = 60

Judged = Callable[[Lived, Verdict], None]


class MortalServers:
    """Kills a server, and holds `calm` until it is back."""

    def __init__(self, supervisor: Supervisor, engine: AsyncEngine, temporal: Client) -> None:
        self.calm = asyncio.Lock()
        self._supervisor, self._engine, self._temporal = supervisor, engine, temporal

    async def kill(self, fault: Fault) -> None:
        async with self.calm:
            before = self._supervisor.pid(NAMES[fault])
            os.kill(before, signal.SIGKILL)
            async with asyncio.timeout(BACK_WITHIN_SECONDS):
                while self._supervisor.pid(NAMES[fault]) == before or not await self._is_back():  # noqa: ASYNC110 - nobody tells us
                    await asyncio.sleep(0.1)

    async def _is_back(self) -> bool:
        # What the pool holds is dead, and would be found out one by one.
        await self._engine.dispose()
        try:
            async with self._engine.connect() as connection:
                await connection.execute(text("select 1"))
            return await self._temporal.service_client.check_health()
        except (DBAPIError, RPCError):
            return False


@asynccontextmanager
async def running_servers(
    folder: Path, say: Callable[[str], None]
) -> AsyncIterator[tuple[Supervisor, Postgres, str]]:
    """Postgres with our tables and Temporal under one supervisor; gives Temporal's address too."""
    postgres = Postgres(
        folder / "postgres", log=folder / "logs" / "postgres.log", say=say, throwaway=True
    )
    temporal = await make_temporal(folder, Settings(), say=say, throwaway=True)
    with postgres_lock(folder), temporal_lock(folder):
        async with Supervisor(records=folder / "run", say=say) as supervisor:
            await supervisor.start(postgres.program)
            await postgres.provision()
            await start_temporal(temporal, supervisor)
            await migrate_meanwhile(postgres.owner_url)
            yield supervisor, postgres, temporal.address


async def play_in_processes(
    plans: Sequence[Plan],
    folder: Path,
    *,
    judged: Judged,
    say: Callable[[str], None],
    parts_of: str = PARTS_OF,
) -> Counter[str]:
    """Have these lives lived; `judged` hears of each. Answers in which phases workers died.

    `parts_of`: the function that wires the workers, as `module:name`.
    """
    async with AsyncExitStack() as stack:
        supervisor, postgres, address = await stack.enter_async_context(
            running_servers(folder, say)
        )
        stage = await _Stage.build(
            stack, postgres, address, supervisor, folder=folder, parts_of=parts_of
        )
        waiting = _crowds(plans)

        async def run_crowds() -> None:
            for crowd in waiting:
                for life, verdict in await stage.run(crowd):
                    judged(life, verdict)
                say(f"{len(crowd)} lives in processes are over")

        async with asyncio.TaskGroup() as group:
            for _ in range(CROWDS_AT_ONCE):
                group.create_task(run_crowds())
        return stage.wounds.settle(plans)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """What all crowds share."""

    database: Database
    keyring: Keyring
    conductor: TemporalConductor
    office: PostOffice
    wounds: Wounds
    parts: Parts
    servers: MortalServers

    @classmethod
    async def build(
        cls,
        stack: AsyncExitStack,
        postgres: Postgres,
        address: str,
        supervisor: Supervisor,
        *,
        folder: Path,
        parts_of: str,
    ) -> "_Stage":
        office = PostOffice()
        post = Post(
            database_url=postgres.app_url,
            temporal_address=address,
            gmail_endpoint=await stack.enter_async_context(serving(office)),
            secret=b64encode(os.urandom(32)).decode(),
            wounds=str(folder / "wounds"),
            parts_of=parts_of,
        )
        await supervisor.start(_workers(post, folder))
        engine = make_engine(postgres.app_url, pool_size=10)
        stack.push_async_callback(engine.dispose)
        database, temporal = Database(engine), await connect_temporal(address)
        conductor = TemporalConductor(temporal)
        parts = make_parts(
            database=database,
            keyring=post.keyring,
            conductor=conductor,
            http=await stack.enter_async_context(http_of(office.gmails)),
            token_source_of=lambda account: FakeTokens(str(account.account_id)),
            gmail_endpoint=FakeGmail.endpoint,
            poll_seconds=60,
        )
        return cls(
            database=database,
            keyring=post.keyring,
            conductor=conductor,
            office=office,
            wounds=Wounds(folder / "wounds"),
            parts=parts,
            servers=MortalServers(supervisor, engine, temporal),
        )

    async def run(self, plans: Sequence[Plan]) -> Sequence[tuple[Lived, Verdict]]:
        crowd = Crowd(
            plans,
            database=self.database,
            keyring=self.keyring,
            conductor=self.conductor,
            office=self.office,
            wounds=self.wounds,
            parts=self.parts,
            servers=self.servers,
        )
        lives = await crowd.run()
        self.wounds.settle(plans)
        return lives


def _workers(post: Post, folder: Path) -> Program:
    """The process whose children are the workers; they end with it."""
    file = folder / "post.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps(asdict(post)))

    async def is_ready() -> bool:
        return True

    return Program(
        name="workers",
        command=(sys.executable, "-m", "deploy.chaos.mortal", str(file)),
        environment={"PYTHONPATH": str(ROOT)},
        log=folder / "logs" / "workers.log",
        is_ready=is_ready,
    )


def _crowds(plans: Sequence[Plan]) -> Iterator[Sequence[Plan]]:
    for first in range(0, len(plans), CROWD_SIZE):
        yield plans[first : first + CROWD_SIZE]
