"""The gateway with a key of Unipile, and the sandbox's Unipile at the other end."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
from fastapi import FastAPI

from api.parts import Parts
from shared.providers.unipile import UnipileClient
from tests.api.conftest import GATEWAY
from tests.factories import Company
from tests.fakes.unipile import FakeUnipile
from tests.networking import Clock, Network, connect_network

NEWS = f"{GATEWAY}/webhooks/unipile"
SECRET = "a secret of ours"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def unipile(clock: Clock) -> AsyncIterator[FakeUnipile]:
    fake = FakeUnipile(clock=clock)
    yield fake
    assert fake.contract.breaches == []


@pytest.fixture
async def parts(parts: Parts, unipile: FakeUnipile) -> AsyncIterator[Parts]:
    async with unipile.http() as http:
        client = UnipileClient(http, endpoint=unipile.endpoint, api_key=unipile.api_key)
        yield replace(parts, unipile=client, unipile_secret=SECRET)


@pytest.fixture
async def gateway(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """How Unipile calls."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=GATEWAY) as client:
        yield client


@pytest.fixture
async def network(company: Company, unipile: FakeUnipile, clock: Clock, parts: Parts) -> Network:
    """Connected, and telling us of everything."""
    network = await connect_network(company, unipile, clock)
    assert parts.unipile is not None
    await parts.unipile.register_webhooks(NEWS, SECRET)
    return network
