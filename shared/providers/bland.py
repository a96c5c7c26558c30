"""Phone calls by Bland's agents, over its REST API.

A call has no token that could be spent once and no idempotency key, and httpx repeats nothing by
itself: whoever places one marks it in its metadata, and looks for the mark before a second try.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from shared.domain.calls import CallReport
from shared.errors import Ambiguous, Gone, Unavailable
from shared.providers.bland_errors import translate, translate_failure
from shared.providers.bland_reports import KEY, has_call_id, read_report

Json = dict[str, Any]

# Bland's clock and ours may differ by so much.
CLOCK_SKEW = timedelta(minutes=2)
# More calls than this to one number in two days are not looked through.
MOST_CANDIDATES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOrder:
    """`to` in E.164. `details`: the fields of POST /v1/calls that say how the agent talks."""

    to: str
    key: str
    webhook: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def to_json(self) -> Json:
        body = {**self.details, "phone_number": self.to, "metadata": {KEY: self.key}}
        return body | ({"webhook": self.webhook} if self.webhook else {})


class BlandClient:
    """One account. Cheap: make one whenever needed."""

    def __init__(self, http: httpx.AsyncClient, *, endpoint: str, api_key: str) -> None:
        self._http = http
        self._endpoint = endpoint.rstrip("/")
        self._api_key = api_key

    async def place(self, order: CallOrder) -> str:
        """Have it dialled, and return the call's id. Raises what `bland_errors.translate` says.

        After Ambiguous it may have been dialled: look before another try.
        """
        body = await self._ask("POST", "/v1/calls", json=order.to_json(), acts=True)
        if not has_call_id(body):
            raise Ambiguous("Bland took the call and did not say under which id.")
        return str(body["call_id"])

    async def read(self, call_id: str) -> CallReport:
        """How it stands. Raises Gone, RateLimited, Unavailable, AuthExpired, AccountRefused."""
        body = await self._ask("GET", f"/v1/calls/{call_id}")
        if not has_call_id(body):
            raise Unavailable("Bland's answer says nothing about a call.")
        return read_report(body)

    async def find(self, *, key: str, to: str, since: datetime) -> CallReport | None:
        """The call with our mark that was placed to this number since then.

        Bland cannot search by metadata, and its list may leave them out: each call that is young
        enough is read.
        """
        earliest = since - CLOCK_SKEW
        calls = await self._list(to=to, since=earliest)
        for listed in calls:
            if listed.created_at and listed.created_at < earliest:
                continue
            call = listed if listed.key else await self._read_again(listed)
            if call.key == key:
                return call
        if len(calls) == MOST_CANDIDATES:
            raise Unavailable("So many calls went to this number that ours may be behind them.")
        return None

    async def stop(self, call_id: str) -> None:
        """Hang up, or take back what is not dialled yet. Harmless when it is over."""
        await self._ask("POST", f"/v1/calls/{call_id}/stop")

    async def check(self) -> None:
        """Whether the key opens the account: a read that changes nothing."""
        await self._ask("GET", "/v1/calls", params={"limit": "1"})

    async def _list(self, *, to: str, since: datetime) -> list[CallReport]:
        # A day more on each side: nobody says in which zone its days begin.
        params = {
            "to_number": to,
            "start_date": f"{(since - timedelta(days=1)).astimezone(UTC):%Y-%m-%d}",
            "sort_by": "created_at",
            "ascending": "false",
            "limit": str(MOST_CANDIDATES),
        }
        body = await self._ask("GET", "/v1/calls", params=params)
        calls = body.get("calls")
        if not isinstance(calls, list):
            # Taken for "none", this would have a call repeated.
            raise Unavailable("Bland's list of calls is no list.")
        return [read_report(call) for call in calls if has_call_id(call)]

    async def _read_again(self, call: CallReport) -> CallReport:
        try:
            return await self.read(call.call_id)
        except Gone:
            return call

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        json: Json | None = None,
        params: dict[str, str] | None = None,
        acts: bool = False,
    ) -> Json:
        try:
            answer = await self._http.request(
                method,
                f"{self._endpoint}{path}",
                json=json,
                params=params,
                headers={"authorization": self._api_key},
                follow_redirects=False,
            )
        except httpx.HTTPError as error:
            raise translate_failure(error, acts=acts) from error
        if not answer.is_success:
            raise translate(answer.status_code, answer.content, acts=acts)
        return _body(answer, acts=acts)


def _body(answer: httpx.Response, *, acts: bool) -> Json:
    try:
        body = answer.json()
    except ValueError:
        body = None
    if isinstance(body, dict):
        return body
    words = "Bland's answer cannot be read."
    raise Ambiguous(words) if acts else Unavailable(words)
