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
READY_SECONDS = 60


def environment_of(service: Service, postgres: Postgres, temporal: Temporal) -> dict[str, str]:
    """What the file gives, with the addresses of the servers that run here."""
    socket = f"@/{DATABASE}?host={postgres.socket_folder}&port={PORT}"
    given = {
        name: value.replace("@postgres:5432/drumbeat", socket).replace(
            "temporal:7233", temporal.address
        )
        for name, value in service.environment.items()
    }
    # Not on every address of this machine; and nothing but PATH and HOME from us.
    given |= {name: "127.0.0.1" for name in ("DRUMBEAT_HOST",) if name in given}
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
    environment = environment_of(SERVICES[name], postgres, temporal)
    async with running(SERVICES[name], environment, folder) as process:
        code = await asyncio.wait_for(process.wait(), READY_SECONDS)
    return code, (folder / f"{name}.log").read_text()


async def until_healthy(
    service: Service, port: int, process: asyncio.subprocess.Process, folder: Path
) -> None:
    """As the health check of the file asks: the same path, on the port that is used here."""
    path = service.settings["healthcheck"]["test"][-1].partition("127.0.0.1:")[2].split("'")[0]
    async with asyncio.timeout(READY_SECONDS):
        while not await answers(f"http://127.0.0.1:{port}/{path.partition('/')[2]}"):
            said = (folder / f"{service.name}.log").read_text()
            assert process.returncode is None, f"{service.name} ended: {said}"
            await asyncio.sleep(0.1)


@pytest.mark.timeout(240)
async def test_every_part_starts_and_stops_with_what_the_file_gives_it(
    postgres: Postgres, temporal_server: Temporal, folder: Path
) -> None:
    await postgres.provision(database=DATABASE)
    for job in ("migrate", "provision"):
        code, said = await run_job(job, postgres, temporal_server, folder)
        assert code == 0, said
    client = await Client.connect(temporal_server.address, namespace=NAMESPACE)
    assert await missing_attributes(client, NAMESPACE) == []

    async with AsyncExitStack() as stack:
        started = {}
        for service in (it for it in SERVICES.values() if it.is_ours and not it.is_job):
            environment = environment_of(service, postgres, temporal_server)
            setting = "DRUMBEAT_PORT" if service.name == "gateway" else "DRUMBEAT_METRICS_PORT"
            port = free_port()
            environment[setting] = str(port)
            process = await stack.enter_async_context(running(service, environment, folder))
            started[service.name] = (service, port, process)
        assert len(started) == 4
        for service, port, process in started.values():
            await until_healthy(service, port, process, folder)
        for _, _, process in started.values():
            process.send_signal(signal.SIGTERM)
        codes = {name: await it[2].wait() for name, it in started.items()}
    # The gateway's server ends by the signal itself, once its requests are done.
    assert codes == dict.fromkeys(started, 0) | {"gateway": -signal.SIGTERM}
