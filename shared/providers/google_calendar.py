"""Google Calendar over HTTP: free and busy times, and events that are made once.

Google's client builds the requests, as for Gmail, and httpx carries them.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import httpx
from googleapiclient.discovery import build

from shared.errors import (
    AccountRefused,
    Ambiguous,
    AuthExpired,
    Gone,
    ProviderError,
    RateLimited,
    Refused,
    Unavailable,
)
from shared.providers.calendars import Event, Meeting, Owner, Span, TokenSource, free_slots
from shared.providers.google_oauth import GoogleOAuth, Tokens

Json = dict[str, Any]

PRIMARY = "primary"
SCOPES = (
    "openid",
    "https://www.googleapis.com/auth/userinfo.email",
    "https://www.googleapis.com/auth/calendar.events",
    "https://www.googleapis.com/auth/calendar.freebusy",
)
_EVERYTHING = "https://www.googleapis.com/auth/calendar"
_SLOW = "Google Calendar asks this account to slow down."
_RECONNECT = "Google no longer accepts our access to this calendar: connect it again."
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
# Of an event that exists: it was made by an earlier try, since nobody else knows the id.
_EXISTS = 409
_MISSING = (404, 410)


class CalendarApi:
    """Google's resources. They only build requests; making one takes 1 ms, so they are kept."""

    def __init__(self, endpoint: str) -> None:
        options = {"api_endpoint": endpoint}
        service = build(
            "calendar", "v3", http=object(), static_discovery=True, client_options=options
        )
        self.freebusy = service.freebusy()
        self.events = service.events()


@lru_cache(maxsize=8)
def _api(endpoint: str) -> CalendarApi:
    return CalendarApi(endpoint)


class GoogleCalendar:
    """The primary calendar of one account."""

    def __init__(self, http: httpx.AsyncClient, *, endpoint: str, tokens: TokenSource) -> None:
        self._http = http
        self._tokens = tokens
        self._api = _api(endpoint)

    async def free_slots(self, within: Span, *, minutes: int) -> Sequence[Span]:
        asked = {
            "timeMin": _written(within.starts_at),
            "timeMax": _written(within.ends_at),
            "items": [{"id": PRIMARY}],
        }
        answer = await self._call(self._api.freebusy.query(body=asked), acts=False)
        calendar = answer.get("calendars", {}).get(PRIMARY, {})
        if "busy" not in calendar:
            raise AccountRefused("Google does not show this calendar's times: connect it again.")
        busy = [_span(each) for each in calendar["busy"]]
        return free_slots(busy, within, minutes=minutes)

    async def book(self, meeting: Meeting) -> Event:
        """Make the event. One that is there already is the answer to an earlier try."""
        event_id = meeting.id.hex
        event: Json = {
            "id": event_id,
            "summary": meeting.title,
            "start": {"dateTime": _written(meeting.span.starts_at)},
            "end": {"dateTime": _written(meeting.span.ends_at)},
        }
        if meeting.attendee_email:
            name = {"displayName": meeting.attendee_name} if meeting.attendee_name else {}
            event["attendees"] = [{"email": meeting.attendee_email, **name}]
        request = self._api.events.insert(calendarId=PRIMARY, body=event, sendUpdates="all")
        made = await self._call(request, acts=True)
        return Event(provider_id=made.get("id", event_id), url=made.get("htmlLink"))

    async def find(self, meeting: Meeting) -> Event | None:
        """By its id, which is ours. One that its owner has deleted counts as none."""
        request = self._api.events.get(calendarId=PRIMARY, eventId=meeting.id.hex)
        try:
            found = await self._call(request, acts=False)
        except Gone:
            return None
        if found.get("status") == "cancelled":
            return None
        return Event(provider_id=meeting.id.hex, url=found.get("htmlLink"))

    async def _call(self, request: Any, *, acts: bool) -> Json:
        """One request, repeated once with a newer token when Google turns the first one down."""
        token = await self._tokens.access_token()
        response = await self._carry(request, token, acts=acts)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            token = await self._tokens.access_token(rejected=token)
            response = await self._carry(request, token, acts=acts)
        if acts and response.status_code == _EXISTS:
            return {}
        if request.method == "GET" and response.status_code in _MISSING:
            raise Gone("Google Calendar has no such event.")
        if response.is_success:
            return _object(response)
        raise _translated(response, acts=acts)

    async def _carry(self, request: Any, token: str, *, acts: bool) -> httpx.Response:
        headers = {**request.headers, "authorization": f"Bearer {token}"}
        try:
            return await self._http.request(
                request.method, request.uri, headers=headers, content=request.body
            )
        except _NEVER_LEFT as error:
            raise Unavailable("Google Calendar could not be reached.") from error
        except httpx.RequestError as error:
            raise _unanswered(acts=acts) from error


class GoogleCalendars:
    """The calendars of everybody who gives consent on Google's page."""

    def __init__(self, http: httpx.AsyncClient, oauth: GoogleOAuth, *, endpoint: str) -> None:
        self._http = http
        self._oauth = oauth
        self._endpoint = endpoint

    def authorize_url(self, *, state: str, code_verifier: str) -> str:
        return self._oauth.authorize_url(state=state, code_verifier=code_verifier, scopes=SCOPES)

    async def exchange(self, code: str, code_verifier: str) -> Tokens:
        """AccountRefused when a person has not ticked every box."""
        tokens = await self._oauth.exchange(code, code_verifier)
        missing = [scope for scope in SCOPES[2:] if scope not in tokens.scopes]
        # A grant of all of the calendar is more than is asked for.
        if missing and _EVERYTHING not in tokens.scopes:
            raise AccountRefused(
                "Google was not allowed the calendar: connect again and tick every box."
            )
        return tokens

    async def refresh(self, refresh_token: str) -> Tokens:
        return await self._oauth.refresh(refresh_token)

    async def whose(self, access_token: str) -> Owner:
        return Owner(email=(await self._oauth.who(access_token)).email.lower())

    def open(self, tokens: TokenSource, *, calendar_id: str | None) -> GoogleCalendar:  # noqa: ARG002 - the primary one is always meant
        return GoogleCalendar(self._http, endpoint=self._endpoint, tokens=tokens)


def _translated(response: httpx.Response, *, acts: bool) -> ProviderError:
    status, said = response.status_code, response.text[:2000].lower()
    if status == httpx.codes.UNAUTHORIZED:
        return AuthExpired(_RECONNECT)
    if status == httpx.codes.TOO_MANY_REQUESTS or (status == 403 and "limit" in said):
        return RateLimited(_SLOW, retry_after=timedelta(minutes=1))
    if status in {403, 404}:
        return AccountRefused("Google does not let us use this calendar: connect it again.")
    if status == httpx.codes.BAD_REQUEST:
        return Refused("Google Calendar did not accept this appointment.")
    return _unanswered(acts=acts)


def _unanswered(*, acts: bool) -> Unavailable:
    error = Ambiguous if acts else Unavailable
    return error("Google Calendar did not answer: try again.")


def _object(response: httpx.Response) -> Json:
    try:
        body = json.loads(response.content)
    except ValueError:
        body = None
    return body if isinstance(body, dict) else {}


def _span(busy: Json) -> Span:
    starts_at, ends_at = (datetime.fromisoformat(busy[name]) for name in ("start", "end"))
    return Span(starts_at=starts_at, ends_at=ends_at)


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
