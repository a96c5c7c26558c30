"""`drumbeat` as a person or a script meets it: its words, its exit codes, its one line of JSON."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import cli
from deploy.local.postgres import running_postgres
from deploy.local.server_checks import check_database, check_temporal
from deploy.local.temporal import running_temporal
from shared.config import Settings
from tests.deploy.holder import Holder


@pytest.fixture
def environment(folder: Path) -> dict[str, str]:
    cache = str(Settings().cache_dir.expanduser())
    return os.environ | {
        "DRUMBEAT_DATA_DIR": str(folder / "data"),
        "DRUMBEAT_CACHE_DIR": cache,
        "DRUMBEAT_PORT": "0",
    }


def drumbeat(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deploy.cli", *arguments]
    return subprocess.run(  # noqa: S603  # our own command
        command, capture_output=True, text=True, env=environment, timeout=180, check=False
    )


@pytest.mark.parametrize("command", cli.command_names())
def test_every_command_shows_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([command, "--help"]) == 0
    assert "drumbeat" in capsys.readouterr().out.partition("Example: ")[2]


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f" {name} " in shown for name in cli.command_names())


@pytest.mark.parametrize(
    "arguments", [["dance"], ["up", "--faster"], ["worker", "--queue", "pigeon"]]
)
def test_wrong_usage_is_exit_code_2(arguments: list[str]) -> None:
    assert cli.run(arguments) == 2


def test_the_end_says_all_cleans_up_and_is_not_pythons_own() -> None:
    words = """
import atexit, sys
from deploy import cli

class Aborting:
    def __del__(self):
        print("taken apart")

kept = Aborting()
atexit.register(print, "cleaned up")
sys.stdout.write("said ")
cli.end(3)
"""
    ended = subprocess.run(  # noqa: S603  # our own words
        [sys.executable, "-c", words], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout) == (3, "said cleaned up\n")


def test_a_wrong_setting_is_named_and_its_value_is_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DRUMBEAT_PORT", "eighty")
    assert cli.run(["gateway"]) == 2
    shown = capsys.readouterr().err
    assert "DRUMBEAT_PORT" in shown
    assert "eighty" not in shown


def test_a_worker_without_servers_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert cli.run(["worker"]) == 2
    assert "`drumbeat up` starts everything" in capsys.readouterr().err


def test_migrating_a_server_needs_its_owners_login(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://drumbeat_app@localhost/drumbeat")
    monkeypatch.delenv("DRUMBEAT_MIGRATION_DATABASE_URL", raising=False)
    assert cli.run(["migrate"]) == 2
    assert "DRUMBEAT_MIGRATION_DATABASE_URL is not set" in capsys.readouterr().err


def test_up_prints_one_line_and_stops_when_asked(environment: dict[str, str]) -> None:
    up = Holder("from deploy.cli import main; main()", "up", "--json", environment=environment)
    ready = json.loads(up.line())
    assert ready["ready"] is True
    assert set(ready) == {"ready", "gateway", "temporal", "temporal_ui", "database"}
    assert "drumbeat_app@" in ready["database"]
    second = drumbeat("up", environment=environment)
    assert second.returncode == 2
    assert f"in use by process {up.pid}" in second.stderr
    up.process.send_signal(signal.SIGTERM)
    rest, _ = up.process.communicate(timeout=180)
    assert (rest, up.process.returncode) == ("", 0)


def test_ctrl_c_while_it_starts_is_exit_code_130(environment: dict[str, str]) -> None:
    up = Holder("from deploy.cli import main; main()", "up", "--no-ui", environment=environment)
    lock = Path(environment["DRUMBEAT_DATA_DIR"]) / "postgres.lock"
    while not lock.exists():
        assert up.process.poll() is None
    up.process.send_signal(signal.SIGINT)
    up.process.communicate(timeout=180)
    assert up.process.returncode == 130


def test_the_doctor_finds_this_machine_healthy(environment: dict[str, str]) -> None:
    result = drumbeat("doctor", "--json", environment=environment)
    report = json.loads(result.stdout)
    assert (result.returncode, report["ok"]) == (0, True)
    found = {check["name"]: check for check in report["checks"]}
    names = ["python", "database", "temporal", "Temporal CLI on the PATH", "build with Go"]
    assert [name for name in names if name not in found] == []


def test_the_doctor_says_what_is_wrong_and_how_to_mend_it(environment: dict[str, str]) -> None:
    wrong = {
        "DATABASE_URL": "postgresql://drumbeat_app@127.0.0.1:9/drumbeat",
        "TEMPORAL_ADDRESS": "127.0.0.1:9",
        "DRUMBEAT_SECRET_KEY": "short",
        "DRUMBEAT_ENCRYPTION_KEYS": "k1:bm90IDMyIGJ5dGVz",
        "DRUMBEAT_DATA_DIR": "/proc/drumbeat",
    }
    result = drumbeat("doctor", "--json", environment=environment | wrong)
    checks = json.loads(result.stdout)["checks"]
    missing = {check["name"]: check for check in checks if not check["is_ok"]}
    assert result.returncode == 1
    assert {"settings", "database", "temporal"} <= set(missing)
    assert all(check["remedy"] for check in missing.values())
    assert "DRUMBEAT_SECRET_KEY is shorter than 32 characters" in missing["settings"]["found"]
    assert "DRUMBEAT_ENCRYPTION_KEYS is not id:base64key" in missing["settings"]["found"]


async def test_the_doctor_judges_the_login_of_a_server(folder: Path) -> None:
    async with running_postgres(folder, throwaway=True) as postgres:
        found = {}
        for role in ("drumbeat_app", "drumbeat_owner", "postgres"):
            settings = Settings(database_url=postgres.url(role))
            found[role] = await asyncio.to_thread(check_database, settings)
    assert found["drumbeat_app"].is_ok
    assert "owns tables or the database" in found["drumbeat_owner"].found
    assert "is a superuser" in found["postgres"].found
    assert not found["drumbeat_owner"].is_ok
    assert not found["postgres"].is_ok


async def test_the_doctor_looks_into_a_given_temporal_server(folder: Path) -> None:
    async with running_temporal(folder, throwaway=True) as temporal:
        good = Settings(temporal_address=temporal.address)
        (check,) = await check_temporal(good)
        assert check.is_ok
        (check,) = await check_temporal(good.model_copy(update={"temporal_namespace": "other"}))
        assert not check.is_ok
