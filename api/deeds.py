"""Around each request: who acts is noted, and a write with an Idempotency-Key is done once."""

import logging

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem
from api.repeats import BodyDigest, GivenAnswer, KeyedWrite
from api.services.idempotency import IdempotencyService
from shared.db.deed import begin_deed, end_deed

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
LONGEST_KEY = 200
# Where the dependencies find what was asked.
PLACE = "drumbeat.write"

_log = logging.getLogger(__name__)


class Deeds:
    """The caller's dependency claims the write, once it knows who calls; here its answer is kept.

    The answer leaves when it is kept, so that whoever has got it gets it again.
    """

    def __init__(self, app: ASGIApp, idempotency: IdempotencyService) -> None:
        self._app = app
        self._idempotency = idempotency

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        _, token = begin_deed()
        try:
            key = Headers(scope=scope).get("idempotency-key")
            if refusal := _impossible(scope, key):
                await refusal(scope, receive, send)
            elif key is None or scope["method"] in SAFE:
                await self._app(scope, receive, send)
            else:
                await self._do_once(key, scope, receive, send)
        finally:
            end_deed(token)

    async def _do_once(self, key: str, scope: Scope, receive: Receive, send: Send) -> None:
        write = scope[PLACE] = KeyedWrite(
            key=key,
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            condition=Headers(scope=scope).get("if-match", ""),
            body=BodyDigest(Headers(scope=scope).get("content-type", "")),
        )
        answer, messages = GivenAnswer(), list[Message]()

        async def receive_and_digest() -> Message:
            message = await receive()
            write.body.add(message.get("body", b""))
            return message

        async def hold(message: Message) -> None:
            messages.append(message)
            answer.status = message.get("status", answer.status)
            answer.headers += message.get("headers", [])
            answer.body += message.get("body", b"")

        try:
            await self._app(scope, receive_and_digest, hold)
        except Exception:
            await self._idempotency.give_up()
            raise
        try:
            await self._idempotency.keep(answer, is_secret=write.is_secret)
        except Exception as error:  # noqa: BLE001 - it is done, and its caller shall know
            _log.warning("idempotency.answer_lost %s", type(error).__name__)
        for message in messages:
            await send(message)


def _impossible(scope: Scope, key: str | None) -> Response | None:
    if key is not None and not 1 <= len(key) <= LONGEST_KEY:
        words = f"Use 1 to {LONGEST_KEY} characters: a new UUID for each write is good"
        return _refusal(scope, "Idempotency-Key", words)
    # No text that we keep has it, and Postgres refuses to look for it.
    if b"%00" in scope["query_string"]:
        return _refusal(scope, "query", "Leave the character NUL out")
    return None


def _refusal(scope: Scope, field: str, words: str) -> Response:
    errors = [{"field": field, "message": words}]
    title = "A field has an impossible content"
    return problem(Request(scope), 422, "invalid", title, f"{field}: {words}", errors=errors)
