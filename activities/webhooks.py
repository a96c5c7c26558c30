"""Carries events to the webhooks of their companies, until each has been heard."""

import asyncio
import contextlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from temporalio import activity

from activities.webhook_calls import CallResult, WebhookCaller
from activities.webhook_ledger import WebhookLedger
from shared.errors import Misconfigured
from shared.keyring import Keyring
from shared.webhooks import SECRET, sign

ROUND_SECONDS = 300
PAUSE_SECONDS = 1.0
# Webhooks served at a time, messages of one on their way, and seconds of one webhook's turn.
WEBHOOKS_AT_ONCE = 40
MESSAGES_AT_ONCE = 5
TURN_SECONDS = 60


class WebhookActivities:
    """Its clock is the real one: receivers are outside, where no time is skipped."""

    def __init__(
        self,
        *,
        ledger: WebhookLedger,
        keyring: Keyring,
        caller: WebhookCaller,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        seconds: float = ROUND_SECONDS,
        pause: float = PAUSE_SECONDS,
    ) -> None:
        self._ledger = ledger
        self._keyring = keyring
        self._caller = caller
        self._clock = clock
        self._seconds = seconds
        self._pause = pause

    @activity.defn(name="webhooks.deliver")
    async def deliver(self) -> int:
        """Serve every webhook for some minutes; answers how many turns were taken."""
        await self._ledger.forget_old(self._clock())
        ends_at, turns = monotonic() + self._seconds, 0
        serving: dict[UUID, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            while not _is_over(ends_at):
                free = WEBHOOKS_AT_ONCE - len(serving)
                events, due = await self._ledger.look(self._clock(), most=WEBHOOKS_AT_ONCE)
                await self._ledger.fan_out(events)
                for row in [it for it in due if it.id not in serving][:free]:
                    turn = group.create_task(self._serve(row.company_id, row.id, ends_at))
                    serving[row.id] = turn
                    turn.add_done_callback(partial(_leave, serving, row.id))
                    turns += 1
                activity.heartbeat()
                # What was fanned out is due now.
                if not events:
                    await self._rest()
            while serving:
                activity.heartbeat()
                await asyncio.wait(serving.values(), timeout=3)
        return turns

    async def _serve(self, company_id: UUID, webhook_id: UUID, ends_at: float) -> None:
        """One webhook's turn. It ends with the first failure, so that nobody waits for it."""
        ends_at = min(ends_at, monotonic() + TURN_SECONDS)
        while not _is_over(ends_at):
            claimed = await self._ledger.claim(
                company_id, webhook_id, self._clock(), most=MESSAGES_AT_ONCE
            )
            if claimed is None:
                return
            calls = [self._call(claimed.webhook, delivery) for delivery in claimed.deliveries]
            results = await asyncio.gather(*calls)
            await self._ledger.record(claimed, results, self._clock())
            if not all(result.is_accepted for result in results):
                return

    async def _call(self, webhook: Row[Any], delivery: Row[Any]) -> CallResult:
        try:
            secrets = self._open_secrets(webhook)
        except Misconfigured:
            return CallResult(error="Its secret does not open any more: make the webhook anew")
        message_id, timestamp = str(delivery.event_id), int(self._clock().timestamp())
        body = _body(delivery)
        headers = {
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(
                *secrets, message_id=message_id, timestamp=timestamp, body=body
            ),
        }
        return await self._caller.post(webhook.url, headers=headers, body=body)

    def _open_secrets(self, webhook: Row[Any]) -> list[str]:
        """The new one first. Raises Misconfigured when our keys do not open them."""
        kept = [webhook.secret, *([webhook.old_secret] if webhook.old_secret else [])]
        owner = {"company_id": webhook.company_id, "row_id": webhook.id}
        return [self._keyring.open(it, place=SECRET, **owner) for it in kept]

    async def _rest(self) -> None:
        """Until the next look, but not while the worker wants to stop."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(activity.wait_for_worker_shutdown(), self._pause)


def _leave(serving: dict[UUID, asyncio.Task[None]], webhook_id: UUID, _: object) -> None:
    del serving[webhook_id]


def _is_over(ends_at: float) -> bool:
    return monotonic() >= ends_at or activity.is_worker_shutdown()


def _body(delivery: Row[Any]) -> str:
    """The same in each attempt."""
    message = {
        "type": delivery.event,
        "timestamp": delivery.occurred_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "data": delivery.data,
    }
    return json.dumps(message, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
