"""A gateway in a process of its own, and the keys that it shares with whoever asks it."""

import asyncio
import os
import sys
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.bench.asking import Page
from deploy.local.ports import free_port
from deploy.local.postgres import Postgres
from deploy.local.temporal import Temporal
from shared.keyring import Keyring

PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The installation's secrets, made up for this run."""

    secret: str = field(default_factory=lambda: b64encode(os.urandom(32)).decode())

    @property
    def encryption(self) -> str:
        return f"bench:{self.secret}"

    def keyring(self) -> Keyring:
        return Keyring(secret_key=self.secret, encryption_keys=self.encryption)


def environment_of(
    postgres: Postgres, temporal: Temporal, keys: Keys, folder: Path
) -> dict[str, str]:
    """What a process of ours has to know to work on these servers."""
    return os.environ | {
        "DATABASE_URL": postgres.app_url,
        "TEMPORAL_ADDRESS": temporal.address,
        "DRUMBEAT_DATA_DIR": str(folder / "data"),
        "DRUMBEAT_SECRET_KEY": keys.secret,
        "DRUMBEAT_ENCRYPTION_KEYS": keys.encryption,
    }


@asynccontextmanager
async def serving_gateway(
    postgres: Postgres, temporal: Temporal, keys: Keys, folder: Path
) -> AsyncIterator[int]:
    """The server until the block ends; gives its port."""
    port = free_port()
    environment = environment_of(postgres, temporal, keys, folder) | {"DRUMBEAT_PORT": str(port)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy.bench.listing_server", env=environment
    )
    try:
        await _wait_until_up(process, port)
        yield port
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _wait_until_up(process: asyncio.subprocess.Process, port: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while process.returncode is None:
            try:
                await Page(port=port, path="/healthz").read()
            except OSError:
                await asyncio.sleep(0.2)
            else:
                return
    raise RuntimeError(f"the gateway ended with {process.returncode} before it answered")
