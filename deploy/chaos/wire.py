"""The way to the mailboxes, on which requests and answers get lost."""

import asyncio
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Protocol

import httpx

from deploy.chaos.faults import Fault
from deploy.sandbox.faulty_gmail import FakeGmail, Problem

_OPERATIONS = [
    ("drafts.create", "POST", r"/drafts"),
    ("drafts.send", "POST", r"/drafts/send"),
    ("drafts.list", "GET", r"/drafts"),
    ("drafts.get", "GET", r"/drafts/[^/]+"),
    ("drafts.delete", "DELETE", r"/drafts/[^/]+"),
    ("threads.get", "GET", r"/threads/[^/]+"),
    ("messages.list", "GET", r"/messages"),
    ("messages.get", "GET", r"/messages/[^/]+"),
    ("history.list", "GET", r"/history"),
    ("getProfile", "GET", r"/profile"),
]


class Ordeal(Protocol):
    """What one attempt has to go through. Names the fault of this moment, if there is one."""

    async def before(self, operation: str) -> Fault | None: ...
    async def after(self, operation: str) -> Fault | None: ...


class Wire(httpx.AsyncBaseTransport):
    """Of one worker. `gmails`: by account, which the token names."""

    def __init__(self, gmails: Mapping[str, FakeGmail]) -> None:
        self._gmails = gmails
        self.ordeal: Ordeal | None = None
        self.is_cut = False
        self._is_logged_out = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        operation = _operation(request)
        gmail = self._gmails[_account(request)]
        fault = None if self._is_logged_out else await self._before(operation)
        # A point at which a process can die before its request has left.
        await asyncio.sleep(0)
        self._refuse_the_dead()
        if fault is Fault.LOGGED_OUT or self._is_logged_out:
            self._is_logged_out = fault is Fault.LOGGED_OUT
            return _unauthorized()
        if fault:
            return _answer_or_raise(fault, gmail.box.clock())
        response = await httpx.ASGITransport(gmail.app).handle_async_request(request)
        lost = await self.ordeal.after(operation) if self.ordeal else None
        await asyncio.sleep(0)
        self._refuse_the_dead()
        return _answer_or_raise(lost, gmail.box.clock()) if lost else response

    async def _before(self, operation: str) -> Fault | None:
        return await self.ordeal.before(operation) if self.ordeal else None

    def _refuse_the_dead(self) -> None:
        if self.is_cut:
            raise httpx.ReadError("this process is dead")


def _answer_or_raise(fault: Fault, now: datetime) -> httpx.Response:
    match fault:
        case Fault.CONNECTION_REFUSED:
            raise httpx.ConnectError("refused")
        case Fault.RESET_BEFORE_ACTING | Fault.RESET_AFTER_ACTING:
            raise httpx.ReadError("connection reset by peer")
        case Fault.TIMEOUT_AFTER_ACTING | Fault.DRAFT_ANSWER_LOST | Fault.SEND_ANSWER_LOST:
            raise httpx.ReadTimeout("no answer")
        case Fault.SHORT_RATE_LIMIT:
            return _slow_down(now, timedelta(seconds=20))
        case Fault.LONG_RATE_LIMIT:
            return _slow_down(now, timedelta(hours=2))
        case Fault.TOKEN_EXPIRED:
            return _unauthorized()
        case _:
            return _problem(Problem(503, "The service is currently unavailable."), now)


def _slow_down(now: datetime, wait: timedelta) -> httpx.Response:
    until = (now + wait).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    message = f"User-rate limit exceeded.  Retry after {until}"
    return _problem(Problem(429, message, "rateLimitExceeded"), now)


def _unauthorized() -> httpx.Response:
    problem = Problem(401, "Request had invalid authentication credentials.", "authError")
    return httpx.Response(problem.status, json=problem.body())


def _problem(problem: Problem, now: datetime) -> httpx.Response:
    date = format_datetime(now, usegmt=True)
    return httpx.Response(problem.status, json=problem.body(), headers={"date": date})


def _operation(request: httpx.Request) -> str:
    path = request.url.path.partition("/users/me")[2]
    for name, method, pattern in _OPERATIONS:
        if request.method == method and re.fullmatch(pattern, path):
            return name
    raise AssertionError(f"nobody expected {request.method} {path}")


def _account(request: httpx.Request) -> str:
    return request.headers["authorization"].removeprefix("Bearer ").rpartition("-")[0]
