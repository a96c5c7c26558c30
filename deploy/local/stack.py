"""The whole product on one machine: database, Temporal, a worker, the gateway.

`async with LocalStack(settings) as stack:` returns when everything answers and stops all of it at
the end of the block. Where a setting names a server that runs already, that one is used instead.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType

from deploy.local.child_settings import environment_of, kept_back_names
from deploy.local.lock import FileLock
from deploy.local.migrate import migrate_meanwhile, migrate_server
from deploy.local.ports import free_port
from deploy.local.postgres import Postgres, postgres_lock
from deploy.local.probe import answers
from deploy.local.process import Program
from deploy.local.progress import say
from deploy.local.secrets_file import keep_secrets
from deploy.local.supervisor import Supervisor
from deploy.local.temporal import make_temporal, start_temporal, temporal_lock
from shared.config import Settings

# -P: a folder called `api` where the user happens to be must not be taken for ours.
WORKER = (sys.executable, "-P", "-m", "workflows.worker", "--queues", "all")
GATEWAY = (sys.executable, "-P", "-m", "api.main")
# Longer than their own grace: the longest call may end, and its result be recorded.
WORKER_STOP_SECONDS = 100
GATEWAY_STOP_SECONDS = 25
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104  # recognised, not bound


class LocalStack:
    """`environment` is added to that of worker and gateway. The rest is known inside the block."""

    database_url: str
    owner_url: str | None
    temporal_address: str
    temporal_ui_url: str | None = None
    gateway_url: str | None = None

    def __init__(
        self,
        settings: Settings,
        *,
        workers: bool = True,
        gateway: bool = True,
        ui: bool = True,
        environment: Mapping[str, str] | None = None,
        say: Callable[[str], None] = say,
        migrate: Callable[[str], Awaitable[None]] = migrate_meanwhile,
        worker_command: tuple[str, ...] = WORKER,
        gateway_command: tuple[str, ...] = GATEWAY,
    ) -> None:
        self.data_dir = settings.data_dir.absolute()
        self.environment: dict[str, str] = {}
        self._settings = settings
        self._has_ui = ui
        self._has_gateway = gateway
        self._added = dict(environment or {})
        self._say = say
        self._migrate = migrate
        self._commands = {"worker": worker_command} if workers else {}
        self._commands |= {"gateway": gateway_command} if gateway else {}
        self._exit = contextlib.AsyncExitStack()
        self._supervisor = Supervisor(records=self.data_dir / "run", say=say)

    async def __aenter__(self) -> "LocalStack":
        try:
            await self._start()
        except BaseException:
            await self._exit.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._exit.aclose()

    @property
    def supervisor(self) -> Supervisor:
        return self._supervisor

    async def _start(self) -> None:
        self._make_folders()
        for lock in (FileLock(self.data_dir / "lock"), *self._server_locks()):
            self._exit.enter_context(lock)
        await self._exit.enter_async_context(self._supervisor)
        await _all(self._start_database(), self._start_temporal())
        self.environment = self._child_environment()
        await _all(*(self._start_ours(name) for name in self._commands))

    def _make_folders(self) -> None:
        """For our eyes only; Postgres, which may not be root, has to pass through."""
        self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o711 if os.geteuid() == 0 else 0o700)
        for name in ("logs", "run", "temporal"):
            (self.data_dir / name).mkdir(exist_ok=True, mode=0o700)

    def _server_locks(self) -> list[FileLock]:
        locks = []
        if self._settings.database_url is None:
            locks.append(postgres_lock(self.data_dir))
        if self._settings.temporal_address is None:
            locks.append(temporal_lock(self.data_dir))
        return locks

    async def _start_database(self) -> None:
        if self._settings.database_url is not None:
            await self._use_database(self._settings.database_url)
            return
        log = self.data_dir / "logs" / "postgres.log"
        postgres = Postgres(self.data_dir / "postgres", log=log, say=self._say)
        await self._supervisor.start(postgres.program)
        await postgres.provision()
        self.database_url, self.owner_url = postgres.app_url, postgres.owner_url
        await self._migrate(self.owner_url)

    async def _use_database(self, url: str) -> None:
        self.database_url, self.owner_url = url, self._settings.migration_database_url
        if self.owner_url is None:
            self._say("the tables are taken as they are: run `drumbeat migrate` after an update")
        else:
            await asyncio.to_thread(migrate_server, self._settings)

    async def _start_temporal(self) -> None:
        if self._settings.temporal_address is not None:
            self.temporal_address = self._settings.temporal_address
            return
        temporal = await make_temporal(
            self.data_dir, self._settings, say=self._say, has_ui=self._has_ui
        )
        await start_temporal(temporal, self._supervisor)
        self.temporal_address, self.temporal_ui_url = temporal.address, temporal.ui_url

    def _child_environment(self) -> dict[str, str]:
        settings = self._settings
        port = free_port(preferred=settings.port, host=settings.host)
        if self._has_gateway and settings.port not in (0, port):
            self._say(f"port {settings.port} is in use, so the gateway listens on {port}")
        gateway_url = f"http://{reachable(settings.host)}:{port}"
        self.gateway_url = gateway_url if self._has_gateway else None
        kept = keep_secrets(self.data_dir / "secrets.env")
        given = environment_of(settings)
        fixed = {
            "DATABASE_URL": self.database_url,
            "TEMPORAL_ADDRESS": self.temporal_address,
            "TEMPORAL_NAMESPACE": settings.temporal_namespace,
            "DRUMBEAT_DATA_DIR": str(self.data_dir),
            "DRUMBEAT_HOST": settings.host,
            "DRUMBEAT_PORT": str(port),
        }
        return kept | {"DRUMBEAT_PUBLIC_URL": gateway_url} | given | fixed | self._added

    async def _start_ours(self, name: str) -> None:
        environment = dict(self.environment)
        url = f"{self.gateway_url}/readyz"
        if name == "worker":
            host = self._settings.host
            port = free_port(preferred=self._settings.metrics_port, host=host)
            environment["DRUMBEAT_METRICS_PORT"] = str(port)
            url = f"http://{reachable(host)}:{port}/healthz"
        await self._supervisor.start(
            Program(
                name=name,
                command=self._commands[name],
                log=self.data_dir / "logs" / f"{name}.log",
                environment=environment,
                unset=kept_back_names(),
                is_ready=lambda: answers(url),
                stop_seconds=WORKER_STOP_SECONDS if name == "worker" else GATEWAY_STOP_SECONDS,
            )
        )


def reachable(host: str) -> str:
    """How a URL names the address that a server listens on."""
    return ANY_ADDRESS.get(host) or (f"[{host}]" if ":" in host else host)


async def _all(*work: Awaitable[None]) -> None:
    """At the same time; the first failure ends the others and is raised as itself."""
    try:
        async with asyncio.TaskGroup() as group:
            for one in work:
                group.create_task(_run(one))
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def _run(work: Awaitable[None]) -> None:
    await work
