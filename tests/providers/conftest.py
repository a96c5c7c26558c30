"""A fake Gmail whose clock stands at noon, and the real client on its wire."""

from collections.abc import AsyncIterator

import pytest

from shared.providers.gmail import GmailClient
from tests.fakes.gmail import FakeGmail, FakeTokens
from tests.providers.samples import NOON


@pytest.fixture
def gmail() -> FakeGmail:
    return FakeGmail(clock=lambda: NOON)


@pytest.fixture
async def client(gmail: FakeGmail) -> AsyncIterator[GmailClient]:
    async with gmail.http() as http:
        yield GmailClient(http, endpoint=gmail.endpoint, tokens=FakeTokens())
