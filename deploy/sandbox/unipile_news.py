"""What the sandbox's Unipile posts to webhooks: true to its spec, late, twice, out of order."""

import random
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from deploy.sandbox.contract import Contract
from deploy.sandbox.linkedin_world import LinkedInWorld, SandboxMessage

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One webhook that is to be delivered. `source`: whose subscribers get it."""

    source: str
    body: Json


class NewsRoom:
    """Collects what is to be told; nobody is told before `deliver`."""

    def __init__(self, world: LinkedInWorld, contract: Contract) -> None:
        self._world = world
        self._contract = contract
        self.subscriptions: list[Json] = []
        self.waiting: list[News] = []

    def add_message(self, message: SandboxMessage) -> None:
        account = self._world.accounts[message.account_id]
        sender = {
            "attendee_id": f"attendee-{message.sender}",
            "attendee_provider_id": self._world.member_id(account.id, message.sender),
            "attendee_name": message.sender.replace("-", " ").title(),
            "attendee_profile_url": f"https://www.linkedin.com/in/{message.sender}",
            "attendee_public_identifier": None,
        }
        body = {
            "event": "message_received",
            "account_id": account.id,
            "account_type": "LINKEDIN",
            "account_info": {
                "type": "LINKEDIN",
                "feature": "classic",
                "user_id": self._world.member_id(account.id, account.public_id),
            },
            "webhook_name": "drumbeat-messaging",
            "chat_id": message.chat_id,
            "timestamp": stamp(message.at),
            "message_id": message.id,
            "message": message.text,
            "subject": None,
            "sender": sender,
            "attendees": [sender],
            "attachments": [],
            "is_sender": message.sender == account.public_id,
            "is_event": 0,
            "is_group": False,
            "message_type": "INMAIL" if message.is_inmail else "MESSAGE",
        }
        self._add("messaging", "MessageWebhook", body)

    def add_connection(self, account_id: str, public_id: str) -> None:
        body = {
            "event": "new_relation",
            "account_id": account_id,
            "account_type": "LINKEDIN",
            "webhook_name": "drumbeat-users",
            "user_full_name": public_id.replace("-", " ").title(),
            "user_provider_id": self._world.member_id(account_id, public_id),
            "user_public_identifier": public_id,
            "user_profile_url": f"https://www.linkedin.com/in/{public_id}",
            "user_picture_url": None,
        }
        self._add("users", "RelationWebhook", body)

    def add_status(self, account_id: str, status: str) -> None:
        told = {"account_id": account_id, "account_type": "LINKEDIN", "message": status}
        self._add("account_status", "StatusWebhook", {"AccountStatus": told})

    async def deliver(
        self, http: httpx.AsyncClient, *, times: int = 1, seed: int | None = None
    ) -> list[int]:
        """Post everything that waits; what is not answered 200 waits on. `seed` mixes the order."""
        batch = self.waiting * times
        self.waiting = []
        if seed is not None:
            random.Random(seed).shuffle(batch)  # noqa: S311 - a play to be repeated, not a secret
        return [status for news in batch for status in await self._tell(http, news)]

    async def _tell(self, http: httpx.AsyncClient, news: News) -> list[int]:
        statuses = []
        for webhook in self.subscriptions:
            if webhook["source"] == news.source:
                headers = {header["key"]: header["value"] for header in webhook.get("headers", [])}
                answer = await http.post(webhook["request_url"], json=news.body, headers=headers)
                statuses.append(answer.status_code)
                if answer.status_code != httpx.codes.OK and news not in self.waiting:
                    self.waiting.append(news)
        return statuses

    def _add(self, source: str, schema: str, body: Json) -> None:
        self._contract.check_message(schema, body)
        self.waiting.append(News(source=source, body=body))


def stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
