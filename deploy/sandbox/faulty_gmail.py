"""A Gmail small enough to read. It misbehaves when told to.

gmail = FakeGmail()
client = GmailClient(gmail.http(), endpoint=gmail.endpoint, tokens=FakeTokens())
gmail.lose_answer(on="drafts.send")     # it will be sent, and nobody hears of it
reply = gmail.box.deliver(raw)          # a lead answers
[mail] = gmail.sent                     # what has left, however often it was asked for
"""

import asyncio
from base64 import urlsafe_b64decode
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from deploy.sandbox.faulty_mailbox import Json, Mailbox, StoredMail

Handler = Callable[[Request], Awaitable[Json | None]]


class Problem(Exception):
    """An error in Gmail's own shape."""

    def __init__(self, status: int, message: str = "", reason: str = "backendError") -> None:
        super().__init__(message)
        self.status, self.message, self.reason = status, message, reason

    def body(self) -> Json:
        error = {"message": self.message, "domain": "global", "reason": self.reason}
        return {"error": {"code": self.status, "message": self.message, "errors": [error]}}


@dataclass(frozen=True, slots=True)
class Fault:
    """`on` is an operation such as "drafts.send"; None is whichever comes next."""

    raises: Exception
    on: str | None
    is_after_acting: bool


class FakeTokens:
    """Issues token-1, then token-2 when the first one was turned down, and so on."""

    def __init__(self, account: str = "token") -> None:
        self.account, self.issued = account, 1

    async def access_token(self, *, rejected: str | None = None) -> str:
        if rejected == f"{self.account}-{self.issued}":
            self.issued += 1
        return f"{self.account}-{self.issued}"


class FakeGmail:
    """One mailbox. `requests` counts what was asked; `sent` is what has left."""

    endpoint = "http://gmail.test"

    def __init__(self, *, clock: Callable[[], datetime] | None = None) -> None:
        self.box = Mailbox(clock)
        self.requests: Counter[str] = Counter()
        self.expired_tokens: set[str] = set()
        self.oldest_history_id = 0
        self.watches: list[Json] = []
        self.page_size = 500
        self.is_search_behind = False
        self.drafting = asyncio.Barrier(1)
        self.is_sending, self.may_send = asyncio.Event(), asyncio.Event()
        self.may_send.set()
        self._faults: list[Fault] = []
        self.app = self._routes()

    @property
    def sent(self) -> list[StoredMail]:
        return self.box.sent

    @property
    def drafts(self) -> dict[str, StoredMail]:
        return self.box.drafts

    def http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app))

    def fail(
        self,
        status: int,
        message: str = "",
        *,
        reason: str = "backendError",
        on: str | None = None,
        after_acting: bool = False,
    ) -> None:
        """The next such request is answered with this status, before or after it acted."""
        self._faults.append(Fault(Problem(status, message, reason), on, after_acting))

    def rate_limit(self, until: datetime, *, on: str | None = None) -> None:
        at = until.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        message = f"User-rate limit exceeded.  Retry after {at}"
        self.fail(429, message, reason="rateLimitExceeded", on=on)

    def lose_answer(self, *, on: str | None = None) -> None:
        """The next such request acts, and its answer never arrives."""
        self._faults.append(Fault(httpx.ReadTimeout("lost on the way back"), on, True))

    def lose_request(self, *, on: str | None = None) -> None:
        """The next such request never arrives, though it looks as if it had."""
        self._faults.append(Fault(httpx.ReadTimeout("lost on the way there"), on, False))

    def be_down(self, *, on: str | None = None) -> None:
        """The next such request finds nobody listening."""
        self._faults.append(Fault(httpx.ConnectError("refused"), on, False))

    def _routes(self) -> Starlette:
        operations: list[tuple[str, str, str, Handler]] = [
            ("drafts.create", "POST", "/drafts", self._create_draft),
            ("drafts.list", "GET", "/drafts", self._list_drafts),
            ("drafts.send", "POST", "/drafts/send", self._send_draft),
            ("drafts.get", "GET", "/drafts/{id}", self._get_draft),
            ("drafts.delete", "DELETE", "/drafts/{id}", self._delete_draft),
            ("threads.get", "GET", "/threads/{id}", self._get_thread),
            ("messages.list", "GET", "/messages", self._list_messages),
            ("messages.get", "GET", "/messages/{id}", self._get_message),
            ("history.list", "GET", "/history", self._list_history),
            ("getProfile", "GET", "/profile", self._get_profile),
            ("watch", "POST", "/watch", self._watch),
        ]
        return Starlette(
            routes=[
                Route(f"/gmail/v1/users/me{path}", self._answer(name, handler), methods=[method])
                for name, method, path, handler in operations
            ]
        )

    def _answer(self, operation: str, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            self.requests[operation] += 1
            headers = {"date": format_datetime(self.box.clock().astimezone(UTC), usegmt=True)}
            try:
                body = await self._act(operation, handler, request)
            except Problem as problem:
                return JSONResponse(problem.body(), problem.status, headers)
            if body is None:
                return Response(status_code=204, headers=headers)
            return JSONResponse(body, headers=headers)

        return answer

    async def _act(self, operation: str, handler: Handler, request: Request) -> Json | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not token or token in self.expired_tokens:
            raise Problem(401, "Request had invalid authentication credentials.", "authError")
        fault = next((f for f in self._faults if f.on in {None, operation}), None)
        if fault is None:
            return await handler(request)
        self._faults.remove(fault)
        if fault.is_after_acting:
            await handler(request)
        raise fault.raises

    async def _watch(self, request: Request) -> Json:
        self.watches.append(await request.json())
        ends_at = self.box.clock() + timedelta(days=7)
        return {"historyId": "1", "expiration": str(int(ends_at.timestamp() * 1000))}

    async def _create_draft(self, request: Request) -> Json:
        await self.drafting.wait()
        message = (await request.json())["message"]
        thread_id = message.get("threadId")
        if thread_id is not None and not self.box.thread(thread_id):
            raise _not_found()
        draft_id, mail = self.box.add_draft(urlsafe_b64decode(message["raw"]), thread_id)
        return {"id": draft_id, "message": mail.resource("minimal")}

    async def _send_draft(self, request: Request) -> Json:
        draft_id = (await request.json())["id"]
        self.is_sending.set()
        await self.may_send.wait()
        if draft_id not in self.drafts:
            raise _not_found()
        mail = self.box.send_draft(draft_id)
        return {"id": mail.id, "threadId": mail.thread_id, "labelIds": sorted(mail.labels)}

    async def _get_draft(self, request: Request) -> Json:
        draft_id = request.path_params["id"]
        mail = _found(self.drafts.get(draft_id))
        return {"id": draft_id, "message": mail.resource(request.query_params["format"])}

    async def _delete_draft(self, request: Request) -> None:
        draft_id = request.path_params["id"]
        _found(self.drafts.get(draft_id))
        self.box.delete_draft(draft_id)

    async def _list_drafts(self, request: Request) -> Json:
        drafts = [
            {"id": draft_id, "message": {"id": mail.id, "threadId": mail.thread_id}}
            for draft_id, mail in self.drafts.items()
        ]
        return self._page(request, "drafts", drafts)

    async def _get_thread(self, request: Request) -> Json:
        mails = self.box.thread(request.path_params["id"])
        if not mails:
            raise _not_found()
        form = request.query_params["format"]
        return {"id": mails[0].thread_id, "messages": [mail.resource(form) for mail in mails]}

    async def _get_message(self, request: Request) -> Json:
        mail = _found(self.box.mails.get(request.path_params["id"]))
        resource = mail.resource(request.query_params["format"])
        wanted = {name.lower() for name in request.query_params.getlist("metadataHeaders")}
        if wanted:
            headers = resource["payload"]["headers"]
            resource["payload"]["headers"] = [h for h in headers if h["name"].lower() in wanted]
        return resource

    async def _list_messages(self, request: Request) -> Json:
        query = request.query_params.get("q", "")
        everywhere = request.query_params.get("includeSpamTrash") == "true"
        found = [] if self.is_search_behind else self.box.search(query, everywhere=everywhere)
        return self._page(request, "messages", [_names(mail) for mail in found])

    async def _list_history(self, request: Request) -> Json:
        start = int(request.query_params["startHistoryId"])
        if start < self.oldest_history_id:
            raise _not_found()
        entries = [
            {"id": str(mail.history_id), "messagesAdded": [{"message": _names(mail)}]}
            for mail in self.box.history
            if mail.history_id > start
        ]
        return self._page(request, "history", entries) | {"historyId": str(self.box.history_id)}

    async def _get_profile(self, request: Request) -> Json:  # noqa: ARG002 - every handler takes it
        return {"emailAddress": "sam@acme.test", "historyId": str(self.box.history_id)}

    def _page(self, request: Request, name: str, items: list[Json]) -> Json:
        """As Gmail does, an empty page has no list and the last page has no token."""
        start = int(request.query_params.get("pageToken", "0"))
        size = min(int(request.query_params.get("maxResults", "100")), self.page_size)
        page: Json = {name: items[start : start + size]} if items[start:] else {}
        if items[start + size :]:
            page["nextPageToken"] = str(start + size)
        return page


def http_of(mailboxes: Mapping[str, FakeGmail]) -> httpx.AsyncClient:
    """Several mailboxes behind one endpoint, told apart by the account of their FakeTokens."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        token = Headers(scope=scope).get("authorization", "").removeprefix("Bearer ")
        await mailboxes[token.rpartition("-")[0]].app(scope, receive, send)

    return httpx.AsyncClient(transport=httpx.ASGITransport(app))


def _names(mail: StoredMail) -> Json:
    return {"id": mail.id, "threadId": mail.thread_id}


def _not_found() -> Problem:
    return Problem(404, "Requested entity was not found.", "notFound")


def _found(mail: StoredMail | None) -> StoredMail:
    if mail is None:
        raise _not_found()
    return mail
