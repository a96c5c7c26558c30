"""A Unipile small enough to read: true to its spec, and misbehaving when it is told to.

unipile = FakeUnipile()
account = unipile.world.add_account("sam-sender")
client = UnipileClient(unipile.http(), endpoint=unipile.endpoint, api_key=unipile.api_key)
unipile.lose_answer(on="sendInvitation")   # it will be sent, and nobody hears of it
unipile.accept(account.id, "ada")          # Ada accepts; Unipile tells of it when it likes
unipile.reply(account.id, "ada", "Yes!")
await unipile.news.deliver(http, times=2, seed=7)
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.sandbox.contract import SPECS, Breach, Contract
from deploy.sandbox.linkedin_world import LinkedInWorld, SandboxMessage
from deploy.sandbox.unipile_answers import Answer, Handler, Problem, UnipileAnswers
from deploy.sandbox.unipile_news import NewsRoom


@dataclass(frozen=True, slots=True)
class Fault:
    """`on` is an operation of the spec; None is whichever comes next."""

    raises: Exception
    on: str | None
    is_after_acting: bool


class FakeUnipile:
    """`requests` counts what was asked, by operation."""

    endpoint = "http://unipile.test"
    api_key = "unipile-key"

    def __init__(
        self, *, clock: Callable[[], datetime] | None = None, contract: Contract | None = None
    ) -> None:
        self.contract = contract or Contract(SPECS / "unipile.openapi.yaml")
        self.world = LinkedInWorld(clock)
        self.news = NewsRoom(self.world, self.contract)
        self.requests: Counter[str] = Counter()
        self.answers = UnipileAnswers(self.world, self.news)
        self._faults: list[Fault] = []
        self.app = self.contract.around(self._routes(), refuse=_refuse)

    def http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app))

    def fail(
        self,
        status: int,
        kind: str,
        *,
        on: str | None = None,
        after_acting: bool = False,
        retry_after: int | None = None,
    ) -> None:
        """The next such request is answered with this problem, before or after it acted."""
        problem = Problem(status, kind, retry_after=retry_after)
        self._faults.append(Fault(problem, on, after_acting))

    def lose_answer(self, *, on: str | None = None) -> None:
        """The next such request acts, and its answer never arrives."""
        self._faults.append(Fault(httpx.ReadTimeout("lost on the way back"), on, True))

    def lose_request(self, *, on: str | None = None) -> None:
        """The next such request never arrives, though it looks as if it had."""
        self._faults.append(Fault(httpx.ReadTimeout("lost on the way there"), on, False))

    def be_down(self, *, on: str | None = None) -> None:
        """The next such request finds nobody listening."""
        self._faults.append(Fault(httpx.ConnectError("refused"), on, False))

    def accept(self, account_id: str, public_id: str) -> None:
        """Somebody accepts the invitation that they have."""
        if self.world.find_pending(account_id, public_id) is None:
            raise ValueError(f"Nobody has invited {public_id}")
        self.world.connect(account_id, public_id)
        self.news.add_connection(account_id, public_id)

    def reply(self, account_id: str, public_id: str, text: str) -> SandboxMessage:
        """Somebody writes to the account."""
        message = self.world.write(account_id, public_id, text, is_ours=False)
        self.news.add_message(message)
        return message

    def set_status(self, account_id: str, status: str) -> None:
        """The session of an account works no more, or again."""
        self.world.accounts[account_id].status = "OK" if status == "RECONNECTED" else status
        self.news.add_status(account_id, status)

    def _routes(self) -> Starlette:
        return Starlette(
            routes=[
                Route(f"/api/v1{path}", self._answer(name, handler), methods=[method])
                for name, method, path, handler in self.answers.operations()
            ]
        )

    def _answer(self, operation: str, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            self.requests[operation] += 1
            try:
                status, body = await self._act(operation, handler, request)
            except Problem as problem:
                return problem.answer()
            return JSONResponse(body, status)

        return answer

    async def _act(self, operation: str, handler: Handler, request: Request) -> Answer:
        if request.headers.get("x-api-key") != self.api_key:
            raise Problem(401, "missing_credentials")
        fault = next((f for f in self._faults if f.on in {None, operation}), None)
        if fault is None:
            return await handler(request)
        self._faults.remove(fault)
        if fault.is_after_acting:
            await handler(request)
        raise fault.raises


def _refuse(breach: Breach) -> Response:
    kind = "missing_credentials" if breach.status == 401 else "invalid_parameters"
    title = f"{breach.operation}: {'; '.join(breach.problems)}"
    problem = {"status": breach.status, "type": f"errors/{kind}", "title": title}
    return JSONResponse(problem, breach.status)
