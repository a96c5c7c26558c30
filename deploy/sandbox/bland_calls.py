"""The calls that the sandbox's Bland keeps, and what it tells of them by webhook."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx

from deploy.sandbox.contract import Contract
from deploy.sandbox.phone_people import SCENES, Pickup, Scene
from shared.providers.bland_reports import SIGNATURE_HEADER, sign

Json = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class SandboxCall:
    """`order`: what was asked for. `scene` None: it is ringing, or they talk, and `said` it."""

    id: str
    order: Json
    created_at: datetime
    scene: Scene | None = None
    said: tuple[tuple[str, str], ...] = ()
    ended_at: datetime | None = None

    @property
    def to(self) -> str:
        return str(self.order["phone_number"])

    @property
    def key(self) -> str | None:
        key = (self.order.get("metadata") or {}).get("drumbeat_key")
        return str(key) if key else None

    def listed(self) -> Json:
        """Without transcript and metadata, as in the list."""
        told: Json = {
            "call_id": self.id,
            "to": self.to,
            "from": "+15557654321",
            "created_at": self.created_at.isoformat(),
            "inbound": False,
            "batch_id": None,
            "completed": self.scene is not None,
            "queue_status": "started",
            "answered_by": None,
            "error_message": None,
        }
        if self.scene is not None:
            told |= self.scene.fields()
        return told

    def whole(self) -> Json:
        record = bool(self.order.get("record")) and self.scene is not None
        talked = self.scene.lines if self.scene else self.said
        return self.listed() | {
            "metadata": self.order.get("metadata") or {},
            "variables": dict(self.scene.variables) if self.scene else {},
            "record": bool(self.order.get("record")),
            "recording_url": f"https://records.bland.test/{self.id}.mp3" if record else None,
            "started_at": self.created_at.isoformat(),
            "end_at": self.ended_at.isoformat() if self.ended_at else None,
            "transcripts": [
                {"id": n, "user": who, "text": text, "created_at": self.created_at.isoformat()}
                for n, (who, text) in enumerate(talked, start=1)
            ],
            "concatenated_transcript": "\n".join(f"{who}: {text}" for who, text in talked),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CallNews:
    """One webhook that is to be delivered."""

    url: str
    body: bytes


@dataclass(slots=True)
class Switchboard:
    """`lag`: the list does not show what is younger. `waiting`: webhooks nobody has heard yet."""

    contract: Contract
    secret: str
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    calls: dict[str, SandboxCall] = field(default_factory=dict)
    waiting: list[CallNews] = field(default_factory=list)
    lag: timedelta = timedelta()

    def add(self, order: Json) -> SandboxCall:
        call = SandboxCall(id=str(uuid4()), order=order, created_at=self.clock())
        self.calls[call.id] = call
        return call

    def end(self, call: SandboxCall, pickup: Pickup, *, scene: Scene | None = None) -> None:
        """It is over. Whoever asked for a webhook will be told."""
        call.scene, call.ended_at = scene or SCENES[pickup], self.clock()
        told = call.whole()
        self.contract.check_message("CallEnded", told)
        if url := call.order.get("webhook"):
            self.waiting.append(CallNews(url=url, body=json.dumps(told).encode()))

    def find(self, *, to: str | None, since: str | None, is_ascending: bool) -> list[SandboxCall]:
        young = self.clock() - self.lag
        found = [
            call
            for call in self.calls.values()
            if (to is None or call.to == to)
            and (since is None or f"{call.created_at:%Y-%m-%d}" >= since[:10])
            and call.created_at <= young
        ]
        return sorted(found, key=lambda call: call.created_at, reverse=not is_ascending)

    async def deliver(
        self, http: httpx.AsyncClient, *, times: int = 1, seed: int | None = None
    ) -> list[int]:
        """Tell everything that is waiting; with a seed in any order. The answers' statuses."""
        waiting, self.waiting = self.waiting * times, []
        if seed is not None:
            random.Random(seed).shuffle(waiting)  # noqa: S311 - a play to be repeated
        return [await self._post(http, news) for news in waiting]

    async def _post(self, http: httpx.AsyncClient, news: CallNews) -> int:
        headers = {
            SIGNATURE_HEADER: sign(self.secret, news.body),
            "content-type": "application/json",
        }
        answer = await http.post(news.url, content=news.body, headers=headers)
        if answer.status_code >= 500:
            # Bland calls again.
            self.waiting.append(news)
        return answer.status_code
