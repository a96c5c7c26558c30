"""The Postgres of a local start: what it keeps, who may do what, and how it comes back."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from deploy.local.lock import InUse
from deploy.local.postgres import Postgres, running_postgres, socket_folder
from deploy.local.supervisor import Supervisor
from shared.errors import Misconfigured
from tests.deploy.holder import holding
from tests.deploy.waiting import is_alive, until

# Starts a Postgres, stores a row, and stays until it is killed.
HOLDER = """
import asyncio, pathlib, sys
from deploy.local.postgres import running_postgres
from tests.deploy.test_postgres import connect, store_a_row
async def main():
    async with running_postgres(pathlib.Path(sys.argv[1])) as postgres:
        store_a_row(postgres)
        print("stored", flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


def connect(
    postgres: Postgres, role: str = "drumbeat_owner"
) -> psycopg.Connection[tuple[Any, ...]]:
    url = postgres.url(role).replace("postgresql+psycopg", "postgresql")
    return psycopg.connect(url, autocommit=True)


def store_a_row(postgres: Postgres) -> None:
    with connect(postgres) as connection:
        connection.execute("create table kept (words text)")
        connection.execute("insert into kept values ('still here')")


def read_the_row(postgres: Postgres) -> list[tuple[Any, ...]]:
    with connect(postgres) as connection:
        return connection.execute("select words from kept").fetchall()


def postmaster_of(folder: Path) -> int:
    return int((folder / "postgres" / "postmaster.pid").read_text().split()[0])


async def test_rows_survive_a_kill_of_everything(folder: Path) -> None:
    with holding(HOLDER, folder) as holder:
        assert holder.line() == "stored"
        os.kill(postmaster_of(folder), signal.SIGKILL)
    async with running_postgres(folder) as postgres:
        assert read_the_row(postgres) == [("still here",)]


async def test_rows_survive_a_killed_server(folder: Path, said: list[str]) -> None:
    postgres = Postgres(folder / "postgres", log=folder / "log", say=said.append)
    async with Supervisor(records=folder / "run", say=said.append) as supervisor:
        await supervisor.start(postgres.program)
        await postgres.provision()
        store_a_row(postgres)
        os.kill(supervisor.pid("postgres"), signal.SIGKILL)
        await until(lambda: "postgres is back" in said)
        assert read_the_row(postgres) == [("still here",)]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start ends it")
async def test_the_server_ends_with_its_supervisor(folder: Path) -> None:
    with holding(HOLDER, folder) as holder:
        assert holder.line() == "stored"
        postmaster = postmaster_of(folder)
    await until(lambda: not is_alive(postmaster))


async def test_a_pid_file_that_names_a_stranger_does_not_stop_a_start(folder: Path) -> None:
    async with running_postgres(folder, throwaway=True):
        left = (folder / "postgres" / "postmaster.pid").read_text().splitlines()
    (folder / "postgres" / "postmaster.pid").write_text("\n".join([str(os.getpid()), *left[1:]]))
    async with running_postgres(folder, throwaway=True) as postgres:
        store_a_row(postgres)


async def test_a_server_that_lost_its_parent_is_ended_first(folder: Path, said: list[str]) -> None:
    async with running_postgres(folder, throwaway=True) as postgres:
        left = postmaster_of(folder)
        await asyncio.to_thread(postgres._before_start)
        assert not is_alive(left)


async def test_half_a_cluster_is_made_anew(folder: Path) -> None:
    (folder / "postgres.unfinished").mkdir()
    (folder / "postgres.unfinished" / "PG_VERSION").write_text("18\n")
    async with running_postgres(folder, throwaway=True) as postgres:
        store_a_row(postgres)
    assert not (folder / "postgres.unfinished").exists()


async def test_a_second_start_names_the_process_that_has_the_folder(folder: Path) -> None:
    async with running_postgres(folder, throwaway=True):
        with pytest.raises(InUse, match=f"in use by process {os.getpid()}: stop it, or set"):
            async with running_postgres(folder, throwaway=True):
                pass


async def test_data_of_another_version_is_not_touched(folder: Path) -> None:
    (folder / "postgres").mkdir()
    (folder / "postgres" / "PG_VERSION").write_text("16\n")
    with pytest.raises(Misconfigured, match="made by Postgres 16, and this is 18"):
        async with running_postgres(folder):
            pass


@pytest.mark.parametrize("name", ["x" * 90, "a,b", "per%20cent #?&' blank"])
async def test_any_path_will_do(folder: Path, name: str) -> None:
    async with running_postgres(folder / name, throwaway=True) as postgres:
        store_a_row(postgres)
        assert read_the_row(postgres) == [("still here",)]


def test_a_path_too_long_for_a_socket_gets_a_short_one() -> None:
    long = Path("/home/somebody") / ("deep/" * 25) / "postgres"
    assert len(str(socket_folder(long) / ".s.PGSQL.5432")) < 100
    assert socket_folder(long) == socket_folder(long)
    assert socket_folder(long) != socket_folder(long.with_name("other"))


async def test_another_server_of_the_user_does_not_interfere(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = {"PGPORT": "6543", "PGDATA": "/nowhere", "PGHOST": "example.org", "PGUSER": "eve"}
    for name, value in others.items():
        monkeypatch.setenv(name, value)
    async with running_postgres(folder, throwaway=True) as postgres:
        store_a_row(postgres)


async def test_the_application_owns_nothing_and_waits_for_nothing_long(folder: Path) -> None:
    async with running_postgres(folder, throwaway=True) as postgres:
        await postgres.provision()  # once more changes nothing
        store_a_row(postgres)
        with connect(postgres, "drumbeat_app") as connection:
            shown = {name: connection.execute(f"show {name}").fetchone() for name in TIMEOUTS}
            might = connection.execute(
                "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb"
                " from pg_roles where rolname = current_user"
            ).fetchone()
            connection.execute("create temporary table passing (words text)")
            for statement in ("create table mine ()", "select * from kept", "set role postgres"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement)
    assert shown == {name: (value,) for name, value in TIMEOUTS.items()}
    assert might == (False, False, False, False)


TIMEOUTS = {
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "30s",
}


async def test_the_owner_can_hand_a_function_to_the_lookup_role(folder: Path) -> None:
    async with running_postgres(folder, throwaway=True) as postgres:
        with connect(postgres) as connection:
            connection.execute("create function one() returns int language sql return 1")
            connection.execute("alter function one() owner to drumbeat_lookup")
            connection.execute("set role drumbeat_lookup")
            connection.execute("create or replace function one() returns int language sql return 2")
            connection.execute("grant execute on function one() to drumbeat_app")
        with connect(postgres, "drumbeat_app") as connection:
            assert connection.execute("select one()").fetchone() == (2,)
        with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
            connect(postgres, "drumbeat_lookup")


async def test_passwords_come_from_the_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRUMBEAT_APP_PASSWORD", "it's a secret")
    async with running_postgres(folder, throwaway=True) as postgres:
        with connect(postgres, "postgres") as connection:
            stored = connection.execute(
                "select rolname, rolpassword is not null from pg_authid"
                " where rolname in ('drumbeat_app', 'drumbeat_owner') order by 1"
            ).fetchall()
    assert stored == [("drumbeat_app", True), ("drumbeat_owner", False)]
