"""One attempt at a time, at the instant that a test says."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.testing import ActivityEnvironment

from activities.importing import ImportActivities
from shared.contracts.recipient import ActionOrder
from shared.db.models import JobRow
from shared.db.session import Database
from shared.domain.recipient import ActivityName, Outcome
from shared.keyring import Keyring
from shared.providers.unipile import UnipileClient
from shared.storage import Storage, make_storage
from tests.activities.calling import at, bland, call, collect, line, phone_parts
from tests.activities.files import Import, job_of, load, make_job
from tests.factories import NOON, Company
from tests.fakes.conductor import RecordingConductor
from tests.fakes.gmail import FakeGmail, FakeTokens
from tests.fakes.mail_server import FakeSmtp, ImapServer, move_to_smtp
from tests.fakes.unipile import FakeUnipile
from tests.networking import Clock, Network, connect_network
from workflows.parts import Parts, make_parts

__all__ = ["at", "bland", "call", "collect", "line", "phone_parts"]

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


@pytest.fixture
def send(parts: Parts) -> Send:
    """One attempt, at noon unless told otherwise."""

    async def attempt(order: ActionOrder, instant: datetime = NOON) -> Outcome:
        return await at(instant).run(parts.gmail.send, order)

    return attempt


@pytest.fixture
async def order(company: Company) -> ActionOrder:
    return await company.make_order()


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return make_storage(None, tmp_path)


@pytest.fixture
def activities(database: Database, storage: Storage, keyring: Keyring) -> ImportActivities:
    return ImportActivities(
        database=database, storage=storage, keyring=keyring, model=None, chunk_rows=100
    )


@pytest.fixture
def take_in(activities: ImportActivities, storage: Storage, company: Company) -> Import:
    """A whole import of these bytes, with the job's row as it is afterwards."""

    async def run(content: bytes, **more: Any) -> JobRow:
        order = await make_job(company, storage, content, **more)
        plan = await ActivityEnvironment().run(activities.sniff, order)
        if plan.is_open:
            await load(activities, order)
            await ActivityEnvironment().run(activities.finish, order)
        return await job_of(company, order)

    return run


@pytest.fixture
async def mailbox(
    company: Company, database: Database, keyring: Keyring, smtp: FakeSmtp, imap: ImapServer
) -> Company:
    """The company's only account, at the two servers."""
    await move_to_smtp(company, database, keyring, smtp=smtp, imap=imap)
    return company


@pytest.fixture
async def smtp_order(mailbox: Company) -> ActionOrder:
    return replace(await mailbox.make_order(), activity=ActivityName.SMTP_SEND)


@pytest.fixture
def send_by_smtp(parts: Parts) -> Send:
    async def attempt(order: ActionOrder, instant: datetime = NOON) -> Outcome:
        return await at(instant).run(parts.smtp.send, order)

    return attempt


@pytest.fixture
async def network(
    company: Company, database: Database, keyring: Keyring, conductor: RecordingConductor
) -> AsyncIterator[Network]:
    clock, gmail = Clock(), FakeGmail()
    unipile = FakeUnipile(clock=clock)
    network = await connect_network(company, unipile, clock)
    async with unipile.http() as http:
        network.http = http
        network.parts = make_parts(
            database=database,
            keyring=keyring,
            conductor=conductor,
            http=gmail.http(),
            token_source_of=lambda _: FakeTokens(),
            gmail_endpoint=gmail.endpoint,
            poll_seconds=1,
            unipile=UnipileClient(http, endpoint=unipile.endpoint, api_key=unipile.api_key),
        )
        yield network
    assert unipile.contract.breaches == []
