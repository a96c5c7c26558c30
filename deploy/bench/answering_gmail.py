"""A Gmail that answers at once and in this process: what is left is our own work."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from itertools import count

import httpx

from shared.providers.mime import key_of


class AnsweringGmail(httpx.AsyncBaseTransport):
    """Takes drafts, sends them, and tells the Message-ID of what it has sent."""

    def __init__(self) -> None:
        self.sent: dict[str, str] = {}
        self.keys: list[str] = []
        self._drafts: dict[str, tuple[str, str]] = {}
        self._numbers = count(1)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.partition("/users/me/")[2]
        match request.method, path.split("/"):
            case "POST", ["drafts"]:
                return self._create(json.loads(request.content)["message"])
            case "POST", ["drafts", "send"]:
                return self._send(json.loads(request.content)["id"])
            case "GET", ["messages", message_id]:
                header = {"name": "Message-ID", "value": f"<{message_id}@bench>"}
                return _answer({"id": message_id, "payload": {"headers": [header]}})
            case "GET", ["history"]:
                return _answer({"historyId": "1"})
            case "GET", ["profile"]:
                return _answer({"historyId": "1"})
        return _answer({"error": {"code": 404, "message": "Not Found"}}, status=404)

    def _create(self, message: dict[str, str]) -> httpx.Response:
        number = next(self._numbers)
        thread_id = message.get("threadId", f"thread-{number}")
        raw = urlsafe_b64decode(message["raw"] + "==")
        self._drafts[f"draft-{number}"] = (thread_id, key_of(raw) or "")
        draft = {"id": f"draft-{number}", "message": {"id": f"m-{number}", "threadId": thread_id}}
        return _answer(draft)

    def _send(self, draft_id: str) -> httpx.Response:
        thread_id, key = self._drafts.pop(draft_id)
        self.keys.append(key)
        return _answer({"id": f"sent-{draft_id}", "threadId": thread_id, "labelIds": ["SENT"]})


def _answer(body: Mapping[str, object], *, status: int = 200) -> httpx.Response:
    return httpx.Response(status, json=body)
