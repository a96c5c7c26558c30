"""The Temporal server of a local start: what it keeps, what a kill does to it, how it is found."""

import os
import shutil
import signal
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from deploy.local.lock import InUse
from deploy.local.ports import is_free, remembered_ports
from deploy.local.probe import answers
from deploy.local.supervisor import Supervisor
from deploy.local.temporal import make_temporal, running_temporal, start_temporal
from deploy.local.temporal_files import dynamic_settings, prepare_database
from deploy.local.temporal_namespace import SEARCH_ATTRIBUTES
from deploy.local.temporal_source import SOURCES, Kind, ServerBinary
from shared.config import Settings
from shared.errors import Misconfigured
from tests.deploy.holder import holding
from tests.deploy.waiting import until


@contextmanager
def taken(port: int) -> Iterator[None]:
    """Somebody listens on this port for as long as the block."""
    with socket.create_server(("127.0.0.1", port)):
        yield


STAND_IN = Path(__file__).with_name("stand_in_cli.py")

# Runs a server until it is killed.
HOLDER = """
import asyncio, pathlib, sys
from deploy.local.temporal import running_temporal
from tests.deploy.test_temporal import start_waiting
async def main():
    async with running_temporal(pathlib.Path(sys.argv[1]), throwaway=True) as temporal:
        await start_waiting(await temporal.connect(), "waiting")
        print(temporal.address, flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


async def start_waiting(client: Client, workflow_id: str) -> None:
    """A workflow that nobody serves, so it stays open, with each of our search attributes."""
    keys = [SearchAttributeKey.for_keyword(name) for name in SEARCH_ATTRIBUTES]
    attributes = TypedSearchAttributes([SearchAttributePair(key, "set") for key in keys])
    await client.start_workflow(
        "nobody", id=workflow_id, task_queue="nobody", search_attributes=attributes
    )


async def is_open(client: Client, workflow_id: str) -> bool:
    found = await client.get_workflow_handle(workflow_id).describe()
    return found.status is WorkflowExecutionStatus.RUNNING


async def test_an_open_workflow_survives_a_stop(folder: Path) -> None:
    async with running_temporal(folder, throwaway=True) as temporal:
        address = temporal.address
        await start_waiting(await temporal.connect(), "waiting")
    async with running_temporal(folder, throwaway=True) as temporal:
        assert temporal.address == address
        assert await is_open(await temporal.connect(), "waiting")


async def test_an_open_workflow_survives_a_kill_of_everything(folder: Path) -> None:
    with holding(HOLDER, folder) as holder:
        address = holder.line()
    async with running_temporal(folder, throwaway=True) as temporal:
        assert temporal.address == address
        assert await is_open(await temporal.connect(), "waiting")


async def test_a_killed_server_comes_back_with_its_workflows(folder: Path, said: list[str]) -> None:
    temporal = await make_temporal(folder, Settings(), say=said.append, throwaway=True)
    async with Supervisor(records=folder / "run", say=said.append) as supervisor:
        await start_temporal(temporal, supervisor)
        await start_waiting(await temporal.connect(), "waiting")
        os.kill(supervisor.pid("temporal"), signal.SIGKILL)
        await until(lambda: "temporal is back" in said)
        assert await is_open(await temporal.connect(), "waiting")


async def test_history_is_kept_for_a_month(folder: Path) -> None:
    async with running_temporal(folder, throwaway=True) as temporal:
        client = await temporal.connect()
        found = await client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace="default")
        )
    assert found.config.workflow_execution_retention_ttl.ToTimedelta().days == 30


async def test_a_second_start_names_the_process_that_has_the_folder(folder: Path) -> None:
    async with running_temporal(folder, throwaway=True):
        with pytest.raises(InUse, match=f"in use by process {os.getpid()}: stop it, or set"):
            async with running_temporal(folder, throwaway=True):
                pass


async def test_any_path_will_do(folder: Path) -> None:
    odd = folder / "a#b?c=d&e%41 'f'"
    async with running_temporal(odd, throwaway=True) as temporal:
        await start_waiting(await temporal.connect(), "waiting")
        assert (odd / "temporal" / "temporal.db").exists()


async def test_the_ui_answers(folder: Path) -> None:
    async with running_temporal(folder, throwaway=True, has_ui=True) as temporal:
        assert temporal.ui_url is not None
        assert await answers(f"{temporal.ui_url}/api/v1/namespaces/default/workflows")
    assert not await answers(temporal.ui_url)


async def test_data_of_another_version_is_not_touched(folder: Path) -> None:
    (folder / "temporal").mkdir()
    (folder / "temporal" / "written-by").write_text("1.31.4\n")
    with pytest.raises(Misconfigured, match=r"was written by Temporal server 1\.31\.4"):
        async with running_temporal(folder, throwaway=True):
            pass


async def test_a_start_that_was_killed_half_way_is_done_again(folder: Path) -> None:
    (folder / "temporal").mkdir()
    half = sqlite3.connect(folder / "temporal" / "temporal.db")
    half.execute("CREATE TABLE namespaces (id INTEGER PRIMARY KEY)")
    half.commit()
    half.close()
    async with running_temporal(folder, throwaway=True) as temporal:
        await start_waiting(await temporal.connect(), "waiting")


def test_the_members_of_the_last_run_are_forgotten_and_its_namespaces_kept(folder: Path) -> None:
    database = folder / "temporal.db"
    connection = sqlite3.connect(database)
    for table in ("namespaces", "cluster_membership"):
        connection.execute(f"CREATE TABLE {table} (id INTEGER)")
        connection.execute(f"INSERT INTO {table} VALUES (1)")  # noqa: S608  # our own two names
    connection.commit()
    prepare_database(database)
    assert connection.execute("SELECT * FROM cluster_membership").fetchall() == []
    assert connection.execute("SELECT * FROM namespaces").fetchall() == [(1,)]
    connection.close()


def test_a_broken_database_is_reported_with_what_to_do(folder: Path) -> None:
    (folder / "temporal.db").write_bytes(b"not a database" * 100)
    with pytest.raises(Misconfigured, match=r"cannot be read .* Move .* away"):
        prepare_database(folder / "temporal.db")


def test_ports_stay_the_same_unless_somebody_else_has_one(folder: Path) -> None:
    first = remembered_ports(folder / "ports.json", ["A", "B"])
    assert remembered_ports(folder / "ports.json", ["A", "B"]) == first
    with taken(first["A"]):
        second = remembered_ports(folder / "ports.json", ["A", "B"])
    assert second["B"] == first["B"]
    assert second["A"] != first["A"]


def test_a_preferred_port_is_taken_when_it_is_free(folder: Path) -> None:
    wanted = remembered_ports(folder / "other.json", ["A"])["A"]
    preferred = {"A": wanted}
    assert remembered_ports(folder / "1.json", ["A"], preferred=preferred)["A"] == wanted
    with taken(wanted):
        assert not is_free(wanted)
        assert remembered_ports(folder / "2.json", ["A"], preferred=preferred)["A"] != wanted


def test_every_line_of_the_dynamic_settings_is_understood() -> None:
    settings = dynamic_settings()
    assert settings["matching.enableFairness"] == "true"
    assert settings["history.timerProcessorMaxTimeShift"] == '"10ms"'
    assert settings["frontend.namespaceCount"] == "20000"
    assert settings["history.workflowIdReuseMinimalInterval"] == '"0s"'
    file = Path(__file__).parents[2] / "deploy" / "temporal" / "dynamic-config.yaml"
    lines = [line for line in file.read_text().splitlines() if line and line[0] != "#"]
    assert len(settings) == len(lines)


async def test_the_command_line_tool_runs_a_server_too(folder: Path) -> None:
    """With a stand-in that takes the tool's options, and no others, and runs the built server."""
    cli = folder / "temporal-cli"
    shutil.copy(STAND_IN, cli)
    cli.chmod(0o755)
    server = await SOURCES[-1].find(Settings().cache_dir.expanduser())
    (folder / "server").symlink_to(server.path)
    binary = ServerBinary(kind=Kind.CLI, path=cli, version="1.32.0", origin="a test")
    for name in ("first", "second"):
        async with running_temporal(folder, throwaway=True, binary=binary) as temporal:
            await start_waiting(await temporal.connect(), name)
    async with running_temporal(folder, throwaway=True, binary=binary) as temporal:
        assert await is_open(await temporal.connect(), "first")
