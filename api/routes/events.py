"""/api/events: what happens, while it happens."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from api.dependencies import Reader, Services
from api.documentation import problems
from api.schemas.events import EventAnswer
from api.services.events import Event, EventService, Watcher

router = APIRouter(prefix="/api/events", tags=["events"])

BEAT_SECONDS = 15.0
# Then the page asks again, and what it may see is looked up anew.
MOST_SECONDS = 900.0
_EXAMPLE = (
    "id: 019a0000-0000-7000-8000-000000000001\n"
    'data: {"id":"019a0000-0000-7000-8000-000000000001","type":"action.sent",'
    '"timestamp":"2026-03-02T12:00:00Z","data":{"campaign_id":"..."}}\n\n'
)
_IDS = ("campaign_id", "recipient_id", "action_id")


class EventStream(StreamingResponse):
    """Server-sent events, as the HTML standard has them. The watcher leaves with its page."""

    media_type = "text/event-stream"

    def __init__(self, events: EventService, watcher: Watcher) -> None:
        # A proxy must neither keep nor gather them.
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(_lines(events, watcher), headers=headers)
        self._events = events
        self._watcher = watcher

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._events.leave(self._watcher)


_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events as they happen, and a comment every 15 seconds.",
        "content": {"text/event-stream": {"schema": {"type": "string"}, "example": _EXAMPLE}},
    }
}


@router.get("", status_code=200, response_class=EventStream, responses=_STREAM | problems(404, 429))
async def stream_events(
    caller: Reader,
    services: Services,
    campaign_id: Annotated[UUID | None, Query(description="Of this campaign only.")] = None,
    last_event_id: Annotated[
        UUID | None,
        Header(description="Go on after this event; browsers send it when they come back."),
    ] = None,
) -> EventStream:
    """Server-sent events for live pages: {id, type, timestamp, data}, without an event name.

    From now on, or after `Last-Event-ID`. The stream ends after a quarter of an hour, when the
    page reads too slowly and when the gateway stops; browsers come back by themselves. At most
    six streams per person. Events are kept for thirty days; what must not be missed goes to a
    webhook.
    """
    watcher = await services.events.open(caller, campaign_id=campaign_id, last_seen=last_event_id)
    return EventStream(services.events, watcher)


async def _lines(events: EventService, watcher: Watcher) -> AsyncIterator[str]:
    clock = asyncio.get_running_loop().time
    ends_at = clock() + MOST_SECONDS
    yield f"id: {watcher.latest}\nretry: 3000\n\n" if watcher.latest else "retry: 3000\n\n"
    told = set()
    async for event in events.missed(watcher):
        told.add(event.id)
        yield _line(event)
    while clock() < ends_at:
        try:
            new = await watcher.next(within=BEAT_SECONDS)
        except TimeoutError:
            yield ": still here\n\n"
            continue
        if new is None:
            return
        if new.id not in told:
            yield _line(new)


def _line(event: Event) -> str:
    ids = {name: str(value) for name in _IDS if (value := getattr(event, name))}
    answer = EventAnswer(
        id=event.id, type=event.name, timestamp=event.created_at, data={**event.payload, **ids}
    )
    return f"id: {event.id}\ndata: {answer.model_dump_json()}\n\n"
