"""A Temporal server of our own, with its data in one folder that survives every kill.

`ports.json` keeps its ports, so that the address stays; `written-by` keeps the server's version.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.local import temporal_build
from deploy.local.lock import FileLock
from deploy.local.ports import remembered_ports
from deploy.local.probe import answers, listens
from deploy.local.process import Program
from deploy.local.progress import say
from deploy.local.supervisor import Supervisor
from deploy.local.temporal_files import DATABASE, dynamic_settings, prepare_database, write_settings
from deploy.local.temporal_source import Kind, ServerBinary, find_server
from shared.config import Settings
from shared.errors import Misconfigured

if TYPE_CHECKING:
    from temporalio.client import Client

USUAL_PORTS = {"FRONTEND": 7233, "UI": 8233}  # where people look first
SERVICES = ("FRONTEND", "HISTORY", "MATCHING", "WORKER")
PORTS = ("FRONTEND", "UI", "FRONTEND_HTTP", *SERVICES[1:], *(f"{it}_MEMBERS" for it in SERVICES))


class Temporal:
    """`ui` is the UI's program where the server does not bring its own; None: no UI."""

    def __init__(
        self,
        folder: Path,
        *,
        binary: ServerBinary,
        logs: Path,
        namespace: str = "default",
        has_ui: bool = False,
        ui: Path | None = None,
        throwaway: bool = False,
    ) -> None:
        self.folder = folder.absolute()
        self.namespace = namespace
        self._binary = binary
        self._logs = logs
        self._has_ui = has_ui
        self._ui = ui
        self._synchronous = 0 if throwaway else 1
        self._ports: Mapping[str, int] = {}
        self._preferred = {} if throwaway else USUAL_PORTS

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._ports['FRONTEND']}"

    @property
    def ui_url(self) -> str | None:
        return f"http://127.0.0.1:{self._ports['UI']}" if self._has_ui else None

    def choose_ports(self) -> None:
        """Once, and not at every restart: others know the address by then."""
        self._check_version()
        self._ports = remembered_ports(self.folder / "ports.json", PORTS, preferred=self._preferred)

    @property
    def program(self) -> Program:
        is_cli = self._binary.kind is Kind.CLI
        return Program(
            name="temporal",
            command=self._cli_command() if is_cli else self._server_command(),
            log=self._logs / "temporal.log",
            cwd=self.folder,
            is_ready=self._is_ready,
            before_start=self._before_start,
        )

    @property
    def ui_program(self) -> Program | None:
        """None where there is no UI, or the server serves it."""
        if self._ui is None or not self._has_ui:
            return None
        options = ("--root", str(self.folder), "--config", ".", "--env", "ui", "start")
        return Program(
            name="temporal-ui",
            command=(str(self._ui), *options),
            log=self._logs / "temporal-ui.log",
            cwd=self.folder,
            is_ready=lambda: answers(f"http://127.0.0.1:{self._ports['UI']}/"),
        )

    async def provision(self) -> None:
        """The namespace and our search attributes are there and can be used."""
        from deploy.local.temporal_namespace import provision  # noqa: PLC0415  # imports the SDK

        await provision(await self.connect(), self.namespace)

    async def connect(self) -> "Client":
        from temporalio.client import Client  # noqa: PLC0415  # 0.5 s: while the server starts

        return await Client.connect(self.address, namespace=self.namespace)

    def _server_command(self) -> tuple[str, ...]:
        return (str(self._binary.path), "--config-file", "server.yaml", "--allow-no-auth", "start")

    def _cli_command(self) -> tuple[str, ...]:
        pragmas = {"journal_mode": "wal", "synchronous": self._synchronous, "busy_timeout": 10000}
        options = ["--db-filename", DATABASE, "--namespace", self.namespace]
        options += ["--ip", "127.0.0.1", "--log-level", "error", "--log-format", "json"]
        options += ["--port", str(self._ports["FRONTEND"])]
        options += ["--http-port", str(self._ports["FRONTEND_HTTP"])]
        if self._has_ui:
            options += ["--ui-port", str(self._ports["UI"]), "--ui-disable-news-fetch"]
        else:
            options += ["--headless"]
        for name, value in pragmas.items():
            options += ["--sqlite-pragma", f"{name}={value}"]
        for name, text in dynamic_settings().items():
            options += ["--dynamic-config-value", f"{name}={text}"]
        return (str(self._binary.path), "server", "start-dev", *options)

    async def _is_ready(self) -> bool:
        if not await listens(self._ports["FRONTEND"]):
            return False
        if self._has_ui and self._ui is None and not await listens(self._ports["UI"]):
            return False
        with contextlib.suppress(RuntimeError, TimeoutError):
            await asyncio.wait_for(self.connect(), 2)
            return True
        return False

    def _before_start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        prepare_database(self.folder / DATABASE)
        values: dict[str, object] = {"DATABASE": DATABASE, "SYNCHRONOUS": self._synchronous}
        values |= {"DYNAMIC_CONFIG": "dynamic-config.yaml", "NAMESPACE": self.namespace}
        write_settings(self.folder, values | dict(self._ports))
        (self.folder / "written-by").write_text(f"{self._binary.version}\n")

    def _check_version(self) -> None:
        """No server upgrades an SQLite file, and an older one does not notice."""
        written_by = self.folder / "written-by"
        before = written_by.read_text().strip() if written_by.exists() else self._binary.version
        if before.split(".")[:2] != self._binary.version.split(".")[:2]:
            raise Misconfigured(
                f"{self.folder} was written by Temporal server {before}, and "
                f"{self._binary.path} is {self._binary.version}. Start it with the former, or move "
                "that folder away: open recipients are then started anew from the database."
            )


@asynccontextmanager
async def running_temporal(
    folder: Path,
    *,
    say: Callable[[str], None] = say,
    throwaway: bool = False,
    has_ui: bool = False,
    settings: Settings | None = None,
    binary: ServerBinary | None = None,
) -> AsyncIterator[Temporal]:
    """A Temporal server in `folder`/temporal, with namespace and search attributes, for the block.

    `throwaway` writes nothing through to the disk and takes any ports: for tests, never for data.
    """
    settings = settings or Settings()
    temporal = await make_temporal(
        folder, settings, say=say, has_ui=has_ui, throwaway=throwaway, binary=binary
    )
    with temporal_lock(folder):
        async with Supervisor(records=folder / "run", say=say) as supervisor:
            await start_temporal(temporal, supervisor)
            yield temporal


async def make_temporal(
    folder: Path,
    settings: Settings,
    *,
    say: Callable[[str], None],
    has_ui: bool = False,
    throwaway: bool = False,
    binary: ServerBinary | None = None,
) -> Temporal:
    """Find the programs, fetched or built if need be. Nothing runs yet."""
    cache = settings.cache_dir.expanduser()
    binary = binary or await find_server(cache, say=say)
    ui = None
    if has_ui and binary.kind is Kind.SERVER:
        try:
            ui = await temporal_build.built(temporal_build.UI, cache, say=say)
        except temporal_build.CannotBuild as error:
            say(f"Temporal runs without its UI: {error}")
            has_ui = False
    return Temporal(
        folder / "temporal",
        binary=binary,
        logs=folder / "logs",
        namespace=settings.temporal_namespace,
        has_ui=has_ui,
        ui=ui,
        throwaway=throwaway,
    )


async def start_temporal(temporal: Temporal, supervisor: Supervisor) -> None:
    await asyncio.to_thread(temporal.choose_ports)
    await supervisor.start(temporal.program)
    started = [temporal.provision()]
    if temporal.ui_program is not None:
        started.append(supervisor.start(temporal.ui_program))
    await asyncio.gather(*started)


def temporal_lock(folder: Path) -> FileLock:
    return FileLock(folder / "temporal.lock")
