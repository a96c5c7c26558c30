"""The gateway of the product, in this process, for what providers tell by themselves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from argon2 import PasswordHasher
from obstore.store import MemoryStore

from api.container import assemble
from api.main import create_app
from api.parts import Parts
from api.passwords import Passwords
from api.places import Places
from api.services.phone_lines import BlandDoor
from deploy.chaos.people import Gateway
from deploy.chaos.workers import GATEWAY
from deploy.sandbox.bland import FakeBland
from shared.conductor import Conductor
from shared.db.session import Database
from shared.keyring import Keyring
from shared.providers.bland import BlandClient
from shared.storage import Storage
from shared.webhooks import Destinations

SECRET = "unipile-secret"  # noqa: S105 - of a sandbox


@asynccontextmanager
async def open_gateway(
    database: Database, keyring: Keyring, conductor: Conductor
) -> AsyncIterator[Gateway]:
    """It hears Bland and Unipile, and serves nobody else."""
    async with httpx.AsyncClient() as outside:
        parts = Parts(
            database=database,
            keyring=keyring,
            conductor=conductor,
            google=None,
            places=Places(public_url=GATEWAY, origins=()),
            passwords=Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)),
            storage=Storage(MemoryStore()),
            destinations=Destinations(),
            probes={},
            unipile_secret=SECRET,
            bland=BlandDoor(
                open=lambda key: BlandClient(outside, endpoint=FakeBland.endpoint, api_key=key),
                secret=FakeBland.secret,
            ),
        )
        transport = httpx.ASGITransport(create_app(assemble(parts)))
        async with httpx.AsyncClient(transport=transport) as http:
            yield Gateway(http, GATEWAY, SECRET)
