"""A fake Gmail whose clock stands at noon, and the real client on its wire."""

from collections.abc import AsyncIterator

import pytest

from deploy.sandbox.linkedin_world import SandboxAccount
from shared.providers.gmail import GmailClient
from shared.providers.unipile import UnipileClient
from tests.fakes.gmail import FakeGmail, FakeTokens
from tests.fakes.unipile import FakeUnipile
from tests.networking import Clock
from tests.providers.samples import NOON


@pytest.fixture
def gmail() -> FakeGmail:
    return FakeGmail(clock=lambda: NOON)


@pytest.fixture
async def client(gmail: FakeGmail) -> AsyncIterator[GmailClient]:
    async with gmail.http() as http:
        yield GmailClient(http, endpoint=gmail.endpoint, tokens=FakeTokens())


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture
def unipile(clock: Clock) -> FakeUnipile:
    fake = FakeUnipile(clock=clock)
    fake.world.members |= {"ada", "bob"}
    return fake


@pytest.fixture
def account(unipile: FakeUnipile) -> SandboxAccount:
    return unipile.world.add_account("sam-sender")


@pytest.fixture
async def linkedin(unipile: FakeUnipile) -> AsyncIterator[UnipileClient]:
    async with unipile.http() as http:
        yield UnipileClient(http, endpoint=unipile.endpoint, api_key=unipile.api_key)
    assert unipile.contract.breaches == []
