"""What the sandbox's Unipile answers, operation by operation, out of the world that it shows."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from deploy.sandbox.linkedin_world import LinkedInWorld, SandboxAccount, SandboxChat, SandboxMessage
from deploy.sandbox.unipile_news import NewsRoom, stamp

Json = dict[str, Any]
Answer = tuple[int, Json]
Handler = Callable[[Request], Awaitable[Answer]]

NOTE_OF_FREE = 200
_PROBLEM_OF_STATUS = {
    "CREDENTIALS": (401, "expired_credentials"),
    "STOPPED": (401, "disconnected_account"),
    "ERROR": (401, "disconnected_account"),
}


class Problem(Exception):
    """An error in Unipile's own shape (RFC 9457)."""

    def __init__(self, status: int, kind: str, *, retry_after: int | None = None) -> None:
        super().__init__(kind)
        self.status, self.kind = status, kind
        self.headers = {"retry-after": str(retry_after)} if retry_after else {}

    def answer(self) -> JSONResponse:
        title = self.kind.replace("_", " ").capitalize()
        body = {"status": self.status, "type": f"errors/{self.kind}", "title": title}
        return JSONResponse(body, self.status, self.headers)


class UnipileAnswers:
    """`lag`: lists do not show what is younger. `links`: the hosted links that were asked for."""

    def __init__(self, world: LinkedInWorld, news: NewsRoom) -> None:
        self.world = world
        self.news = news
        self.links: list[Json] = []
        self.lag = timedelta()
        self.page_size = 250
        self._numbers = count(1)

    def operations(self) -> list[tuple[str, str, str, Handler]]:
        """Name, method and path of each, as in the spec."""
        return [
            ("createHostedLink", "POST", "/hosted/accounts/link", self._link),
            ("getAccount", "GET", "/accounts/{id}", self._account),
            ("deleteAccount", "DELETE", "/accounts/{id}", self._delete_account),
            ("listRelations", "GET", "/users/relations", self._relations),
            ("sendInvitation", "POST", "/users/invite", self._invite),
            ("listSentInvitations", "GET", "/users/invite/sent", self._invitations),
            ("withdrawInvitation", "DELETE", "/users/invite/sent/{id}", self._withdraw),
            ("getProfile", "GET", "/users/{identifier}", self._profile),
            ("listChatsWith", "GET", "/chat_attendees/{id}/chats", self._chats),
            ("startNewChat", "POST", "/chats", self._start_chat),
            ("sendMessage", "POST", "/chats/{id}/messages", self._send),
            ("listMessagesOfChat", "GET", "/chats/{id}/messages", self._messages_of),
            ("listMessages", "GET", "/messages", self._messages),
            ("listWebhooks", "GET", "/webhooks", self._webhooks),
            ("createWebhook", "POST", "/webhooks", self._create_webhook),
        ]

    async def _link(self, request: Request) -> Answer:
        self.links.append(await request.json())
        url = f"https://account.unipile.test/{len(self.links)}"
        return 201, {"object": "HostedAuthURL", "url": url}

    async def _account(self, request: Request) -> Answer:
        account = self._find(request.path_params["id"])
        member: Json = {
            "id": self.world.member_id(account.id, account.public_id),
            "publicIdentifier": account.public_id,
            "username": account.name,
            "premiumId": "1" if account.is_premium else None,
            "premiumFeatures": [],
        }
        return 200, {
            "object": "Account",
            "id": account.id,
            "type": "LINKEDIN",
            "name": account.name,
            "created_at": stamp(account.created_at),
            "connection_params": {"im": member},
            "sources": [{"id": f"{account.id}_MESSAGING", "status": account.status}],
        }

    async def _delete_account(self, request: Request) -> Answer:
        account = self._find(request.path_params["id"])
        del self.world.accounts[account.id]
        return 200, {"object": "AccountDeleted"}

    async def _profile(self, request: Request) -> Answer:
        account = self._use(request.query_params["account_id"])
        public_id = self._member(account, request.path_params["identifier"], status=404)
        is_connected = (account.id, public_id) in self.world.connected
        profile: Json = {
            "object": "UserProfile",
            "provider": "LINKEDIN",
            "provider_id": self.world.member_id(account.id, public_id),
            "public_identifier": public_id,
            "network_distance": "FIRST_DEGREE" if is_connected else "SECOND_DEGREE",
            "is_relationship": is_connected,
            "is_self": public_id == account.public_id,
        }
        pending = self.world.find_pending(account.id, public_id)
        if pending and self._is_shown(pending.at):
            profile["invitation"] = {"type": "SENT", "status": "PENDING"}
        return 200, profile

    async def _invite(self, request: Request) -> Answer:
        body = await request.json()
        account = self._use(body["account_id"])
        public_id = self._member(account, body["provider_id"])
        note = body.get("message", "")
        if not account.is_premium and len(note) > NOTE_OF_FREE:
            raise Problem(400, "too_many_characters")
        if (account.id, public_id) in self.world.connected:
            raise Problem(422, "already_connected")
        if self.world.find_pending(account.id, public_id) or self.world.was_withdrawn_lately(
            account.id, public_id
        ):
            raise Problem(422, "already_invited_recently")
        invitation = self.world.invite(account.id, public_id, note)
        return 200, {"object": "UserInvitationSent", "invitation_id": invitation.id, "usage": 50}

    async def _invitations(self, request: Request) -> Answer:
        account = self._use(request.query_params["account_id"])
        items = [
            {
                "object": "InvitationSent",
                "id": it.id,
                "date": "Sent some time ago",
                "parsed_datetime": stamp(it.at),
                "invitation_text": it.note or None,
                "invited_user": it.to,
                "invited_user_id": self.world.member_id(account.id, it.to),
                "invited_user_public_id": it.to,
            }
            for it in self.world.pending
            if it.account_id == account.id and self._is_shown(it.at)
        ]
        return self._page(request, "InvitationList", items[::-1])

    async def _withdraw(self, request: Request) -> Answer:
        account = self._use(request.query_params["account_id"])
        if not self.world.withdraw(account.id, request.path_params["id"]):
            raise Problem(404, "resource_not_found")
        return 200, {"object": "InvitationCanceled"}

    async def _relations(self, request: Request) -> Answer:
        account = self._use(request.query_params["account_id"])
        known = [(at, it) for (of, it), at in self.world.connected.items() if of == account.id]
        items = [
            {
                "object": "UserRelation",
                "member_id": self.world.member_id(account.id, it),
                "public_identifier": it,
                "created_at": int(at.timestamp() * 1000),
            }
            for at, it in sorted(known, reverse=True)
        ]
        return self._page(request, "UserRelationsList", items)

    async def _chats(self, request: Request) -> Answer:
        account = self._use(request.query_params["account_id"])
        public_id = self._member(account, request.path_params["id"], status=404)
        chat = self.world.chat_with(account.id, public_id)
        shown = [m for m in chat.messages if self._is_shown(m.at)] if chat else []
        items = [
            {
                "object": "Chat",
                "id": message.chat_id,
                "account_id": account.id,
                "attendee_provider_id": self.world.member_id(account.id, public_id),
                "timestamp": stamp(message.at),
            }
            for message in shown[-1:]
        ]
        return self._page(request, "ChatList", items)

    async def _start_chat(self, request: Request) -> Answer:
        form = await request.form()
        account = self._use(str(form["account_id"]))
        public_id = self._member(account, str(form["attendees_ids"]))
        is_inmail = form.get("linkedin[inmail]") == "true"
        if is_inmail:
            if account.inmail_credits < 1:
                raise Problem(422, "insufficient_credits")
            account.inmail_credits -= 1
        elif (account.id, public_id) not in self.world.connected:
            raise Problem(422, "no_connection_with_recipient")
        message = self.world.write(
            account.id, public_id, str(form["text"]), is_ours=True, is_inmail=is_inmail
        )
        self.news.add_message(message)
        started = {"object": "ChatStarted", "chat_id": message.chat_id, "message_id": message.id}
        return 201, started

    async def _send(self, request: Request) -> Answer:
        chat = self._chat(request)
        self._use(chat.account_id)
        text = str((await request.form())["text"])
        message = self.world.write(chat.account_id, chat.with_, text, is_ours=True)
        self.news.add_message(message)
        return 201, {"object": "MessageSent", "message_id": message.id}

    async def _messages_of(self, request: Request) -> Answer:
        chat = self._chat(request)
        self._use(chat.account_id)
        return self._list(request, chat.messages)

    async def _messages(self, request: Request) -> Answer:
        account = self._use(request.query_params["account_id"])
        chats = [chat for chat in self.world.chats.values() if chat.account_id == account.id]
        return self._list(request, [message for chat in chats for message in chat.messages])

    async def _webhooks(self, request: Request) -> Answer:
        items = [
            {"object": "Webhook"} | {key: it[key] for key in ("id", "source", "request_url")}
            for it in self.news.subscriptions
        ]
        return self._page(request, "WebhookList", items)

    async def _create_webhook(self, request: Request) -> Answer:
        webhook = {**await request.json(), "id": f"webhook-{next(self._numbers)}"}
        self.news.subscriptions.append(webhook)
        return 201, {"object": "WebhookCreated", "webhook_id": webhook["id"]}

    def _list(self, request: Request, messages: list[SandboxMessage]) -> Answer:
        after = datetime.fromisoformat(request.query_params["after"]).astimezone(UTC)
        items = [
            {
                "object": "Message",
                "id": it.id,
                "account_id": it.account_id,
                "chat_id": it.chat_id,
                "text": it.text,
                "is_sender": int(it.sender == self.world.accounts[it.account_id].public_id),
                "sender_id": self.world.member_id(it.account_id, it.sender),
                "timestamp": stamp(it.at),
                "message_type": "INMAIL" if it.is_inmail else "MESSAGE",
                "is_event": 0,
            }
            for it in sorted(messages, key=lambda message: message.at, reverse=True)
            if it.at > after and self._is_shown(it.at)
        ]
        return self._page(request, "MessageList", items)

    def _page(self, request: Request, name: str, items: list[Json]) -> Answer:
        start = int(request.query_params.get("cursor", "0"))
        size = min(int(request.query_params.get("limit", "100")), self.page_size)
        cursor = str(start + size) if items[start + size :] else None
        return 200, {"object": name, "items": items[start : start + size], "cursor": cursor}

    def _is_shown(self, at: datetime) -> bool:
        return self.world.now() - at >= self.lag

    def _find(self, account_id: str) -> SandboxAccount:
        account = self.world.accounts.get(account_id)
        if account is None:
            raise Problem(404, "resource_not_found")
        return account

    def _use(self, account_id: str) -> SandboxAccount:
        """The account whose session does it."""
        account = self._find(account_id)
        if problem := _PROBLEM_OF_STATUS.get(account.status):
            raise Problem(*problem)
        return account

    def _member(self, account: SandboxAccount, identifier: str, *, status: int = 422) -> str:
        public_id = self.world.find_member(account.id, identifier)
        if public_id is None:
            raise Problem(status, "invalid_recipient" if status == 422 else "resource_not_found")
        return public_id

    def _chat(self, request: Request) -> SandboxChat:
        chat = self.world.chats.get(request.path_params["id"])
        if chat is None:
            raise Problem(404, "resource_not_found")
        return chat
