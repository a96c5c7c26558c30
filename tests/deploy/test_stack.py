"""Everything together: the real servers, and stand-ins for worker and gateway."""

import json
import os
import re
import signal
import socket
import stat
import sys
from pathlib import Path

import psycopg
import pytest
from temporalio.client import Client

from deploy.local.lock import InUse
from deploy.local.postgres import running_postgres
from deploy.local.probe import answers
from deploy.local.process import DidNotStart
from deploy.local.secrets_file import keep_secrets
from deploy.local.stack import LocalStack, reachable
from deploy.local.temporal import running_temporal
from shared.config import Settings
from shared.keyring import Keyring
from tests.deploy.holder import names_in
from tests.deploy.waiting import is_alive, until

PART = (sys.executable, str(Path(__file__).with_name("stand_in_part.py")))


async def no_migrations(owner_url: str) -> None: ...


def make_stack(folder: Path, said: list[str], **settings: object) -> LocalStack:
    return LocalStack(
        Settings.model_validate({"data_dir": folder, "port": 0} | settings),
        ui=False,
        say=said.append,
        migrate=no_migrations,
        worker_command=(*PART, "worker"),
        gateway_command=(*PART, "gateway"),
        environment={"DRUMBEAT_GMAIL_ENDPOINT": "http://127.0.0.1:4100"},
    )


def environment_of(folder: Path, name: str) -> dict[str, str]:
    shown = json.loads((folder / f"{name}-environment.json").read_text())
    return {str(key): str(value) for key, value in shown.items()}


def log_in(url: str) -> str:
    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as connection:
        row = connection.execute("select current_user").fetchone()
        assert row is not None
        return str(row[0])


async def test_everything_answers_and_goes_again(folder: Path, said: list[str]) -> None:
    async with make_stack(folder, said) as stack:
        assert await answers(f"{stack.gateway_url}/readyz")
        assert log_in(stack.database_url) == "drumbeat_app"
        assert stack.owner_url is not None
        assert log_in(stack.owner_url) == "drumbeat_owner"
        await Client.connect(stack.temporal_address)
        pids = [stack.supervisor.pid(name) for name in ("postgres", "temporal", "worker")]
    assert not await answers(f"{stack.gateway_url}/readyz")
    assert not any(is_alive(pid) for pid in pids)


async def test_the_children_learn_everything_from_their_environment(
    folder: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = folder / "owner"
    secret.write_text("postgresql://drumbeat_owner:secret@localhost/drumbeat")
    monkeypatch.setenv("DRUMBEAT_MIGRATION_DATABASE_URL_FILE", str(secret))
    stack = make_stack(folder, said, cors_origins="https://a.example, https://b.example")
    async with stack:
        for name in ("worker", "gateway"):
            shown = environment_of(folder, name)
            assert shown["DATABASE_URL"] == stack.database_url
            assert shown["TEMPORAL_ADDRESS"] == stack.temporal_address
            assert shown["TEMPORAL_NAMESPACE"] == "default"
            assert shown["DRUMBEAT_PUBLIC_URL"] == stack.gateway_url
            assert shown["DRUMBEAT_GMAIL_ENDPOINT"] == "http://127.0.0.1:4100"
            assert shown["DRUMBEAT_CORS_ORIGINS"] == "https://a.example,https://b.example"
            assert "MIGRATION_DATABASE_URL" not in "".join(shown)
            Keyring(
                secret_key=shown["DRUMBEAT_SECRET_KEY"],
                encryption_keys=shown["DRUMBEAT_ENCRYPTION_KEYS"],
            )


async def test_addresses_and_secrets_stay_the_same(folder: Path, said: list[str]) -> None:
    async with make_stack(folder, said) as stack:
        first = stack.environment
    async with make_stack(folder, said, port=int(first["DRUMBEAT_PORT"])) as stack:
        assert stack.environment == first


async def test_nobody_else_on_the_machine_can_read_what_is_kept(
    folder: Path, said: list[str]
) -> None:
    async with make_stack(folder / "data", said):
        modes = {file.name: mode_of(file) for file in (folder / "data").iterdir()}
    assert not mode_of(folder / "data") & 0o066
    assert [name for name in ("logs", "postgres", "temporal") if modes[name] != 0o700] == []
    assert modes["secrets.env"] == 0o600
    assert without_restarts(said) == []


def without_restarts(said: list[str]) -> list[str]:
    """Another test may take a port between the look for a free one and the server's start."""
    return [line for line in said if not re.search("starting it again|is back$", line)]


def mode_of(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


async def test_a_killed_worker_comes_back(folder: Path, said: list[str]) -> None:
    async with make_stack(folder, said) as stack:
        os.kill(stack.supervisor.pid("worker"), signal.SIGKILL)
        await until(lambda: "worker is back" in said)


async def test_a_busy_port_is_left_and_named(folder: Path, said: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        port = somebody.getsockname()[1]
        async with make_stack(folder, said, port=port) as stack:
            assert without_restarts(said) == [
                f"port {port} is in use, so the gateway listens on "
                f"{stack.environment['DRUMBEAT_PORT']}"
            ]


async def test_a_second_start_in_the_same_folder_is_refused(folder: Path, said: list[str]) -> None:
    async with make_stack(folder, said):
        with pytest.raises(InUse, match=f"in use by process {os.getpid()}"):
            async with make_stack(folder, said):
                pass


async def test_servers_that_run_already_are_used(folder: Path, said: list[str]) -> None:
    async with (
        running_postgres(folder / "theirs", throwaway=True) as postgres,
        running_temporal(folder / "theirs", throwaway=True) as temporal,
        make_stack(
            folder, said, database_url=postgres.app_url, temporal_address=temporal.address
        ) as stack,
    ):
        assert stack.database_url == postgres.app_url
        assert stack.temporal_address == temporal.address
        assert environment_of(folder, "worker")["DATABASE_URL"] == postgres.app_url
        assert without_restarts(said) == [
            "the tables are taken as they are: run `drumbeat migrate` after an update"
        ]
        assert not (folder / "postgres").exists()
        assert names_in(folder / "temporal") == []


async def test_what_was_started_is_stopped_when_a_later_part_fails(
    folder: Path, said: list[str]
) -> None:
    stack = LocalStack(
        Settings(data_dir=folder, port=0),
        ui=False,
        say=said.append,
        migrate=no_migrations,
        worker_command=(sys.executable, "-c", "raise SystemExit('no such queue')"),
        gateway_command=(*PART, "gateway"),
    )
    with pytest.raises(DidNotStart, match="no such queue"):
        await stack.__aenter__()
    assert not (folder / "postgres" / "postmaster.pid").exists()
    async with running_postgres(folder, throwaway=True):  # its lock is free again
        pass


@pytest.mark.parametrize(
    ("host", "shown"),
    [("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("::1", "[::1]"), ("10.0.0.7", "10.0.0.7")],  # noqa: S104  # only shown
)
def test_the_address_that_is_shown_can_be_opened(host: str, shown: str) -> None:
    assert reachable(host) == shown


def test_a_secret_that_exists_is_never_made_again(folder: Path) -> None:
    (folder / "secrets.env").write_text("# mine\nDRUMBEAT_SECRET_KEY=a=b=c\n")
    kept = keep_secrets(folder / "secrets.env")
    assert kept["DRUMBEAT_SECRET_KEY"] == "a=b=c"
    assert keep_secrets(folder / "secrets.env") == kept
