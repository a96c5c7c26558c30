"""One trace leads from a request to the provider that it made us call; no address is in it."""

import asyncio
import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from temporalio.client import Client
from uuid_utils.compat import uuid7

from api.tracing import trace_requests
from deploy.local.temporal import Temporal
from shared.contracts.queues import Queue
from shared.db.session import Database
from shared.keyring import Keyring
from shared.telemetry import set_up_logs, set_up_traces, trace_calls
from tests.factories import Company
from tests.fakes.gmail import FakeGmail, FakeTokens
from workflows.client import TemporalConductor, connect_temporal
from workflows.parts import make_parts
from workflows.worker import make_worker

EXPORTER = InMemorySpanExporter()
ADDRESS = "ada.the.first@example.test"


@pytest.fixture(scope="module")
def traces() -> Iterator[TracerProvider]:
    """A process has one provider of spans, so it stays; nothing but this module is traced."""
    provider = set_up_traces("test", endpoint=None, exporter=EXPORTER)
    assert provider is not None
    yield provider
    provider.shutdown()


@pytest.fixture
async def temporal(temporal_server: Temporal, traces: TracerProvider) -> Client:
    return await connect_temporal(temporal_server.address, is_traced=True)


@pytest.fixture
def prefix() -> str:
    return f"traced-{uuid7()}/"


@pytest.fixture
def conductor(temporal: Client, prefix: str) -> TemporalConductor:
    """The real one, in place of the recording one that the gateway has in tests."""
    return TemporalConductor(temporal, prefix=prefix)


@pytest.fixture
async def workers(
    *,
    temporal: Client,
    conductor: TemporalConductor,
    database: Database,
    keyring: Keyring,
    gmail: FakeGmail,
    prefix: str,
) -> AsyncIterator[None]:
    tokens = FakeTokens()
    async with gmail.http() as http, AsyncExitStack() as running:
        trace_calls(http)
        parts = make_parts(
            database=database,
            keyring=keyring,
            conductor=conductor,
            http=http,
            token_source_of=lambda _: tokens,
            gmail_endpoint=gmail.endpoint,
            poll_seconds=1,
        )
        for queue in (Queue.RECIPIENT, Queue.GMAIL):
            worker = make_worker(temporal, queue, parts, prefix=prefix)
            await running.enter_async_context(worker)
        yield


@pytest.mark.usefixtures("workers")
async def test_one_trace_leads_from_the_request_to_gmail(
    *,
    app: FastAPI,
    api: httpx.AsyncClient,
    company: Company,
    gmail: FakeGmail,
    traces: TracerProvider,
) -> None:
    trace_requests(app)
    campaign = await company.make_campaign(waits=(0,))
    lead_id = await company.make_lead(email=ADDRESS)

    added = await api.post(
        f"/api/campaigns/{campaign.id}/recipients?because=secret",
        json={"contact_ids": [str(lead_id)]},
    )
    assert added.status_code == 201, added.text
    async with asyncio.timeout(60):
        while not gmail.sent:  # noqa: ASYNC110 - the fake tells nobody
            await asyncio.sleep(0.05)
        while not _named(traces, "RunActivity:gmail.send"):  # noqa: ASYNC110 - it ends after the mail
            await asyncio.sleep(0.05)

    spans = EXPORTER.get_finished_spans()
    [request] = [it for it in spans if _is(it, "http.route", "/recipients")]
    trace = [it for it in spans if _trace_of(it) == _trace_of(request)]
    names = [it.name for it in trace]
    assert any(name.startswith("StartWorkflow:recipient") for name in names), names
    assert any(name.startswith("RunActivity:gmail.send") for name in names), names
    assert any(name in {"POST", "GET"} for name in names), names
    everything = "".join(it.to_json() for it in trace)
    assert "example.test" not in everything
    assert "because" not in everything


def _named(traces: TracerProvider, beginning: str) -> list[ReadableSpan]:
    traces.force_flush()
    return [it for it in EXPORTER.get_finished_spans() if it.name.startswith(beginning)]


def _trace_of(span: ReadableSpan) -> int:
    assert span.context is not None
    trace_id: int = span.context.trace_id
    return trace_id


def _is(span: ReadableSpan, name: str, ending: str) -> bool:
    return str((span.attributes or {}).get(name, "")).endswith(ending)


async def test_nobody_counts_the_questions_of_machines(
    app: FastAPI, anybody: httpx.AsyncClient, traces: TracerProvider
) -> None:
    trace_requests(app)
    EXPORTER.clear()

    await anybody.get("/healthz")
    traces.force_flush()

    # What other tests left under way may still end now.
    assert not [span for span in EXPORTER.get_finished_spans() if "/healthz" in span.to_json()]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What the process writes to standard error."""
    written, root = io.StringIO(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    monkeypatch.setattr("sys.stderr", written)
    set_up_logs("INFO")
    yield written
    root.handlers[:] = handlers
    root.setLevel(level)


async def test_log_lines_are_objects_without_a_query_or_an_address(
    app: FastAPI, anybody: httpx.AsyncClient, lines: io.StringIO
) -> None:
    @app.get("/breaks")
    async def breaks() -> None:
        raise RuntimeError(ADDRESS)

    await anybody.get("/breaks", params={"q": ADDRESS})

    said: list[dict[str, Any]] = [json.loads(it) for it in lines.getvalue().splitlines()]
    assert [it for it in said if "request.failed" in it["event"]]
    assert ADDRESS not in lines.getvalue()
    assert ADDRESS.replace("@", "%40") not in lines.getvalue()
