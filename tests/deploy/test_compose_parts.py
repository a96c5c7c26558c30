"""Every command of docker-compose.yml, with the environment that it gives, on the real servers."""

import asyncio
import base64
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from temporalio.client import Client

from deploy.local.ports import free_port
from deploy.local.postgres import PORT, Postgres
from deploy.local.probe import answers
from deploy.local.temporal import Temporal
from deploy.local.temporal_namespace import missing_attributes
from shared.contracts.queues import Queue
from tests.deploy.compose_file import Service, read_services, required_variables

NAMESPACE = "compose"
DATABASE = "compose"
VARIABLES = dict.fromkeys(required_variables(), "samplesample") | {
    "DRUMBEAT_SECRET_KEY": "s" * 32,
    "DRUMBEAT_ENCRYPTION_KEYS": f"k1:{base64.b64encode(bytes(32)).decode()}",
    "TEMPORAL_NAMESPACE": NAMESPACE,
}
SERVICES = read_services(VARIABLES)
DRUMBEAT = str(Path(sys.executable).with_name("drumbeat"))
READY_SECONDS = 180


def environment_of(
    service: Service, postgres: Postgres, temporal: Temporal, folder: Path
) -> dict[str, str]:
    """What the file gives, with the addresses of the servers that run here."""
    socket = f"@/{DATABASE}?host={postgres.socket_folder}&port={PORT}"
    given = {
        name: value.replace("@postgres:5432/drumbeat", socket).replace(
            "temporal:7233", temporal.address
        )
        for name, value in service.environment.items()
    }
    # Not on every address of this machine, and in a folder of the test's.
    own = {"DRUMBEAT_HOST": "127.0.0.1", "DRUMBEAT_DATA_DIR": str(folder / "data")}
    given |= {name: value for name, value in own.items() if name in given}
    return given | {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]}


@asynccontextmanager
async def running(
    service: Service, environment: dict[str, str], folder: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    log = folder / f"{service.name}.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            DRUMBEAT, *service.command, env=environment, cwd=folder, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def run_job(
    name: str, postgres: Postgres, temporal: Temporal, folder: Path
) -> tuple[int, str]:
    environment = environment_of(SERVICES[name], postgres, temporal, folder)
    async with running(SERVICES[name], environment, folder) as process:
        code = await asyncio.wait_for(process.wait(), READY_SECONDS)
    return code, (folder / f"{name}.log").read_text()


async def start_healthy(
    service: Service, environment: dict[str, str], folder: Path, stack: AsyncExitStack
) -> asyncio.subprocess.Process:
    """Return when its health check would pass. A port that somebody took just now is given up."""
    path = service.settings["healthcheck"]["test"][-1].partition("127.0.0.1:")[2].split("'")[0]
    setting = "DRUMBEAT_PORT" if service.name == "gateway" else "DRUMBEAT_METRICS_PORT"
    for _ in range(3):
        port = free_port()
        url = f"http://127.0.0.1:{port}/{path.partition('/')[2]}"
        own = environment | {setting: str(port)}
        process = await stack.enter_async_context(running(service, own, folder))
        async with asyncio.timeout(READY_SECONDS):
            while process.returncode is None and not await answers(url):  # noqa: ASYNC110 - it is another process
                await asyncio.sleep(0.1)
        if process.returncode is None:
            return process
        said = (folder / f"{service.name}.log").read_text()
        assert "address already in use" in said or "is taken" in said, f"{service.name}: {said}"
    raise AssertionError(f"{service.name} found no free port")


@pytest.mark.timeout(900)
async def test_every_part_starts_and_stops_with_what_the_file_gives_it(
    postgres: Postgres, temporal_server: Temporal, folder: Path
) -> None:
    await postgres.provision(database=DATABASE)
    for job in ("migrate", "provision"):
        code, said = await run_job(job, postgres, temporal_server, folder)
        assert code == 0, said
    client = await Client.connect(temporal_server.address, namespace=NAMESPACE)
    assert await missing_attributes(client, NAMESPACE) == []

    lasting = [it for it in SERVICES.values() if it.is_ours and not it.is_job]
    assert len(lasting) == 1 + len(Queue)
    async with AsyncExitStack() as stack:
        starting = [
            start_healthy(
                service, environment_of(service, postgres, temporal_server, folder), folder, stack
            )
            for service in lasting
        ]
        processes = await asyncio.gather(*starting)
        for process in processes:
            process.send_signal(signal.SIGTERM)
        codes = [await process.wait() for process in processes]
    # The gateway's server ends by the signal itself, once its requests are done.
    expected = [-signal.SIGTERM if it.name == "gateway" else 0 for it in lasting]
    assert codes == expected
