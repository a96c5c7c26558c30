"""The gateway as a person's program uses it: HTTP, a token, and patience when nobody answers."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import httpx

from deploy.demo.ledger import LedgerAction, LedgerRecipient
from deploy.demo.script import Lead, Step
from deploy.sandbox.browser import give_consent
from shared.errors import Conflict, Refused, Unavailable

# A part that was killed is back well before that.
PATIENCE_SECONDS = 60
PAUSE_SECONDS = 0.5
# The mailbox is nobody's. With a limit of ours, what Google bears in a minute would be one too.
NO_LIMITS = {"daily_limit": None}
Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Todo:
    """What a page shows of something that a person has to do."""

    id: str
    title: str
    lead_id: str
    step_id: str


class Gateway:
    """Every write carries an Idempotency-Key, so that asking again never does it twice."""

    def __init__(
        self,
        url: str,
        *,
        patience_seconds: float = PATIENCE_SECONDS,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`transport` is the network unless a test brings its own."""
        self._http = httpx.AsyncClient(
            base_url=url, timeout=30, trust_env=False, transport=transport
        )
        self._patience_seconds = patience_seconds

    async def sign_up(self, *, email: str, password: str, name: str) -> None:
        """Register, or log in where a kept folder already knows this person."""
        who = {"email": email, "password": password}
        try:
            tokens = await self._write("POST", "/api/auth/register", {**who, "name": name})
        except Conflict:
            tokens = await self._write("POST", "/api/auth/login", who)
        self._carry(tokens)

    async def create_company(self, company: Json) -> str:
        """Create it and act in it from now on."""
        created = await self._write("POST", "/api/companies", company)
        chosen = {"company_id": created["id"]}
        self._carry(await self._write("POST", "/api/auth/switch-company", chosen))
        return str(created["id"])

    async def connect_gmail(self, email: str) -> str:
        """Give consent in a browser of our own; the account's id."""
        link = await self._write("POST", "/api/accounts/gmail/connect", {})
        async with httpx.AsyncClient(timeout=30, trust_env=False) as browser:
            ended = await give_consent(browser, link["authorize_url"], email=email)
        for account in _items(await self._read("/api/accounts")):
            if account["kind"] == "gmail" and account["email"].lower() == email:
                return str(account["id"])
        raise Refused(f"The gateway has no Gmail account {email} after the consent ({ended})")

    async def connect_bland(self, api_key: str) -> str:
        """The line that calls go out by; the account's id."""
        account = await self._write("POST", "/api/accounts/bland", {"api_key": api_key})
        return str(account["id"])

    async def lift_limits(self, account_id: str) -> None:
        await self._write("PUT", f"/api/accounts/{account_id}", NO_LIMITS)

    async def create_lead(self, company_id: str, lead: Lead) -> str:
        path = f"/api/companies/{company_id}/leads"
        return str((await self._write("POST", path, _given(lead)))["id"])

    async def create_campaign(self, name: str, *, kind: str = "email") -> str:
        campaign = {"name": name, "type": kind}
        return str((await self._write("POST", "/api/campaigns", campaign))["id"])

    async def add_step(self, campaign_id: str, step: Step) -> str:
        body = {"delay_days": 0, **_given(step)}
        path = f"/api/campaigns/{campaign_id}/sequences"
        return str((await self._write("POST", path, body))["id"])

    async def add_recipients(self, campaign_id: str, lead_ids: Sequence[str]) -> None:
        path = f"/api/campaigns/{campaign_id}/recipients"
        added = await self._write("POST", path, {"contact_ids": list(lead_ids)})
        if added["refused"]:
            raise Refused(f"{len(added['refused'])} leads were refused: {added['refused'][:3]}")

    async def activate(self, campaign_id: str) -> None:
        await self._write("POST", f"/api/campaigns/{campaign_id}/activate", {})

    async def list_recipients(self, campaign_id: str) -> list[LedgerRecipient]:
        """Everybody, without their actions."""
        found = _items(await self._read(f"/api/campaigns/{campaign_id}/recipients"))
        return [_recipient(row) for row in found]

    async def list_actions(self, campaign_id: str, recipient_id: str) -> list[LedgerAction]:
        path = f"/api/campaigns/{campaign_id}/recipients/{recipient_id}/actions"
        return [_action(row) for row in _items(await self._read(path))]

    async def list_open_todos(self) -> list[Todo]:
        """The steps that wait for a person, the soonest due first (the demo fits into one page).

        Who wants to meet is a to-do as well, and goes on being one: nobody here has a calendar.
        """
        found = _items(await self._read("/api/todos?status=open&limit=500"))
        return [
            Todo(
                id=row["id"], title=row["title"], lead_id=row["lead"]["id"], step_id=row["step_id"]
            )
            for row in found
            if row["step_id"]
        ]

    async def finish_todo(self, todo_id: str, *, outcome: str | None = None) -> bool:
        """Say that it is done. False: meanwhile nobody wants it any more."""
        body = {"outcome": outcome} if outcome else {}
        try:
            await self._write("POST", f"/api/todos/{todo_id}/done", body)
        except Conflict:
            return False
        return True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    def _carry(self, tokens: Json) -> None:
        self._http.headers["Authorization"] = f"Bearer {tokens['access_token']}"

    async def _read(self, path: str) -> Any:
        return (await self._ask("GET", path)).json()

    async def _write(self, method: str, path: str, body: Json) -> Json:
        headers = {"Idempotency-Key": str(uuid4())}
        return dict((await self._ask(method, path, json=body, headers=headers)).json())

    async def _ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Ask until somebody answers, for as long as our patience lasts."""
        give_up_at = time.monotonic() + self._patience_seconds
        while True:
            answer = await self._try(method, path, **request)
            if isinstance(answer, httpx.Response) and not _is_for_later(answer):
                return _accepted(answer)
            if time.monotonic() > give_up_at:
                raise Unavailable(
                    f"{method} {path} was not answered for {self._patience_seconds:.0f} s: "
                    f"{_said(answer)}"
                )
            await asyncio.sleep(PAUSE_SECONDS)

    async def _try(
        self, method: str, path: str, **request: Any
    ) -> httpx.Response | httpx.TransportError:
        try:
            return await self._http.request(method, path, **request)
        except httpx.TransportError as error:
            return error


def _given(thing: Lead | Step) -> Json:
    """Its fields that say something."""
    return {name: value for name, value in asdict(thing).items() if value is not None}


def _is_for_later(answer: httpx.Response) -> bool:
    """A part is down, too much was asked, or our own earlier try is still being worked on."""
    return answer.is_server_error or "Retry-After" in answer.headers


def _accepted(answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    error = Conflict if answer.status_code == httpx.codes.CONFLICT else Refused
    raise error(f"{answer.request.method} {answer.request.url.path}: {_said(answer)}")


def _said(answer: httpx.Response | httpx.TransportError) -> str:
    if isinstance(answer, httpx.Response):
        return f"{answer.status_code} {answer.text[:500]}"
    return f"{type(answer).__name__} {answer}".strip()


def _items(body: Any) -> list[Json]:
    """The rows of a list, bare or in pages (the demo fits into one page)."""
    return list(body["items"] if isinstance(body, dict) else body)


def _recipient(row: Json) -> LedgerRecipient:
    return LedgerRecipient(
        id=row["id"],
        lead_id=row["contact_id"],
        status=row["status"],
        detail=row.get("detail") or "",
        ended_at=_instant(row.get("ended_at")),
    )


def _action(row: Json) -> LedgerAction:
    return LedgerAction(
        step_id=row["sequence_id"],
        status=row["status"],
        executed_at=_instant(row.get("executed_at")),
        confirmed_at=_instant(row.get("confirmed_at")),
    )


def _instant(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)
