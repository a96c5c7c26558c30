"""One attempt at a time, at the instant that a test says."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import datetime

import httpx
import pytest
from temporalio.testing import ActivityEnvironment

from shared.contracts.recipient import ActionOrder
from shared.db.session import Database
from shared.domain.recipient import Outcome
from shared.keyring import Keyring
from tests.factories import NOON, Company
from tests.fakes.conductor import RecordingConductor
from tests.fakes.gmail import FakeGmail, FakeTokens
from workflows.parts import Parts, make_parts

Send = Callable[..., Awaitable[Outcome]]


@pytest.fixture
async def http(gmail: FakeGmail) -> AsyncIterator[httpx.AsyncClient]:
    async with gmail.http() as http:
        yield http


@pytest.fixture
def parts(
    database: Database,
    keyring: Keyring,
    conductor: RecordingConductor,
    gmail: FakeGmail,
    http: httpx.AsyncClient,
) -> Parts:
    tokens = FakeTokens()
    return make_parts(
        database=database,
        keyring=keyring,
        conductor=conductor,
        http=http,
        token_source_of=lambda _: tokens,
        gmail_endpoint=gmail.endpoint,
        poll_seconds=1,
    )


def at(instant: datetime) -> ActivityEnvironment:
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, started_time=instant)
    return environment


@pytest.fixture
def send(parts: Parts) -> Send:
    """One attempt, at noon unless told otherwise."""

    async def attempt(order: ActionOrder, instant: datetime = NOON) -> Outcome:
        return await at(instant).run(parts.gmail.send, order)

    return attempt


@pytest.fixture
async def order(company: Company) -> ActionOrder:
    return await company.make_order()
