"""A Bland small enough to read: true to its spec, and misbehaving when it is told to.

bland = FakeBland()
client = BlandClient(bland.http(), endpoint=bland.endpoint, api_key=bland.api_key)
bland.lose_answer(on="sendCall")          # it will be dialled, and nobody hears of it
[call] = bland.placed                     # what was dialled, however often it was asked for
bland.end(call, Pickup.DO_NOT_CALL)       # somebody picks up and says so
await bland.board.deliver(http, times=2, seed=7)

With people, `await bland.play(http)` has every call answered by itself and told of, late, some of
them twice, and not in their order.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.sandbox.bland_calls import SandboxCall, Switchboard
from deploy.sandbox.contract import SPECS, Breach, Contract
from deploy.sandbox.phone_people import Pickup, Scene

Json = dict[str, Any]
Handler = Callable[[Request], Awaitable[Json]]

_AUTH: Json = {"data": None, "errors": [{"error": "AUTH_FAILURE", "message": "Unauthorized"}]}
LOOK_SECONDS = 0.2


class Problem(Exception):
    """An error in Bland's own shape."""

    def __init__(self, status: int, message: str = "", word: str = "error") -> None:
        super().__init__(message)
        self.status, self.message, self.word = status, message, word

    def answer(self) -> JSONResponse:
        body = _AUTH if self.status == 401 else {"status": self.word, "message": self.message}
        return JSONResponse(body, self.status)


@dataclass(frozen=True, slots=True)
class Fault:
    """`on` is an operation of the spec; None is whichever comes next."""

    raises: Exception
    on: str | None
    is_after_acting: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds. A call lasts `talks`, its webhook comes `late` after it, `twice` of them again."""

    talks: tuple[float, float] = (0.5, 2.0)
    late: tuple[float, float] = (0.1, 1.5)
    twice: float = 0.2
    seed: int = 0
    dice: random.Random = field(default_factory=random.Random)


class FakeBland:
    """`requests` counts what was asked, by operation. `people`: who answers, by number."""

    endpoint = "http://bland.test"
    api_key = "bland-key"
    secret = "bland-secret"  # noqa: S105 - of a sandbox

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] | None = None,
        people: Mapping[str, Pickup] | None = None,
        contract: Contract | None = None,
    ) -> None:
        self.contract = contract or Contract(SPECS / "bland.openapi.yaml")
        self.board = Switchboard(self.contract, self.secret)
        if clock is not None:
            self.board.clock = clock
        self.people = dict(people or {})
        self.requests: Counter[str] = Counter()
        self._faults: list[Fault] = []
        self._seen: set[str] = set()
        self.app = self.contract.around(self._routes(), refuse=_refuse)

    @property
    def placed(self) -> list[SandboxCall]:
        return list(self.board.calls.values())

    def http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app))

    def end(self, call: SandboxCall, pickup: Pickup, *, scene: Scene | None = None) -> None:
        self.board.end(call, pickup, scene=scene)

    def fail(
        self,
        status: int,
        message: str = "",
        *,
        word: str = "error",
        on: str | None = None,
        after_acting: bool = False,
    ) -> None:
        """The next such request is answered with this, before or after it acted."""
        self._faults.append(Fault(Problem(status, message, word), on, after_acting))

    def lose_answer(self, *, on: str | None = None) -> None:
        """The next such request acts, and its answer never arrives."""
        self._faults.append(Fault(httpx.ReadTimeout("lost on the way back"), on, True))

    def lose_request(self, *, on: str | None = None) -> None:
        """The next such request never arrives, though it looks as if it had."""
        self._faults.append(Fault(httpx.ReadTimeout("lost on the way there"), on, False))

    def be_down(self, *, on: str | None = None) -> None:
        """The next such request finds nobody listening."""
        self._faults.append(Fault(httpx.ConnectError("refused"), on, False))

    async def play(self, http: httpx.AsyncClient, pace: Pace | None = None) -> None:
        """Answer every call as its person does, until cancelled."""
        pace = pace or Pace()
        pace.dice.seed(pace.seed)
        async with asyncio.TaskGroup() as talks:
            while True:
                for call in [it for it in self.placed if it.id not in self._seen]:
                    self._seen.add(call.id)
                    talks.create_task(self._talk(call, http, pace))
                await asyncio.sleep(LOOK_SECONDS)

    async def _talk(self, call: SandboxCall, http: httpx.AsyncClient, pace: Pace) -> None:
        await asyncio.sleep(pace.dice.uniform(*pace.talks))
        if call.scene is None:
            self.end(call, self.people.get(call.to, Pickup.NO_ANSWER))
        await asyncio.sleep(pace.dice.uniform(*pace.late))
        times = 2 if pace.dice.random() < pace.twice else 1
        try:
            await self.board.deliver(http, times=times)
        except httpx.TransportError:
            # Nobody is there: what they want to know they have to ask.
            return

    def _routes(self) -> Starlette:
        operations: list[tuple[str, str, str, Handler]] = [
            ("sendCall", "POST", "/v1/calls", self._place),
            ("listCalls", "GET", "/v1/calls", self._list),
            ("callDetails", "GET", "/v1/calls/{id}", self._read),
            ("stopCall", "POST", "/v1/calls/{id}/stop", self._stop),
        ]
        return Starlette(
            routes=[
                Route(path, self._answer(name, handler), methods=[method])
                for name, method, path, handler in operations
            ]
        )

    def _answer(self, operation: str, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            self.requests[operation] += 1
            try:
                return JSONResponse(await self._act(operation, handler, request))
            except Problem as problem:
                return problem.answer()

        return answer

    async def _act(self, operation: str, handler: Handler, request: Request) -> Json:
        if request.headers.get("authorization") != self.api_key:
            raise Problem(401)
        fault = next((f for f in self._faults if f.on in {None, operation}), None)
        if fault is None:
            return await handler(request)
        self._faults.remove(fault)
        if fault.is_after_acting:
            await handler(request)
        raise fault.raises

    async def _place(self, request: Request) -> Json:
        call = self.board.add(await request.json())
        return {
            "status": "success",
            "message": "Call successfully queued.",
            "call_id": call.id,
            "batch_id": None,
        }

    async def _list(self, request: Request) -> Json:
        asked = request.query_params
        found = self.board.find(
            to=asked.get("to_number"),
            since=asked.get("start_date"),
            is_ascending=asked.get("ascending") == "true",
        )
        calls = found[: int(asked.get("limit", "1000"))]
        return {
            "total_count": len(found),
            "count": len(calls),
            "calls": [call.listed() for call in calls],
        }

    async def _read(self, request: Request) -> Json:
        call = self.board.calls.get(request.path_params["id"])
        if call is None:
            raise Problem(404, "Call not found.")
        return call.whole()

    async def _stop(self, request: Request) -> Json:
        call = self.board.calls.get(request.path_params["id"])
        if call is None or call.scene is not None:
            return {"status": "error", "message": "SID not found for the given c_id."}
        canceled = Scene(status="canceled", answered_by=None, disposition="CANCELED", seconds=0)
        self.board.end(call, Pickup.NO_ANSWER, scene=canceled)
        return {"status": "success", "message": "Call ended successfully."}


def _refuse(breach: Breach) -> Response:
    if breach.status == 401:
        return Problem(401).answer()
    words = list(breach.problems)
    body = {"status": "error", "message": f"Invalid parameters. Error: {words}", "errors": words}
    return JSONResponse(body, breach.status)
