"""The one table from errors to HTTP, in the form of RFC 9457 (application/problem+json)."""

import logging
import math
import traceback
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.repeats import AnsweredBefore
from shared.errors import (
    AccountRefused,
    AuthExpired,
    Conflict,
    DrumbeatError,
    Gone,
    Invalid,
    Misconfigured,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    ProviderError,
    RateLimited,
    Refused,
    Unavailable,
)

MEDIA_TYPE = "application/problem+json"

_log = logging.getLogger(__name__)


class TooManyAttempts(DrumbeatError):
    """The caller has to wait. Kept here: only HTTP knows it."""

    def __init__(self, message: str, *, retry_after: timedelta) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UnsupportedMedia(DrumbeatError):
    """A file of a kind that is not read. Kept here: only HTTP knows it."""


class Outdated(DrumbeatError):
    """What the caller has read was changed since. Kept here: only HTTP knows it."""


# An error of a subclass that is not named here is answered as its nearest base.
PROBLEMS: dict[type[Exception], tuple[int, str, str]] = {
    DrumbeatError: (500, "failed", "It could not be done"),
    NotAuthenticated: (401, "not-authenticated", "Nobody we know"),
    NotAllowed: (403, "not-allowed", "You may not do this"),
    NotFound: (404, "not-found", "It is not there"),
    Conflict: (409, "conflict", "The request contradicts the current state"),
    Outdated: (412, "outdated", "It was changed since it was read"),
    Invalid: (422, "invalid", "A field has an impossible content"),
    RequestValidationError: (422, "invalid", "The request does not have the expected shape"),
    UnsupportedMedia: (415, "unsupported-media-type", "This kind of file is not read"),
    TooManyAttempts: (429, "too-many-attempts", "Too many attempts"),
    Misconfigured: (503, "misconfigured", "This installation lacks a setting"),
    ProviderError: (502, "provider-failed", "A provider said no"),
    RateLimited: (503, "provider-busy", "A provider asks us to wait"),
    Unavailable: (503, "provider-unavailable", "A provider does not answer"),
    Gone: (409, "provider-gone", "The provider no longer has it"),
    AuthExpired: (409, "account-expired", "The account has to be connected again"),
    AccountRefused: (409, "account-refused", "The provider refuses this account"),
    Refused: (409, "provider-refused", "The provider refuses this"),
}
_TITLES = {
    404: ("not-found", "There is nothing at this address"),
    405: ("method-not-allowed", "This address does not take that method"),
    413: ("too-large", "The body is too large"),
    415: ("unsupported-media-type", "This kind of body is not understood"),
}

# The framework's two words say no more than the title.
_WITHOUT_DETAIL = {
    "Not Found": "No call has this path: /docs shows them all",
    "Method Not Allowed": "The header Allow names the methods that it takes",
}


def add_error_handlers(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """`routers`: all of them, so that a 405 can name the methods of its path."""
    app.state.api_routes = [
        route for router in routers for route in router.routes if isinstance(route, APIRoute)
    ]
    for error_type, (status, slug, title) in PROBLEMS.items():
        app.add_exception_handler(error_type, _handler(status, slug, title))
    app.add_exception_handler(HTTPException, _answer_http_error)
    app.add_exception_handler(AnsweredBefore, _answer_again)


def problem(
    request: Request, status: int, slug: str, title: str, detail: str, **more: object
) -> JSONResponse:
    body = {
        "type": f"/problems/{slug}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.url.path,
    }
    body |= {name: value for name, value in more.items() if value}
    return JSONResponse(body, status, media_type=MEDIA_TYPE)


def _handler(
    status: int, slug: str, title: str
) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(request: Request, error: Exception) -> Response:
        if isinstance(error, RequestValidationError) and _is_taken_for_an_id(request):
            return await _answer_http_error(request, HTTPException(405))
        errors = _named_fields(error)
        detail = _sentence(errors) if isinstance(error, RequestValidationError) else str(error)
        missing = getattr(error, "missing", ())
        response = problem(
            request, status, slug, title, detail, errors=errors, missing=list(missing)
        )
        if status == 401:
            response.headers["WWW-Authenticate"] = "Bearer"
        if wait := getattr(error, "retry_after", None):
            response.headers["Retry-After"] = str(max(1, math.ceil(wait.total_seconds())))
        return response

    return answer


def _named_fields(error: Exception) -> list[dict[str, str]]:
    """Which field is wrong and why; never what was sent, it may be a password."""
    if named := getattr(error, "named", None):
        return [{"field": field, "message": message} for field, message in named]
    if isinstance(error, Invalid):
        return [{"field": error.field, "message": str(error)}]
    if not isinstance(error, RequestValidationError):
        return []
    return [{"field": _path(e["loc"]), "message": _words(e)} for e in error.errors()]


def _words(error: Mapping[str, Any]) -> str:
    """The library's, but where they speak of its own affairs."""
    match error["type"]:
        case "extra_forbidden":
            return "There is no such field: look for a typing error"
        case "json_invalid":
            return f"This is no JSON: {error['ctx']['error']}, at character {error['loc'][-1]}"
        case "model_attributes_type" | "model_type" | "dict_type":
            return "Send a JSON object"
        case "too_short":
            return f"Give at least {error['ctx']['min_length']}"
        case "missing":
            return "This field is needed"
    return str(error["msg"])


def _path(place: tuple[str | int, ...]) -> str:
    """`body.contact_ids.0` is `contact_ids.0` to its caller; malformed JSON is at `body`.

    What stands in parentheses is which of several kinds was meant, and no field.
    """
    inner = place[1:] if len(place) > 1 and not isinstance(place[1], int) else place[:1]
    return ".".join(str(part) for part in inner if not str(part).startswith("("))


def _sentence(errors: list[dict[str, str]]) -> str:
    return "; ".join(f"{e['field']}: {e['message']}" for e in errors[:5])


async def _answer_http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for nothing else
    if error.status_code == 400:
        # FastAPI's answer to JSON that is no UTF-8, and to a form without its boundary.
        words = "The body is not what its Content-Type says"
        errors = [{"field": "body", "message": words}]
        return problem(request, *PROBLEMS[RequestValidationError], words, errors=errors)
    slug, title = _TITLES.get(error.status_code, ("failed", "It could not be done"))
    detail = _WITHOUT_DETAIL.get(str(error.detail), str(error.detail))
    response = problem(request, error.status_code, slug, title, detail)
    response.headers.update(error.headers or {})
    if error.status_code == 405:
        response.headers["Allow"] = ", ".join(_methods_at(request))
    return response


def _methods_at(request: Request) -> list[str]:
    """Of every route there: the router tells those of the first one only (RFC 9110, 15.5.6)."""
    here: dict[str, set[str]] = {}
    for route in request.app.state.api_routes:
        if route.path_regex.fullmatch(request.url.path):
            here.setdefault(route.path_format, set()).update(route.methods)
    # What is named in full goes before what is filled in.
    nearest = min(here, key=lambda path: path.count("{"), default=None)
    return sorted(here[nearest]) if nearest else []


def _is_taken_for_an_id(request: Request) -> bool:
    """The end of `/api/accounts/smtp`, by a method that only `/api/accounts/{account_id}` takes."""
    methods = _methods_at(request)
    return bool(methods) and request.method not in methods


async def _answer_again(_: Request, error: Exception) -> Response:
    assert isinstance(error, AnsweredBefore)  # noqa: S101 - it is registered for nothing else
    first = error.answer
    response = Response(first.body, first.status)
    response.headers.update(
        {name.decode(): value.decode("latin-1") for name, value in first.headers}
    )
    response.headers["Idempotency-Replayed"] = "true"
    return response


class UnexpectedErrors:
    """Answers what nobody foresaw with a log id, inside CORS so that a browser may read it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_answered = False

        async def send_on(message: Message) -> None:
            nonlocal is_answered
            is_answered = True
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        except Exception as error:
            log_id = uuid4().hex
            # The error's own text may hold an address or a body: its place is enough.
            frames = "".join(traceback.format_tb(error.__traceback__))
            _log.error("request.failed %s %s\n%s", log_id, type(error).__name__, frames)
            if is_answered:
                raise
            detail = f"This is our fault. Please tell us the log id {log_id}."
            response = problem(Request(scope), 500, "failed", "It could not be done", detail)
            await response(scope, receive, send)
