"""A Cronofy small enough to read: consent, tokens, one calendar, and faults to order."""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

import httpx
from fastapi import FastAPI, Header, HTTPException, Request
from fastapi.responses import JSONResponse

from shared.providers.cronofy import CronofyCalendars, CronofyClient

ENDPOINT = "http://api.cronofy.test"
Json = dict[str, Any]


class FakeCronofy:
    """`loses_answers`: so many events are made, and nobody hears of it. `status`: refuses all."""

    def __init__(self) -> None:
        self.events: dict[str, Json] = {}
        self.managed: set[str] = set()
        self.asked: list[Json] = []
        self.loses_answers = 0
        self.status = 200
        self.tokens = 0
        self.calendars: list[Json] = [
            {"calendar_id": "cal_read", "calendar_readonly": True, "calendar_primary": False},
            {"calendar_id": "cal_two", "calendar_readonly": False, "calendar_primary": False},
            {"calendar_id": "cal_one", "calendar_readonly": False, "calendar_primary": True},
        ]
        app = FastAPI()
        app.post("/oauth/token", response_model=None)(self.token)
        app.get("/v1/userinfo")(self.userinfo)
        app.get("/v1/free_busy")(self.free_busy)
        app.post("/v1/calendars/{calendar_id}/events", status_code=202)(self.upsert)
        self._app = app

    def http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=_Wire(self, self._app))

    def host(self, http: httpx.AsyncClient, *, redirect_uri: str) -> CronofyCalendars:
        client = CronofyClient(
            client_id="client", client_secret="quiet", endpoint=ENDPOINT, redirect_uri=redirect_uri
        )
        return CronofyCalendars(http, client)

    def consent(self, authorize_url: str) -> dict[str, str]:
        """Agree. Returns the parameters with which Cronofy sends the person back."""
        place = urlsplit(authorize_url)
        assert place.netloc == "app.cronofy.test"
        asked = {name: value for name, [value] in parse_qs(place.query).items()}
        return {"code": "code-1", "state": asked["state"]}

    async def token(self, body: Json) -> Json | JSONResponse:
        if body["client_secret"] != "quiet":
            return JSONResponse({"error": "invalid_client"}, 400)
        if body.get("code", "code-1") != "code-1":
            return JSONResponse({"error": "invalid_grant"}, 400)
        self.tokens += 1
        return {
            "access_token": f"access-{self.tokens}",
            "refresh_token": "refresh",
            "expires_in": 3_600,
            "scope": body.get("scope", "create_event free_busy"),
        }

    async def userinfo(self, authorization: Annotated[str, Header()]) -> Json:
        assert authorization.startswith("Bearer access-")
        profile = {"profile_id": "pro_1", "profile_calendars": self.calendars}
        return {"sub": "acc_1", "email": "Ada@Work.test", "cronofy.data": {"profiles": [profile]}}

    async def free_busy(self, request: Request) -> Json:
        self._refuse()
        asked = request.query_params
        since, until = (datetime.fromisoformat(asked[name]) for name in ("from", "to"))
        busy = [
            {**event, "free_busy_status": "busy"}
            for event_id, event in self.events.items()
            if (asked.get("include_managed") == "true" or event_id not in self.managed)
            and datetime.fromisoformat(event["start"]) < until
            and datetime.fromisoformat(event["end"]) > since
        ]
        page = int(asked.get("page", "1"))
        rest = len(busy) > page
        following = f"{ENDPOINT}/v1/free_busy?{asked}&page={page + 1}" if rest else None
        return {"free_busy": busy[page - 1 : page], "pages": {"next_page": following}}

    async def upsert(self, calendar_id: str, body: Json) -> None:
        self._refuse()
        assert calendar_id == "cal_one"
        self.asked.append(body)
        self.managed.add(body["event_id"])
        self.events[body["event_id"]] = {"start": body["start"], "end": body["end"]}

    def _refuse(self) -> None:
        if self.status != 200:
            raise HTTPException(self.status)


class _Wire(httpx.AsyncBaseTransport):
    def __init__(self, cronofy: FakeCronofy, app: FastAPI) -> None:
        self._cronofy = cronofy
        self._inner = httpx.ASGITransport(app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        if request.url.path.endswith("/events") and self._cronofy.loses_answers:
            self._cronofy.loses_answers -= 1
            raise httpx.ReadTimeout("the answer was lost", request=request)
        return response
