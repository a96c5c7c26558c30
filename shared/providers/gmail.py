"""Gmail over HTTP. Knows nothing of campaigns, rows or workflows.

Google's client builds every request and reads every answer; httpx carries them, because httplib2
repeats a POST by itself when the connection is lost.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import httplib2
import httpx
from googleapiclient.errors import HttpError

from shared.errors import Gone, Unavailable
from shared.providers.gmail_api import gmail_api
from shared.providers.gmail_errors import translate, unanswered
from shared.providers.mime import key_of

Json = dict[str, Any]

_PAGE = 500  # the most that Gmail lists at once
# Between our clock and Gmail's. One that was an hour wrong must not hide a mail that has left;
# looking further back costs nothing but the reading of mails that have other keys.
_CLOCK_SKEW = timedelta(hours=2)
_NEVER_LEFT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)


class TokenSource(Protocol):
    async def access_token(self, *, rejected: str | None = None) -> str:
        """An access token; newer than `rejected`, which Gmail has just turned down."""
        ...


@dataclass(frozen=True, slots=True)
class InThread:
    """A draft or a sent mail, as Gmail names it."""

    id: str
    thread_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RawMail:
    id: str
    thread_id: str
    label_ids: frozenset[str]
    internal_at: datetime
    raw: bytes


class GmailClient:
    """One account. Cheap: make one whenever needed. Every method raises what `translate` says."""

    def __init__(self, http: httpx.AsyncClient, *, endpoint: str, tokens: TokenSource) -> None:
        self._http = http
        self._tokens = tokens
        self._api = gmail_api(endpoint)

    async def create_draft(self, raw: bytes, *, thread_id: str | None = None) -> InThread:
        """Gone when there is no such thread in this mailbox. An unused draft harms nobody."""
        message = {"raw": urlsafe_b64encode(raw).decode()}
        if thread_id is not None:
            message["threadId"] = thread_id
        request = self._api.drafts.create(userId="me", body={"message": message})
        return _draft(await self._call(request, acts=True))

    async def send_draft(self, draft_id: str) -> InThread:
        """Send it. Gone when it is no draft any more, whoever sent or deleted it."""
        request = self._api.drafts.send(userId="me", body={"id": draft_id})
        sent = await self._call(request, acts=True)
        return InThread(sent["id"], sent["threadId"])

    async def has_draft(self, draft_id: str) -> bool:
        try:
            await self._call(self._api.drafts.get(userId="me", id=draft_id, format="minimal"))
        except Gone:
            return False
        return True

    async def delete_draft(self, draft_id: str) -> bool:
        """True: deleted now, so it never was and never will be sent. False: it was no draft."""
        try:
            await self._exchange(self._api.drafts.delete(userId="me", id=draft_id), acts=True)
        except Gone:
            return False
        return True

    async def list_drafts(self) -> list[InThread]:
        pages = self._pages(self._api.drafts.list, maxResults=_PAGE)
        return [_draft(draft) async for page in pages for draft in page.get("drafts", [])]

    async def get_draft(self, draft_id: str) -> RawMail:
        """Gone when it is no draft any more."""
        draft = await self._call(self._api.drafts.get(userId="me", id=draft_id, format="raw"))
        return _raw_mail(draft["message"])

    async def find_sent(
        self, *, key: str, thread_id: str | None, to: str, since: datetime
    ) -> InThread | None:
        """The mail with our key that has left since then: in its thread, else anywhere in Sent.

        Keys are compared in the raw mail. Gmail's search does not know them, and its Message-ID
        is not ours.
        """
        earliest = since - _CLOCK_SKEW
        seen = await self._sent_in_thread(thread_id, earliest) if thread_id else []
        found = await self._with_key(key, seen)
        if found is None:
            query = f"in:sent to:{to} after:{int(earliest.timestamp())}"
            everywhere = await self._list(query, limit=_PAGE, includeSpamTrash=True)
            found = await self._with_key(key, [id_ for id_ in everywhere if id_ not in seen])
        return found

    async def get_mail(self, message_id: str) -> RawMail:
        """Gone when it was deleted."""
        request = self._api.messages.get(userId="me", id=message_id, format="raw")
        return _raw_mail(await self._call(request))

    async def message_id_of(self, message_id: str) -> str | None:
        """The Message-ID that the recipient sees, in angle brackets; Gmail rewrites ours."""
        request = self._api.messages.get(
            userId="me", id=message_id, format="metadata", metadataHeaders=["Message-ID"]
        )
        headers = (await self._call(request)).get("payload", {}).get("headers", [])
        found = (h["value"].strip() for h in headers if h["name"].lower() == "message-id")
        return next(found, None)

    async def new_since(self, history_id: str) -> tuple[list[str], str]:
        """Ids of the mails that came since, in order, and the history id to go on from.

        Gone when the history does not reach back that far: list the mailbox instead.
        """
        ids: dict[str, None] = {}
        newest: str | None = None
        pages = self._pages(
            self._api.history.list,
            startHistoryId=history_id,
            historyTypes=["messageAdded"],
            maxResults=_PAGE,
        )
        async for page in pages:
            # The first page's id: what arrives while we read the others is then read twice.
            newest = newest or page.get("historyId")
            added = (item for entry in page.get("history", []) for item in _added(entry))
            ids.update(dict.fromkeys(added))
        return list(ids), newest or history_id

    async def latest_history_id(self) -> str:
        try:
            profile = await self._call(self._api.users.getProfile(userId="me"))
        except Gone:
            return await self._history_id_of_newest()
        return str(profile["historyId"])

    async def watch(self, topic: str) -> datetime:
        """Have Gmail tell a Pub/Sub topic of what comes in, until the instant that it answers.

        Not of what we send ourselves: there would be three messages for each mail.
        """
        wanted = {
            "topicName": topic,
            "labelIds": ["SENT", "DRAFT"],
            "labelFilterBehavior": "exclude",
        }
        watched = await self._call(self._api.users.watch(userId="me", body=wanted))
        return datetime.fromtimestamp(int(watched["expiration"]) / 1000, UTC)

    async def list_mail(self, query: str, *, limit: int = 500) -> list[str]:
        """Ids of at most `limit` mails that Gmail's search finds, the newest first."""
        return await self._list(query, limit=limit)

    async def _history_id_of_newest(self) -> str:
        """For a Gmail that has no profiles, as the emulator. "0" is the start of its history."""
        for message_id in await self._list("", limit=1):
            request = self._api.messages.get(userId="me", id=message_id, format="minimal")
            return str((await self._call(request))["historyId"])
        return "0"

    async def _sent_in_thread(self, thread_id: str, earliest: datetime) -> list[str]:
        request = self._api.threads.get(userId="me", id=thread_id, format="minimal")
        try:
            messages = (await self._call(request)).get("messages", [])
        except Gone:
            return []
        sent = (mail for mail in messages if "SENT" in mail.get("labelIds", []))
        return [mail["id"] for mail in sent if _internal_at(mail) >= earliest]

    async def _with_key(self, key: str, message_ids: list[str]) -> InThread | None:
        for message_id in message_ids:
            try:
                mail = await self.get_mail(message_id)
            except Gone:
                continue
            if "SENT" in mail.label_ids and key_of(mail.raw) == key:
                return InThread(mail.id, mail.thread_id)
        return None

    async def _list(self, query: str, *, limit: int, **options: Any) -> list[str]:
        ids: list[str] = []
        options["maxResults"] = min(limit, _PAGE)
        async for page in self._pages(self._api.messages.list, q=query, **options):
            ids += [message["id"] for message in page.get("messages", [])]
            if len(ids) >= limit:
                break
        return ids[:limit]

    async def _pages(self, method: Any, **options: Any) -> AsyncIterator[Json]:
        token: str | None = None
        while True:
            page = await self._call(method(userId="me", pageToken=token, **options))
            yield page
            token = page.get("nextPageToken")
            if token is None:
                return

    async def _call(self, request: Any, *, acts: bool = False) -> Json:
        answer = await self._exchange(request, acts=acts)
        if not isinstance(answer, dict):
            raise unanswered("Gmail's answer could not be read.", may_have_acted=acts)
        return answer

    async def _exchange(self, request: Any, *, acts: bool) -> Any:
        """One request, repeated once with a newer token when Gmail turns the first one down."""
        token = await self._tokens.access_token()
        response = await self._carry(request, token, acts=acts)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            token = await self._tokens.access_token(rejected=token)
            response = await self._carry(request, token, acts=acts)
        return _read(request, response, acts=acts)

    async def _carry(self, request: Any, token: str, *, acts: bool) -> httpx.Response:
        headers = {**request.headers, "authorization": f"Bearer {token}"}
        try:
            return await self._http.request(
                request.method, request.uri, headers=headers, content=request.body
            )
        except _NEVER_LEFT as error:
            raise Unavailable("Gmail could not be reached.") from error
        except httpx.RequestError as error:
            message = "The connection to Gmail was lost before its answer came."
            raise unanswered(message, may_have_acted=acts) from error


def _read(request: Any, response: httpx.Response, *, acts: bool) -> Any:
    status = response.status_code
    headers = httplib2.Response({**response.headers, "status": str(status)})
    try:
        return request.postproc(headers, response.content)
    except HttpError as error:
        now = _its_time(response)
        raise translate(status, response.content, may_have_acted=acts, now=now) from error


def _its_time(response: httpx.Response) -> datetime:
    """Gmail names times on its own clock, which stands in the header Date."""
    try:
        return parsedate_to_datetime(response.headers["date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return datetime.now(UTC)


def _draft(draft: Json) -> InThread:
    return InThread(draft["id"], draft["message"]["threadId"])


def _raw_mail(mail: Json) -> RawMail:
    return RawMail(
        id=mail["id"],
        thread_id=mail["threadId"],
        label_ids=frozenset(mail.get("labelIds", [])),
        internal_at=_internal_at(mail),
        raw=_decoded(mail["raw"]),
    )


def _added(entry: Json) -> list[str]:
    return [added["message"]["id"] for added in entry.get("messagesAdded", [])]


def _internal_at(mail: Json) -> datetime:
    return datetime.fromtimestamp(int(mail["internalDate"]) / 1000, UTC)


def _decoded(raw: str) -> bytes:
    return urlsafe_b64decode(raw + "==")
