"""Calendars at Cronofy, which speaks to Outlook, Exchange, iCloud and others.

Its event ids are ours, and a second event with the same one is the same event (docs.cronofy.com,
"Create or Update an Event").
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from shared.errors import (
    AccountRefused,
    Ambiguous,
    AuthExpired,
    Misconfigured,
    ProviderError,
    RateLimited,
    Refused,
    Unavailable,
)
from shared.providers.calendars import Event, Meeting, Owner, Span, TokenSource, free_slots
from shared.providers.google_oauth import Tokens

Json = dict[str, Any]

SCOPE = "create_event free_busy"
_RECONNECT = "Cronofy no longer accepts our access to this calendar: connect it again."
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_MOST_PAGES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CronofyClient:
    """How this installation is known to Cronofy. `endpoint`: of its data centre."""

    client_id: str
    client_secret: str = field(repr=False)
    endpoint: str
    redirect_uri: str


class CronofyCalendar:
    """One calendar of one person."""

    def __init__(
        self, http: httpx.AsyncClient, *, endpoint: str, tokens: TokenSource, calendar_id: str
    ) -> None:
        self._http = http
        self._endpoint = endpoint
        self._tokens = tokens
        self._calendar_id = calendar_id

    async def free_slots(self, within: Span, *, minutes: int) -> Sequence[Span]:
        return free_slots(await self._busy(within, with_ours=True), within, minutes=minutes)

    async def find(self, meeting: Meeting) -> Event | None:
        """Events cannot be read with our scopes, but whether one of ours fills that time."""
        filled = await self._busy(meeting.span, with_ours=True)
        by_others = await self._busy(meeting.span, with_ours=False)
        if filled.count(meeting.span) <= by_others.count(meeting.span):
            return None
        return Event(provider_id=str(meeting.id), url=None)

    async def _busy(self, within: Span, *, with_ours: bool) -> list[Span]:
        asked = {
            "from": _written(within.starts_at),
            "to": _written(within.ends_at),
            "tzid": "Etc/UTC",
            "calendar_ids[]": self._calendar_id,
            "include_managed": "true" if with_ours else "false",
        }
        busy: list[Span] = []
        url: str | None = f"{self._endpoint}/v1/free_busy?{urlencode(asked)}"
        for _ in range(_MOST_PAGES):
            if url is None:
                break
            page = _object(await self._call("GET", url))
            busy += [_span(it) for it in page.get("free_busy", []) if _is_busy(it)]
            url = page.get("pages", {}).get("next_page")
        return busy

    async def book(self, meeting: Meeting) -> Event:
        event_id = str(meeting.id)
        event: Json = {
            "event_id": event_id,
            "summary": meeting.title,
            "description": "",
            "start": _written(meeting.span.starts_at),
            "end": _written(meeting.span.ends_at),
        }
        if meeting.attendee_email:
            name = {"display_name": meeting.attendee_name} if meeting.attendee_name else {}
            event["attendees"] = {"invite": [{"email": meeting.attendee_email, **name}]}
        calendar = quote(self._calendar_id, safe="")
        await self._call("POST", f"{self._endpoint}/v1/calendars/{calendar}/events", json=event)
        return Event(provider_id=event_id, url=None)

    async def _call(self, method: str, url: str, **more: Any) -> httpx.Response:
        """One request, repeated once with a newer token when Cronofy turns the first one down."""
        token = await self._tokens.access_token()
        response = await _carry(self._http, method, url, token, **more)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            token = await self._tokens.access_token(rejected=token)
            response = await _carry(self._http, method, url, token, **more)
        if response.is_success:
            return response
        raise _translated(response, acts=method == "POST")


class CronofyCalendars:
    """The calendars of everybody who gives consent on Cronofy's page."""

    def __init__(self, http: httpx.AsyncClient, client: CronofyClient) -> None:
        self._http = http
        self._client = client

    def authorize_url(self, *, state: str, code_verifier: str) -> str:  # noqa: ARG002 - Cronofy has no PKCE: our secret proves who swaps the code
        asked = {
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": self._client.redirect_uri,
            "scope": SCOPE,
            "state": state,
        }
        pages = self._client.endpoint.replace("//api", "//app", 1)
        return f"{pages}/oauth/authorize?{urlencode(asked)}"

    async def exchange(self, code: str, code_verifier: str) -> Tokens:  # noqa: ARG002 - as above
        """AuthExpired when the code was used before or is too old."""
        return await self._ask_for_tokens(
            grant_type="authorization_code", code=code, redirect_uri=self._client.redirect_uri
        )

    async def refresh(self, refresh_token: str) -> Tokens:
        return await self._ask_for_tokens(grant_type="refresh_token", refresh_token=refresh_token)

    async def whose(self, access_token: str) -> Owner:
        """Whose it is, and the calendar that their provider calls the primary one."""
        url = f"{self._client.endpoint}/v1/userinfo"
        response = await _carry(self._http, "GET", url, access_token)
        if not response.is_success:
            raise _translated(response, acts=False)
        told = _object(response)
        profiles = told.get("cronofy.data", {}).get("profiles", [])
        found = [it for profile in profiles for it in profile.get("profile_calendars", [])]
        usable = [it for it in found if not it.get("calendar_readonly")]
        primary = next((it for it in usable if it.get("calendar_primary")), None)
        chosen = primary or next(iter(usable), None)
        if chosen is None:
            raise AccountRefused("Cronofy shows no calendar of yours that we may write to")
        return Owner(email=str(told.get("email", "")).lower(), calendar_id=chosen["calendar_id"])

    def open(self, tokens: TokenSource, *, calendar_id: str | None) -> CronofyCalendar:
        return CronofyCalendar(
            self._http, endpoint=self._client.endpoint, tokens=tokens, calendar_id=calendar_id or ""
        )

    async def _ask_for_tokens(self, **grant: str) -> Tokens:
        client = {"client_id": self._client.client_id, "client_secret": self._client.client_secret}
        asked_at = datetime.now(UTC)
        try:
            url = f"{self._client.endpoint}/oauth/token"
            response = await self._http.post(url, json={**client, **grant})
        except httpx.RequestError as error:
            raise Unavailable("Cronofy could not be reached.") from error
        told = _object(response)
        if not response.is_success or "access_token" not in told:
            raise _refused_tokens(response, str(told.get("error", "")))
        return Tokens(
            access_token=told["access_token"],
            refresh_token=told.get("refresh_token"),
            expires_at=asked_at + timedelta(seconds=int(told.get("expires_in", 3_600))),
            scopes=frozenset(str(told.get("scope", "")).split()),
        )


async def _carry(
    http: httpx.AsyncClient, method: str, url: str, token: str, **more: Any
) -> httpx.Response:
    try:
        headers = {"authorization": f"Bearer {token}"}
        return await http.request(method, url, headers=headers, **more)
    except _NEVER_LEFT as error:
        raise Unavailable("Cronofy could not be reached.") from error
    except httpx.RequestError as error:
        raise _unanswered(acts=method == "POST") from error


def _translated(response: httpx.Response, *, acts: bool) -> ProviderError:
    match response.status_code:
        case 401:
            return AuthExpired(_RECONNECT)
        case 402 | 403 | 404:
            return AccountRefused("Cronofy does not let us use this calendar: connect it again.")
        case 422:
            return Refused("Cronofy did not accept this appointment.")
        case 429:
            message = "Cronofy asks this account to slow down."
            return RateLimited(message, retry_after=timedelta(minutes=1))
        case _:
            return _unanswered(acts=acts)


def _refused_tokens(response: httpx.Response, said: str) -> Exception:
    if said in {"invalid_client", "unauthorized_client"}:
        return Misconfigured("Cronofy does not accept our client: check DRUMBEAT_CRONOFY_CLIENT_ID")
    if response.is_client_error:
        return AuthExpired(_RECONNECT)
    return _unanswered(acts=False)


def _unanswered(*, acts: bool) -> Unavailable:
    error = Ambiguous if acts else Unavailable
    return error("Cronofy did not answer: try again.")


def _object(response: httpx.Response) -> Json:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _is_busy(entry: Json) -> bool:
    return entry.get("free_busy_status") != "free"


def _span(entry: Json) -> Span:
    """Whole days come as dates, in the zone that was asked for."""
    return Span(starts_at=_instant(entry["start"]), ends_at=_instant(entry["end"]))


def _instant(value: str) -> datetime:
    at = datetime.fromisoformat(value)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
