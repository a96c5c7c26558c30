"""The way to providers on the web, on which requests and answers get lost."""

import asyncio
import re
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any, Protocol

import httpx
from starlette.types import ASGIApp

from deploy.chaos.faults import Fault, Place
from deploy.chaos.providers import Providers
from deploy.sandbox.faulty_gmail import Problem

_GMAIL = [
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
_UNIPILE = [
    ("linkedin.sendInvitation", "POST", r"/users/invite"),
    ("linkedin.listSentInvitations", "GET", r"/users/invite/sent"),
    ("linkedin.withdrawInvitation", "DELETE", r"/users/invite/sent/[^/]+"),
    ("linkedin.listRelations", "GET", r"/users/relations"),
    ("linkedin.getProfile", "GET", r"/users/[^/]+"),
    ("linkedin.listChatsWith", "GET", r"/chat_attendees/[^/]+/chats"),
    ("linkedin.startNewChat", "POST", r"/chats"),
    ("linkedin.sendMessage", "POST", r"/chats/[^/]+/messages"),
    ("linkedin.listMessagesOfChat", "GET", r"/chats/[^/]+/messages"),
    ("linkedin.listMessages", "GET", r"/messages"),
]
_BLAND = [
    ("bland.sendCall", "POST", r"/calls"),
    ("bland.listCalls", "GET", r"/calls"),
    ("bland.callDetails", "GET", r"/calls/[^/]+"),
    ("bland.stopCall", "POST", r"/calls/[^/]+/stop"),
]
_HOSTS = {"gmail.test": Place.GMAIL, "unipile.test": Place.LINKEDIN, "bland.test": Place.BLAND}
_OPERATIONS = {
    Place.GMAIL: ("/users/me", _GMAIL),
    Place.LINKEDIN: ("/api/v1", _UNIPILE),
    Place.BLAND: ("/v1", _BLAND),
}


class Ordeal(Protocol):
    """What one attempt has to go through. Names the fault of this moment, if there is one."""

    async def before(self, operation: str) -> Fault | None: ...
    async def after(self, operation: str) -> Fault | None: ...


class Wire(httpx.AsyncBaseTransport):
    """Of one worker. `providers`: of the company that it works for now."""

    def __init__(self) -> None:
        self.providers: Providers | None = None
        self.ordeal: Ordeal | None = None
        self.is_cut = False
        self._is_logged_out = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert self.providers is not None  # noqa: S101 - nobody calls before he knows for whom
        place, operation = _operation(request)
        app, now = _app(self.providers, place), self.providers.gmail.box.clock()
        fault = None if self._is_logged_out else await self._before(operation)
        # A point at which a process can die before its request has left.
        await asyncio.sleep(0)
        self._refuse_the_dead()
        if place is Place.GMAIL and (fault is Fault.LOGGED_OUT or self._is_logged_out):
            # The first no has a new token fetched, which is turned down as well.
            self._is_logged_out = fault is Fault.LOGGED_OUT
            return _refused(Fault.LOGGED_OUT, place, now)
        if fault:
            return _answer_or_raise(fault, place, now)
        response = await httpx.ASGITransport(app).handle_async_request(request)
        lost = await self.ordeal.after(operation) if self.ordeal else None
        await asyncio.sleep(0)
        self._refuse_the_dead()
        return _answer_or_raise(lost, place, now) if lost else response

    async def _before(self, operation: str) -> Fault | None:
        return await self.ordeal.before(operation) if self.ordeal else None

    def _refuse_the_dead(self) -> None:
        if self.is_cut:
            raise httpx.ReadError("this process is dead")


def _app(providers: Providers, place: Place) -> ASGIApp:
    match place:
        case Place.BLAND:
            return providers.bland.app
        case Place.LINKEDIN:
            return providers.unipile.app
        case _:
            return providers.gmail.app


def _answer_or_raise(fault: Fault, place: Place, now: datetime) -> httpx.Response:
    match fault:
        case Fault.CONNECTION_REFUSED:
            raise httpx.ConnectError("refused")
        case Fault.RESET_BEFORE_ACTING | Fault.RESET_AFTER_ACTING:
            raise httpx.ReadError("connection reset by peer")
        case Fault.TIMEOUT_AFTER_ACTING | Fault.DRAFT_ANSWER_LOST | Fault.SEND_ANSWER_LOST:
            raise httpx.ReadTimeout("no answer")
        case _:
            return _refused(fault, place, now)


# Status, then what Gmail, Bland and Unipile say with it.
_SHORT, _LONG = timedelta(seconds=20), timedelta(hours=2)
_REFUSALS = {
    Fault.SHORT_RATE_LIMIT: (429, "Rate limit exceeded", "too_many_requests"),
    Fault.LONG_RATE_LIMIT: (429, "Daily limit of calls reached", "too_many_requests"),
    Fault.TOKEN_EXPIRED: (401, "Unauthorized", "expired_credentials"),
    Fault.LOGGED_OUT: (401, "Unauthorized", "expired_credentials"),
}
_DOWN = (503, "The service is currently unavailable.", "service_unavailable")


def _refused(fault: Fault, place: Place, now: datetime) -> httpx.Response:
    status, words, kind = _REFUSALS.get(fault, _DOWN)
    wait = {Fault.SHORT_RATE_LIMIT: _SHORT, Fault.LONG_RATE_LIMIT: _LONG}.get(fault)
    headers = {"date": format_datetime(now, usegmt=True)}
    if place is Place.BLAND:
        body: dict[str, Any] = {"status": "error", "message": words}
    elif place is Place.LINKEDIN:
        body = {"status": status, "type": f"errors/{kind}", "title": words}
        headers |= {"retry-after": str(int(wait.total_seconds()))} if wait else {}
    else:
        body = _gmail_problem(status, words, wait, now).body()
    return httpx.Response(status, json=body, headers=headers)


def _gmail_problem(status: int, words: str, wait: timedelta | None, now: datetime) -> Problem:
    if wait:
        until = (now + wait).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        message = f"User-rate limit exceeded.  Retry after {until}"
        return Problem(status, message, "rateLimitExceeded")
    return Problem(
        status, words, "authError" if status == httpx.codes.UNAUTHORIZED else "backendError"
    )


def _operation(request: httpx.Request) -> tuple[Place, str]:
    """Whose wire it is, and what is asked for."""
    place = _HOSTS[request.url.host]
    prefix, operations = _OPERATIONS[place]
    path = request.url.path.partition(prefix)[2]
    for name, method, pattern in operations:
        if request.method == method and re.fullmatch(pattern, path):
            return place, name
    raise AssertionError(f"nobody expected {request.method} {request.url.path}")
