"""The mailboxes on a port of this machine, for workers in processes of their own."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import Message, Receive, Scope, Send

from deploy.chaos.wire import Ordeal
from deploy.sandbox.faulty_gmail import FakeGmail, Problem
from shared.errors import DrumbeatError

STARTED_WITHIN_SECONDS = 10
SENDING = "drafts.send"


class DidNotServe(DrumbeatError):
    """The mailboxes could not be served."""


class PostOffice:
    """An ASGI application. `gmails` by account, `ordeals` by whom a mail is for."""

    def __init__(self) -> None:
        self.gmails: dict[str, FakeGmail] = {}
        self.ordeals: dict[str, Ordeal] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            body = await request.body()
        except ClientDisconnect:
            # It was killed before it had finished asking.
            return
        gmail = self.gmails.get(_account(request))
        if gmail is None:
            # An attempt that outlived its crowd.
            await _refuse(
                Problem(401, "This mailbox is closed.", "authError"), scope, receive, send
            )
            return

        async def again() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        ordeal = self._ordeal(gmail, request, body)
        if ordeal is None:
            await gmail.app(scope, again, send)
            return
        await ordeal.before(SENDING)
        kept: list[Message] = []

        async def keep(message: Message) -> None:
            kept.append(message)

        await gmail.app(scope, again, keep)
        if await ordeal.after(SENDING):
            await _refuse(Problem(503, "The service is unavailable."), scope, receive, send)
            return
        for message in kept:
            await send(message)

    def _ordeal(self, gmail: FakeGmail, request: Request, body: bytes) -> Ordeal | None:
        if not request.url.path.endswith("/drafts/send"):
            return None
        draft = gmail.drafts.get(json.loads(body)["id"])
        return self.ordeals.get(str(draft.headers["To"])) if draft else None


class _QuietServer(uvicorn.Server):
    """A server that leaves the process's signals alone."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(office: PostOffice) -> AsyncIterator[str]:
    """Serve while the block runs; gives the endpoint."""
    config = uvicorn.Config(
        office,
        port=0,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = _QuietServer(config)
    task = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(STARTED_WITHIN_SECONDS):
            while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn has no event for it
                await asyncio.sleep(0.01)
        if task.done():
            raise DidNotServe("the mailboxes got no port on 127.0.0.1")
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


async def _refuse(problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    await JSONResponse(problem.body(), problem.status)(scope, receive, send)


def _account(request: Request) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ").rpartition("-")[0]
