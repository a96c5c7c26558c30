"""A file of leads goes through a real Temporal, with a model that names what nobody knows."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from temporalio.client import Client
from uuid_utils.compat import uuid7

from activities.mapping import MappingModel
from shared.contracts.imports import ImportOrder
from shared.contracts.queues import Queue
from shared.db.models import JobRow, JobStatus
from shared.db.session import Database
from shared.keyring import Keyring
from shared.storage import Storage, make_storage
from tests.activities.files import counts, job_of, leads_of, make_job
from tests.factories import Company
from tests.fakes.conductor import RecordingConductor
from tests.fakes.gmail import FakeTokens
from tests.fakes.model import answering_model
from workflows.client import TemporalConductor
from workflows.parts import make_parts
from workflows.worker import make_worker

FILE = b"Wer,Wohin schreiben,Lieblingsfarbe\nAda,ada@example.com x,blue\nEve,,red\n"


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return make_storage(None, tmp_path / "objects")


@pytest.fixture
async def model_url(tmp_path: Path) -> AsyncIterator[str]:
    columns = [
        {"header": "Wer", "field": "name"},
        {"header": "Lieblingsfarbe", "field": "none"},
        {"header": "Made up", "field": "city"},
    ]
    busy = {"error": {"message": "Slow down", "type": "rate_limit_error"}, "status": 429}
    answer = {"content": json.dumps({"columns": columns})}
    match = {"userMessage": "Lieblingsfarbe"}
    fixtures = [
        {"match": match | {"sequenceIndex": 0}, "response": busy},
        {"match": match, "response": answer},
    ]
    (tmp_path / "fixtures").mkdir()
    async with answering_model(tmp_path / "fixtures", fixtures) as url:
        yield url


@pytest.fixture
async def conductor_of_imports(
    temporal: Client, database: Database, keyring: Keyring, storage: Storage, model_url: str
) -> AsyncIterator[TemporalConductor]:
    """With a worker that serves what it starts."""
    prefix = f"test-{uuid7()}/"
    async with httpx.AsyncClient() as http:
        parts = make_parts(
            database=database,
            keyring=keyring,
            conductor=RecordingConductor(),
            http=http,
            token_source_of=lambda _: FakeTokens(),
            gmail_endpoint="http://127.0.0.1:1",
            poll_seconds=1,
            storage=storage,
            mapping_model=MappingModel(base_url=model_url, api_key="none", model="any"),
        )
        async with make_worker(temporal, Queue.OPS, parts, prefix=prefix):
            yield TemporalConductor(temporal, prefix=prefix)


async def end_of(company: Company, order: ImportOrder) -> JobRow:
    async with asyncio.timeout(60):
        while (job := await job_of(company, order)).finished_at is None:  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0.1)
    return job


async def test_a_model_names_what_nobody_knows_and_may_be_busy_at_first(
    conductor_of_imports: TemporalConductor, storage: Storage, company: Company
) -> None:
    order = await make_job(company, storage, FILE)

    await conductor_of_imports.start_import(order)
    await conductor_of_imports.start_import(order)
    job = await end_of(company, order)

    assert (job.status, counts(job)) == (JobStatus.COMPLETED, (2, 0, 0))
    assert (job.more["mapping"], job.more["by_model"]) == ({"Wer": "name"}, ["Wer"])
    assert [(lead.name, lead.custom["Lieblingsfarbe"]) for lead in await leads_of(company)] == [
        ("Ada", "blue"),
        ("Eve", "red"),
    ]


async def test_a_silent_model_holds_nothing_up(
    conductor_of_imports: TemporalConductor, storage: Storage, company: Company
) -> None:
    """No fixture matches, so every call is a 503."""
    order = await make_job(company, storage, b"Email,Geheim\na@b.com,x\n")

    await conductor_of_imports.start_import(order)
    job = await end_of(company, order)

    assert (job.status, counts(job)) == (JobStatus.COMPLETED, (1, 0, 0))
    assert [lead.custom for lead in await leads_of(company)] == [{"Geheim": "x"}]


async def test_a_held_import_goes_on_when_it_is_confirmed(
    conductor_of_imports: TemporalConductor, storage: Storage, company: Company
) -> None:
    order = await make_job(company, storage, b"Email\na@b.com\n", is_applied=False)
    await conductor_of_imports.start_import(order)
    async with asyncio.timeout(60):
        while not (await job_of(company, order)).is_held:  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0.05)

    async with company.session() as session:
        job = await session.get_one(JobRow, order.job_id)
        job.more, job.is_held = job.more | {"is_applied": True}, False
    async with asyncio.timeout(60):
        # The first run may be about to end; then the start is repeated, as the sweep does it.
        while (job := await job_of(company, order)).finished_at is None:
            await conductor_of_imports.start_import(order)
            await asyncio.sleep(0.2)

    assert (job.status, counts(job)) == (JobStatus.COMPLETED, (1, 0, 0))
