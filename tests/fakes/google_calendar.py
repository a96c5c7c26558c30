"""A Google Calendar small enough to read, with the faults that the emulator cannot make."""

from datetime import datetime
from typing import Any

import httpx
from fastapi import FastAPI, HTTPException

from shared.providers.google_calendar import GoogleCalendar
from tests.fakes.gmail import FakeTokens

ENDPOINT = "http://calendar.test/calendar/v3/"
Json = dict[str, Any]


class FakeCalendar:
    """`loses_answers`: so many events are made, and nobody hears of it.

    `status` refuses everything, `event_status` events alone.
    """

    def __init__(self) -> None:
        self.events: dict[str, Json] = {}
        self.statuses: dict[str, str] = {}
        self.asked: list[Json] = []
        self.loses_answers = 0
        self.status = self.event_status = 200
        self._app = FastAPI()
        self._app.post("/calendar/v3/freeBusy")(self.free_busy)
        self._app.post("/calendar/v3/calendars/primary/events")(self.insert)
        self._app.get("/calendar/v3/calendars/primary/events/{event_id}")(self.read)

    def http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=_Wire(self, self._app))

    def open(self, http: httpx.AsyncClient) -> GoogleCalendar:
        return GoogleCalendar(http, endpoint=ENDPOINT, tokens=FakeTokens())

    def occupy(self, starts_at: datetime, ends_at: datetime) -> None:
        event = {"start": starts_at.isoformat(), "end": ends_at.isoformat()}
        self.events[f"other-{len(self.events)}"] = event

    async def free_busy(self, body: Json) -> Json:
        self._refuse()
        since, until = (datetime.fromisoformat(body[name]) for name in ("timeMin", "timeMax"))
        busy = [
            event
            for event in self.events.values()
            if datetime.fromisoformat(event["start"]) < until
            and datetime.fromisoformat(event["end"]) > since
        ]
        return {"calendars": {"primary": {"busy": busy}}}

    async def insert(self, body: Json) -> Json:
        self._refuse()
        if self.event_status != 200:
            raise HTTPException(self.event_status)
        if body["id"] in self.events:
            raise HTTPException(409, "The requested identifier already exists.")
        span = {"start": body["start"]["dateTime"], "end": body["end"]["dateTime"]}
        self.events[body["id"]] = span
        self.asked.append(body)
        return {"id": body["id"], "htmlLink": _link(body["id"])}

    async def read(self, event_id: str) -> Json:
        self._refuse()
        if event_id not in self.events:
            raise HTTPException(404, "Not Found")
        status = self.statuses.get(event_id, "confirmed")
        return {"id": event_id, "status": status, "htmlLink": _link(event_id)}

    def _refuse(self) -> None:
        if self.status != 200:
            raise HTTPException(self.status, "rateLimitExceeded" if self.status == 429 else "no")


def _link(event_id: str) -> str:
    return f"https://calendar.example.com/{event_id}"


class _Wire(httpx.AsyncBaseTransport):
    def __init__(self, calendar: FakeCalendar, app: FastAPI) -> None:
        self._calendar = calendar
        self._inner = httpx.ASGITransport(app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        if request.url.path.endswith("/events") and self._calendar.loses_answers:
            self._calendar.loses_answers -= 1
            raise httpx.ReadTimeout("the answer was lost", request=request)
        return response
