"""LinkedIn through Unipile's API v1. Knows nothing of campaigns, rows or workflows.

One API key opens every account; an account is named in each call.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from shared.providers.linkedin import (
    NOTE_OF_FREE,
    NOTE_OF_PREMIUM,
    ChatMessage,
    Connection,
    Invitation,
    Member,
    NoSuchMember,
    SentMessage,
)
from shared.providers.unipile_calls import Json, UnipileCalls, quoted

SOURCES = ("messaging", "users", "account_status")
SECRET_HEADER = "Unipile-Auth"  # noqa: S105 - a header's name


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedLink:
    """A page on which a person logs in at LinkedIn. `name` comes back with the result.

    `account_id`: the account that is to be connected again; None: a new one.
    """

    name: str
    notify_url: str
    success_url: str
    failure_url: str
    expires_at: datetime
    account_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedInAccount:
    """`member_id`: whom it belongs to, as itself sees them. `note_limit`: characters of a note."""

    id: str
    member_id: str
    public_id: str
    name: str
    note_limit: int
    is_well: bool
    created_at: datetime


class UnipileClient:
    """Every method raises what `unipile_errors.translate` says."""

    def __init__(self, http: httpx.AsyncClient, *, endpoint: str, api_key: str) -> None:
        self._calls = UnipileCalls(http, endpoint=endpoint, api_key=api_key)

    async def hosted_link(self, link: HostedLink) -> str:
        body: Json = {
            "api_url": self._calls.endpoint,
            "expiresOn": _stamp(link.expires_at),
            "name": link.name,
            "notify_url": link.notify_url,
            "success_redirect_url": link.success_url,
            "failure_redirect_url": link.failure_url,
        }
        if link.account_id is None:
            body |= {"type": "create", "providers": ["LINKEDIN"]}
        else:
            body |= {"type": "reconnect", "reconnect_account": link.account_id}
        # A link that is lost harms nobody.
        answer = await self._calls.call(
            "POST", "/hosted/accounts/link", json=body, is_repeatable=True
        )
        return str(answer["url"])

    async def account(self, account_id: str) -> LinkedInAccount:
        """Raises AuthExpired when there is none."""
        answer = await self._calls.account(account_id)
        member = answer["connection_params"]["im"]
        is_premium = bool(member.get("premiumId") or member.get("premiumFeatures"))
        return LinkedInAccount(
            id=answer["id"],
            member_id=member["id"],
            public_id=member["publicIdentifier"],
            name=answer["name"],
            note_limit=NOTE_OF_PREMIUM if is_premium else NOTE_OF_FREE,
            is_well=all(source["status"] == "OK" for source in answer["sources"]),
            created_at=_instant(answer["created_at"]),
        )

    async def delete_account(self, account_id: str) -> None:
        """Forget the account there. Nothing happens when it is gone already."""
        try:
            await self._calls.call("DELETE", f"/accounts/{quoted(account_id)}", is_repeatable=True)
        except NoSuchMember:
            return

    async def member(self, account_id: str, identifier: str) -> Member:
        """By public id or member id. Raises NoSuchMember."""
        path = f"/users/{quoted(identifier)}"
        try:
            answer = await self._calls.call("GET", path, params={"account_id": account_id})
        except NoSuchMember:
            # Said of an account that is gone as well, for which no lead is to blame.
            await self._calls.account(account_id)
            raise
        invitation = answer.get("invitation") or {}
        return Member(
            id=answer["provider_id"],
            public_id=answer.get("public_identifier"),
            is_connected=bool(answer.get("is_relationship"))
            or answer.get("network_distance") == "FIRST_DEGREE",
            is_invited=invitation.get("type") == "SENT" and invitation.get("status") == "PENDING",
        )

    async def invite(self, account_id: str, member_id: str, note: str) -> str:
        """Answers the invitation's id. Raises AlreadyConnected, AlreadyInvited, TooLong."""
        body = {"account_id": account_id, "provider_id": member_id}
        if note:
            body["message"] = note
        answer = await self._calls.call("POST", "/users/invite", json=body)
        return str(answer["invitation_id"])

    async def find_invitation(self, account_id: str, member_id: str) -> Invitation | None:
        """The pending one to this member."""
        async for invitation in self.invitations(account_id):
            if invitation.member_id == member_id:
                return invitation
        return None

    async def invitations(self, account_id: str) -> AsyncIterator[Invitation]:
        """All that are pending."""
        async for item in self._calls.pages("/users/invite/sent", {"account_id": account_id}):
            sent_at = item.get("parsed_datetime")
            yield Invitation(
                id=item["id"],
                member_id=item.get("invited_user_id") or "",
                sent_at=_instant(sent_at) if sent_at else None,
            )

    async def withdraw(self, account_id: str, invitation_id: str) -> bool:
        """True: withdrawn. False: it was none any more."""
        path = f"/users/invite/sent/{quoted(invitation_id)}"
        params = {"account_id": account_id}
        try:
            await self._calls.call("DELETE", path, params=params, is_repeatable=True)
        except NoSuchMember:
            return False
        return True

    async def connections(self, account_id: str, since: datetime) -> list[Connection]:
        """Who was connected to the account since then, the newest first."""
        found: list[Connection] = []
        async for item in self._calls.pages("/users/relations", {"account_id": account_id}):
            at = datetime.fromtimestamp(item["created_at"] / 1000, UTC)
            if at < since:
                break
            found.append(Connection(member_id=item["member_id"], since=at))
        return found

    async def find_chat(self, account_id: str, member_id: str) -> str | None:
        """The chat of the two alone; of several the one that was used last."""
        path = f"/chat_attendees/{quoted(member_id)}/chats"
        try:
            chats = [it async for it in self._calls.pages(path, {"account_id": account_id})]
        except NoSuchMember:
            return None
        newest = max(chats, key=lambda chat: chat.get("timestamp") or "", default=None)
        return newest["id"] if newest else None

    async def start_chat(
        self, account_id: str, member_id: str, text: str, *, inmail_subject: str | None = None
    ) -> SentMessage:
        """Write to a connected member, or as an InMail with a subject. Raises NotConnected."""
        fields = {"account_id": account_id, "attendees_ids": member_id, "text": text}
        if inmail_subject is not None:
            fields |= {"linkedin[api]": "classic", "linkedin[inmail]": "true"}
            if inmail_subject:
                fields["subject"] = inmail_subject
        answer = await self._calls.call("POST", "/chats", form=fields)
        return SentMessage(id=answer["message_id"] or "", chat_id=answer["chat_id"] or "")

    async def send(self, chat_id: str, text: str) -> SentMessage:
        path = f"/chats/{quoted(chat_id)}/messages"
        answer = await self._calls.call("POST", path, form={"text": text})
        return SentMessage(id=answer["message_id"] or "", chat_id=chat_id)

    async def messages_of(self, chat_id: str, since: datetime) -> list[ChatMessage]:
        """What was written in a chat since then."""
        path = f"/chats/{quoted(chat_id)}/messages"
        return [_message(it) async for it in self._calls.pages(path, {"after": _stamp(since)})]

    async def messages(self, account_id: str, since: datetime) -> list[ChatMessage]:
        """What was written in all chats of an account since then."""
        params = {"account_id": account_id, "after": _stamp(since)}
        return [_message(it) async for it in self._calls.pages("/messages", params)]

    async def register_webhooks(self, url: str, secret: str) -> int:
        """Have Unipile tell us of everything; how many sources were not told of here yet."""
        known = {
            (item["source"], item["request_url"])
            async for item in self._calls.pages("/webhooks", {})
        }
        missing = [source for source in SOURCES if (source, url) not in known]
        for source in missing:
            header = {"key": SECRET_HEADER, "value": secret}
            body: Json = {"source": source, "request_url": url, "name": f"drumbeat-{source}"}
            body["headers"] = [header, {"key": "Content-Type", "value": "application/json"}]
            await self._calls.call("POST", "/webhooks", json=body)
        return len(missing)


def _message(item: Json) -> ChatMessage:
    return ChatMessage(
        id=item["id"],
        chat_id=item["chat_id"],
        sender_id=item["sender_id"],
        text=item.get("text") or "",
        at=_instant(item["timestamp"]),
        is_ours=bool(item["is_sender"]),
    )


def _stamp(at: datetime) -> str:
    """To the millisecond: Unipile refuses any other spelling."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
