"""The whole product, started as `drumbeat up` starts it, meets what its REST API was asked for."""

import asyncio
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from deploy.demo.script import SELLER
from deploy.local.ports import free_port
from deploy.local.stack import LocalStack
from deploy.sandbox.emulator import GoogleEmulator, OAuthClient, Seed
from shared.config import Settings
from tests.system_d.success import CRITERIA


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short enough for a socket, and servers with another user may pass through."""
    made = Path(tempfile.mkdtemp(prefix="drumbeat-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
async def gateway(folder: Path) -> AsyncIterator[str]:
    """Gateway, worker, Postgres, Temporal, and a Google that knows one mailbox."""
    settings = Settings(_env_file=None).model_copy(
        update={
            "data_dir": folder,
            "host": "127.0.0.1",
            "port": free_port(),
            "database_url": None,
            "temporal_address": None,
        }
    )
    url = f"http://127.0.0.1:{settings.port}"
    client = OAuthClient(
        client_id="drumbeat",
        client_secret="a secret of tests",
        redirect_uris=(f"{url}/email/callback/",),
    )
    google = GoogleEmulator(
        Seed(users=(SELLER,), client=client), log=folder / "google.log", cache=settings.cache_dir
    )
    environment = google.environment() | {"DRUMBEAT_PUBLIC_URL": url}
    async with google, LocalStack(settings, ui=False, environment=environment, say=print):
        yield url


@pytest.mark.timeout(900)
async def test_every_criterion_is_met_by_a_gateway_that_runs(gateway: str) -> None:
    script = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "tests.system_d.success", gateway),
        *("--gmail", SELLER.email),
        cwd=Path(__file__).parents[2],
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await script.communicate()
    said = output.decode()

    assert script.returncode == 0, said
    assert said.count("met: ") == len(CRITERIA)
