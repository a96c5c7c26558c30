"""One call to Unipile's API v1, and lists of several pages. `unipile` says what is called."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx

from shared.errors import AuthExpired
from shared.providers.linkedin import NoSuchMember
from shared.providers.unipile_errors import translate, unanswered

Json = dict[str, Any]

_PAGE = 100
# Beyond this many pages something is wrong with the cursor.
_MOST_PAGES = 50
_NEVER_LEFT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)


class UnipileCalls:
    def __init__(self, http: httpx.AsyncClient, *, endpoint: str, api_key: str) -> None:
        self.endpoint = endpoint.rstrip("/")
        self._http = http
        self._headers = {"X-API-KEY": api_key, "Accept": "application/json"}

    async def account(self, account_id: str) -> Json:
        """Raises AuthExpired when there is none."""
        try:
            return await self.call("GET", f"/accounts/{quoted(account_id)}")
        except NoSuchMember:
            raise AuthExpired("Unipile does not know this account: connect it again.") from None

    async def pages(self, path: str, params: Mapping[str, str]) -> AsyncIterator[Json]:
        query = {**params, "limit": str(_PAGE)}
        for _ in range(_MOST_PAGES):
            page = await self._page(path, query)
            for item in page["items"]:
                yield item
            if not page.get("cursor"):
                return
            query["cursor"] = page["cursor"]

    async def _page(self, path: str, query: Mapping[str, str]) -> Json:
        try:
            return await self.call("GET", path, params=query)
        except NoSuchMember:
            if account_id := query.get("account_id"):
                await self.account(account_id)
            raise

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Json | None = None,
        form: Mapping[str, str] | None = None,
        is_repeatable: bool = False,
    ) -> Json:
        acts = method != "GET" and not is_repeatable
        try:
            response = await self._http.request(
                method,
                f"{self.endpoint}/api/v1{path}",
                params=params,
                json=json,
                # Without a file name each is a plain field of a multipart form.
                files={name: (None, value) for name, value in form.items()} if form else None,
                headers=self._headers,
            )
        except _NEVER_LEFT:
            raise unanswered(may_have_acted=False) from None
        except httpx.HTTPError:
            raise unanswered(may_have_acted=acts) from None
        if response.is_success:
            return _body(response, acts=acts)
        raise translate(
            response.status_code,
            response.content,
            may_have_acted=acts,
            now=datetime.now(UTC),
            retry_after=response.headers.get("retry-after"),
        )


def _body(response: httpx.Response, *, acts: bool) -> Json:
    try:
        body = response.json()
    except ValueError:
        body = None
    if isinstance(body, dict):
        return body
    raise unanswered(may_have_acted=acts)


def quoted(segment: str) -> str:
    return quote(segment, safe="")
