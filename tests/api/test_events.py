"""The stream of events, read from a real server as a page reads it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from uuid_utils.compat import uuid7

from api.container import Container
from api.main import StoppingServer
from api.routes import events as route
from api.services import events as service
from api.services.events import STREAMS_OF_ONE
from shared.db.models import EventRow, Role
from shared.db.session import Database, make_engine
from tests.api.conftest import Login
from tests.factories import Campaign, Company
from tests.fakes.page import QuietServer, Stream

Json = dict[str, Any]


Watch = Callable[..., AbstractAsyncContextManager[Stream]]


@pytest.fixture
def container(container: Container) -> Container:
    container.events._read_every = 0.05
    return container


@pytest.fixture
async def server(app: FastAPI, container: Container) -> AsyncIterator[StoppingServer]:
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off")
    server = QuietServer(config, before_stop=container.events.close)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield server
    server.should_exit = True
    await serving


@pytest.fixture
async def watch(server: StoppingServer) -> AsyncIterator[Watch]:
    """Opens the stream as this client, for as long as the block lasts."""
    base = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    async with httpx.AsyncClient(base_url=base, timeout=60) as http:

        @asynccontextmanager
        async def open_stream(client: httpx.AsyncClient, **asked: Any) -> AsyncIterator[Stream]:
            headers = {**client.headers, **asked.pop("headers", {}), "host": "127.0.0.1"}
            async with http.stream("GET", "/api/events", headers=headers, **asked) as response:
                assert response.status_code == 200, await response.aread()
                stream = Stream(response)
                reading = asyncio.create_task(stream.read())
                await stream.until(lambda: bool(stream.blocks))
                yield stream
                reading.cancel()
                await asyncio.wait([reading])

        yield open_stream


async def happen(company: Company, *names: str, campaign_id: UUID | None = None) -> list[UUID]:
    events = [EventRow(id=uuid7(), name=name, campaign_id=campaign_id) for name in names]
    async with company.session() as session:
        for event in events:
            session.add(event)
            await session.flush()
    return [event.id for event in events]


async def test_a_page_hears_what_happens_from_now_on(
    api: httpx.AsyncClient, company: Company, watch: Watch
) -> None:
    [before] = await happen(company, "action.failed")
    async with watch(api) as stream:
        [event_id] = await happen(company, "action.sent", campaign_id=company.id)
        await stream.until(lambda: len(stream.events) == 1)

        assert stream.response.headers["content-type"].startswith("text/event-stream")
        assert stream.response.headers["cache-control"] == "no-store"
        assert stream.blocks[0] == f"id: {before}\nretry: 3000"
        assert stream.blocks[1].startswith(f"id: {event_id}\ndata: ")
        [event] = stream.events
    assert (event["id"], event["type"]) == (str(event_id), "action.sent")
    assert event["data"] == {"campaign_id": str(company.id)}


async def test_each_event_is_told_once(
    api: httpx.AsyncClient, company: Company, watch: Watch
) -> None:
    async with watch(api) as stream:
        names = [f"action.number_{number}" for number in range(30)]
        for name in names:
            await happen(company, name)
            await asyncio.sleep(0.01)
        await stream.until(lambda: len(stream.events) >= 30)
        await asyncio.sleep(0.3)

        assert stream.types == names


async def test_nobody_hears_another_company(
    api: httpx.AsyncClient, login: Login, company: Company, stranger: Company, watch: Watch
) -> None:
    eve = await login(stranger, Role.MEMBER)
    async with watch(api) as ours, watch(eve) as theirs:
        await happen(company, "action.sent")
        await happen(stranger, "reply.received")
        await ours.until(lambda: bool(ours.events))
        await theirs.until(lambda: bool(theirs.events))
        await asyncio.sleep(0.3)

        assert (ours.types, theirs.types) == (["action.sent"], ["reply.received"])


async def test_a_page_may_watch_one_campaign(
    api: httpx.AsyncClient, company: Company, campaign: Campaign, watch: Watch
) -> None:
    async with watch(api, params={"campaign_id": str(campaign.id)}) as stream:
        await happen(company, "action.sent", campaign_id=uuid7())
        await happen(company, "campaign.paused", campaign_id=campaign.id)
        await stream.until(lambda: bool(stream.events))

        assert stream.types == ["campaign.paused"]


async def test_a_page_that_comes_back_hears_what_it_missed(
    api: httpx.AsyncClient, company: Company, watch: Watch
) -> None:
    _, second = await happen(company, "action.first", "action.second")
    await happen(company, "action.third", "action.fourth")
    async with watch(api, headers={"Last-Event-ID": str(second)}) as stream:
        await stream.until(lambda: len(stream.events) == 2)
        await happen(company, "action.fifth")
        await stream.until(lambda: len(stream.events) == 3)
        await asyncio.sleep(0.3)

        assert stream.types == ["action.third", "action.fourth", "action.fifth"]


async def test_an_event_that_is_committed_late_is_heard(
    api: httpx.AsyncClient, company: Company, watch: Watch
) -> None:
    """Its id and its time lie before those of an event that was told already."""
    async with watch(api) as stream:
        async with company.session() as session:
            session.add(EventRow(name="action.late"))
            await session.flush()
            await happen(company, "action.early")
            await stream.until(lambda: stream.types == ["action.early"])
        await stream.until(lambda: len(stream.events) == 2)

        assert stream.types == ["action.early", "action.late"]


async def test_a_page_that_reads_too_slowly_is_sent_away(
    api: httpx.AsyncClient, company: Company, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes back with the last event that it has seen."""
    monkeypatch.setattr(service, "MOST_WAITING", 2)
    async with watch(api) as stream:
        async with company.session() as session:
            session.add_all(EventRow(name="action.sent") for _ in range(3))
        await stream.until(lambda: stream.response.is_closed)

        assert stream.events == []


async def test_a_database_that_is_away_is_waited_for(
    api: httpx.AsyncClient,
    company: Company,
    container: Container,
    watch: Watch,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with watch(api) as stream:
        with monkeypatch.context() as patched:
            nowhere = Database(make_engine("postgresql+psycopg://nobody@127.0.0.1:1/nowhere"))
            patched.setattr(container.events, "_database", nowhere)
            await asyncio.sleep(0.3)
        await happen(company, "action.sent")
        await stream.until(lambda: bool(stream.events))


async def test_silence_is_broken_by_a_comment(
    api: httpx.AsyncClient, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(route, "BEAT_SECONDS", 0.05)
    async with watch(api) as stream:
        await stream.until(lambda: ": still here" in stream.blocks)


async def test_a_stream_ends_after_a_while(
    api: httpx.AsyncClient, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(route, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(route, "MOST_SECONDS", 0.2)
    async with watch(api) as stream:
        await stream.until(lambda: stream.response.is_closed)


async def test_a_page_that_goes_leaves_nothing_behind(
    api: httpx.AsyncClient, container: Container, watch: Watch
) -> None:
    async with watch(api):
        assert len(container.events._watchers) == 1
    async with asyncio.timeout(60):
        while container.events._watchers:  # noqa: ASYNC110 - the server notices in its own time
            await asyncio.sleep(0.02)
    assert container.events._reader is None


async def test_one_person_has_a_few_streams(
    api: httpx.AsyncClient, login: Login, company: Company, watch: Watch
) -> None:
    other = await login(company, Role.MEMBER)
    async with AsyncExitStack() as pages:
        for _ in range(STREAMS_OF_ONE):
            await pages.enter_async_context(watch(api))
        refused = await api.get("/api/events")
        await pages.enter_async_context(watch(other))

    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "10"
    assert refused.headers["content-type"] == "application/problem+json"


async def test_a_gateway_that_stops_ends_its_streams(
    api: httpx.AsyncClient, server: StoppingServer, watch: Watch
) -> None:
    async with watch(api) as stream:
        server.should_exit = True
        async with asyncio.timeout(60):
            await stream.until(lambda: stream.response.is_closed)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"headers": {"Last-Event-ID": "yesterday"}}, 422),
        ({"params": {"campaign_id": "mine"}}, 422),
        ({"params": {"campaign_id": "01939b7e-0000-7000-8000-000000000001"}}, 404),
    ],
    ids=["unknown-event", "no-id", "no-campaign"],
)
async def test_a_wrong_question_is_a_problem(
    api: httpx.AsyncClient, container: Container, asked: Json, status: int
) -> None:
    answer = await api.get("/api/events", **asked)

    assert answer.status_code == status, answer.text
    assert not container.events._watchers


async def test_another_companys_campaign_is_not_there(
    api: httpx.AsyncClient, stranger: Company
) -> None:
    theirs = await stranger.make_campaign()

    answer = await api.get("/api/events", params={"campaign_id": str(theirs.id)})

    assert answer.status_code == 404


async def test_nobody_hears_without_credentials(anybody: httpx.AsyncClient) -> None:
    assert (await anybody.get("/api/events")).status_code == 401
