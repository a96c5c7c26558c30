"""One attempt at a call at a time, at the instant that a test says."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from temporalio.testing import ActivityEnvironment

from shared.contracts.recipient import ActionOrder
from shared.db.session import Database
from shared.domain.recipient import ActivityName, Outcome
from shared.keyring import Keyring
from tests.factories import Company
from tests.fakes.bland import FakeBland
from tests.fakes.conductor import RecordingConductor
from tests.phone_line import MORNING, PhoneLine
from workflows.parts import Parts, make_parts

Act = Callable[..., Awaitable[Outcome]]
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def at(instant: datetime, *, attempt: int = 1) -> ActivityEnvironment:
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, started_time=instant, attempt=attempt)
    return environment


@pytest.fixture
def bland() -> FakeBland:
    return FakeBland(clock=lambda: MORNING)


@pytest.fixture
async def line(company: Company, database: Database, keyring: Keyring) -> PhoneLine:
    return await PhoneLine.connect(company, database, keyring, api_key=FakeBland.api_key)


@pytest.fixture
async def phone_parts(
    database: Database, keyring: Keyring, conductor: RecordingConductor, bland: FakeBland
) -> AsyncIterator[Parts]:
    async with bland.http() as http:
        yield make_parts(
            database=database,
            keyring=keyring,
            conductor=conductor,
            http=http,
            token_source_of=lambda _: pytest.fail("no mailbox is opened here"),
            gmail_endpoint="http://gmail.test",
            bland_endpoint=bland.endpoint,
            public_url="https://gateway.test",
            poll_seconds=1,
        )


@pytest.fixture
def call(phone_parts: Parts) -> Act:
    async def attempt(
        order: ActionOrder, instant: datetime = MORNING, *, attempt: int = 1
    ) -> Outcome:
        return await at(instant, attempt=attempt).run(phone_parts.bland.call, order)

    return attempt


@pytest.fixture
def collect(phone_parts: Parts) -> Act:
    async def attempt(order: ActionOrder, instant: datetime = MORNING + 13 * MINUTE) -> Outcome:
        asked = replace(order, activity=ActivityName.BLAND_COLLECT)
        return await at(instant).run(phone_parts.bland.collect, asked)

    return attempt
