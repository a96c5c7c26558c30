"""A Gmail mailbox as its owner sees it: the sent folder, and the mail that others deliver."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import httpx

from deploy.sandbox.emulator import GoogleEmulator
from deploy.sandbox.letters import Received

ME = "/gmail/v1/users/me"
PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class InMailbox:
    """A message that the mailbox holds; `at` is when it was sent or received."""

    id: str
    thread_id: str
    at: datetime
    received: Received


class Mailbox:
    """One mailbox of the emulator: `async with await Mailbox.open(google, address)`."""

    def __init__(self, http: httpx.AsyncClient, address: str) -> None:
        self.address = address
        self._http = http

    @classmethod
    async def open(cls, google: GoogleEmulator, address: str) -> Self:
        token = await access_token(google, address)
        headers = {"Authorization": f"Bearer {token}"}
        http = httpx.AsyncClient(base_url=google.url, headers=headers, trust_env=False, timeout=30)
        return cls(http, address)

    async def list_ids(self, label: str) -> list[str]:
        """Ids of every message with the label (SENT, INBOX), the newest first."""
        query: dict[str, str | int] = {"labelIds": label, "maxResults": PAGE}
        ids: list[str] = []
        while True:
            page = await self._call("GET", f"{ME}/messages", params=query)
            ids += [message["id"] for message in page.get("messages", [])]
            if not page.get("nextPageToken"):
                return ids
            query["pageToken"] = page["nextPageToken"]

    async def read(self, message_id: str) -> InMailbox:
        found = await self._call("GET", f"{ME}/messages/{message_id}", params={"format": "raw"})
        mail = message_from_bytes(urlsafe_b64decode(found["raw"] + "=="), policy=default)
        return InMailbox(
            id=found["id"],
            thread_id=found["threadId"],
            at=datetime.fromtimestamp(int(found["internalDate"]) / 1000, UTC),
            received=Received(mail=mail, message_id=await self._message_id(found["id"], mail)),
        )

    async def deliver(self, mail: EmailMessage) -> str:
        """Put a mail from outside into the inbox; its thread follows from its headers alone."""
        raw = urlsafe_b64encode(mail.as_bytes(policy=SMTP)).decode()
        body = {"raw": raw, "labelIds": ["INBOX", "UNREAD"]}
        delivered = await self._call("POST", f"{ME}/messages/import", json=body)
        return str(delivered["id"])

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    async def _message_id(self, message_id: str, mail: EmailMessage) -> str:
        """The mail's Message-ID; one that came without has been given one by the mailbox."""
        if "Message-ID" in mail:
            return str(mail["Message-ID"]).strip()
        query = {"format": "metadata", "metadataHeaders": "Message-ID"}
        found = await self._call("GET", f"{ME}/messages/{message_id}", params=query)
        headers = found["payload"]["headers"]
        return str(next(h["value"] for h in headers if h["name"].lower() == "message-id"))

    async def _call(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        response = await self._http.request(method, path, **request)
        response.raise_for_status()
        return dict(response.json())


async def access_token(google: GoogleEmulator, address: str) -> str:
    """A token of the mailbox's own, got by the same consent that an application asks for."""
    client = google.seed.client
    who = {"client_id": client.client_id, "redirect_uri": client.redirect_uris[0]}
    async with httpx.AsyncClient(base_url=google.url, trust_env=False) as http:
        consent = {**who, "email": address, "scope": "openid email"}
        answer = await http.post("/o/oauth2/v2/auth/callback", data=consent)
        code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
        secret = {"client_secret": client.client_secret, "grant_type": "authorization_code"}
        granted = await http.post("/oauth2/token", data={**who, **secret, "code": code})
        granted.raise_for_status()
    return str(granted.json()["access_token"])
