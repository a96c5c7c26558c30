"""The rows of webhooks and their deliveries: every attempt is written down before it is made."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.webhook_calls import CallResult
from shared.db.session import Database
from shared.domain.webhooks import Patience

PAGE = 1_000
# Longer than a call: an attempt that was not recorded by then has died, and is made again.
CLAIM = timedelta(seconds=60)
KEPT_FOR = timedelta(days=30)

_NEW_EVENTS = text("select company_id, id from events_not_fanned_out(:most)")
_DUE = text("select company_id, id from webhooks_due(:before, :most)")
_SETTLED = text("select company_id, id from webhook_deliveries_settled(:before, :most)")
# Another worker's events are passed over. Whoever deletes a webhook has it to itself.
_FAN_OUT = text("""
with fresh as (
  select id, name, created_at, payload || jsonb_strip_nulls(jsonb_build_object(
    'company_id', company_id, 'campaign_id', campaign_id,
    'recipient_id', recipient_id, 'action_id', action_id)) as data
  from events where id = any (:ids) and fanned_out_at is null for update skip locked
), wanted as (
  select w.id as webhook_id, e.id, e.name, e.data, e.created_at from fresh e
  join webhooks w on w.is_enabled and w.created_at <= e.created_at
    and w.events && array['*', e.name, split_part(e.name, '.', 1) || '.*']
  for key share of w
), made as (
  insert into webhook_deliveries (webhook_id, event_id, event, data, occurred_at)
  select webhook_id, id, name, data, created_at from wanted
  on conflict (company_id, webhook_id, event_id) do nothing
)
update events set fanned_out_at = clock_timestamp() where id in (select id from fresh)
""")
_WEBHOOK = text("""
select id, company_id, url, secret, failures,
  case when old_secret_until > :at then old_secret end as old_secret
from webhooks
where id = :id and is_enabled and coalesce(resting_until <= :at, true)
""")
# Picked first: a subquery could be run again, and its limit would count anew.
_CLAIM = text("""
with due as materialized (
  select id from webhook_deliveries
  where webhook_id = :webhook_id and status = 'pending' and next_at <= :at
  order by next_at limit :most for update skip locked
)
update webhook_deliveries d
set attempts = attempts + 1, last_attempt_at = :at, next_at = :until
from due where d.id = due.id
returning d.id, event_id, event, data, occurred_at, attempts
""")
# Before its deliveries, as whoever deletes it locks them.
_LOCK = text("select failures, failing_since from webhooks where id = :id for update")
_NOTE_HEALTH = text("""
update webhooks set failures = :failures, failing_since = :failing_since,
  resting_until = :resting_until, last_attempt_at = :at,
  last_success_at = coalesce(:last_success_at, last_success_at),
  old_secret = case when old_secret_until > :at then old_secret end,
  is_enabled = is_enabled and cast(:disabled_reason as text) is null,
  disabled_reason = coalesce(:disabled_reason, disabled_reason)
where id = :id
""")
_NOTE_ATTEMPT = text("""
update webhook_deliveries set status = :status, next_at = :next_at, error = :error,
  response_status = :response_status, response_body = :response_body, response_ms = :response_ms,
  delivered_at = :delivered_at
where id = :id
""")
_FORGET = text("delete from webhook_deliveries where id = any (:ids) and status <> 'pending'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A webhook and those of its deliveries that are now ours to make."""

    webhook: Row[Any]
    deliveries: Sequence[Row[Any]]


class WebhookLedger:
    def __init__(self, *, database: Database, patience: Patience) -> None:
        self._database = database
        self._patience = patience

    async def look(self, at: datetime, *, most: int) -> tuple[Sequence[Row[Any]], list[Row[Any]]]:
        """Events that nobody has fanned out, and webhooks for which something is due."""
        async with self._database.outside_session() as session:
            events = (await session.execute(_NEW_EVENTS, {"most": PAGE})).all()
            due = await session.execute(_DUE, {"before": at, "most": most})
            return events, list(due)

    async def fan_out(self, events: Sequence[Row[Any]]) -> None:
        """A delivery for each webhook that wants the event. Doing it twice is the same."""
        for company_id, ids in _by_company(events).items():
            async with self._database.company_transaction(company_id) as connection:
                await connection.execute(_FAN_OUT, {"ids": ids})

    async def claim(
        self, company_id: UUID, webhook_id: UUID, at: datetime, *, most: int
    ) -> Claimed | None:
        """The next messages that are due. None: there are none, or the webhook is off."""
        async with self._database.company_transaction(company_id) as connection:
            found = await connection.execute(_WEBHOOK, {"id": webhook_id, "at": at})
            webhook = found.one_or_none()
            if webhook is None:
                return None
            # One finds out whether the receiver is back; the others need not fail for it.
            number = 1 if webhook.failures else most
            values = {"webhook_id": webhook_id, "at": at, "until": at + CLAIM, "most": number}
            deliveries = (await connection.execute(_CLAIM, values)).all()
        return Claimed(webhook=webhook, deliveries=deliveries) if deliveries else None

    async def record(self, claimed: Claimed, results: Sequence[CallResult], at: datetime) -> None:
        """What came of each delivery, and what that says of the webhook."""
        webhook = claimed.webhook
        attempts = [
            self._attempt(delivery, result, at)
            for delivery, result in zip(claimed.deliveries, results, strict=True)
        ]
        async with self._database.company_transaction(webhook.company_id) as connection:
            health = (await connection.execute(_LOCK, {"id": webhook.id})).one_or_none()
            if health is None:
                return
            values = {"id": webhook.id, "at": at, **self._health(health, results, at)}
            await connection.execute(_NOTE_HEALTH, values)
            await _note_attempts(connection, attempts)

    def _attempt(self, delivery: Row[Any], result: CallResult, at: datetime) -> dict[str, Any]:
        wait = None if result.is_gone else self._patience.wait(delivery.attempts)
        status = "failed" if wait is None else "pending"
        return {
            "id": delivery.id,
            "status": "delivered" if result.is_accepted else status,
            "next_at": None if result.is_accepted or wait is None else at + wait,
            "delivered_at": at if result.is_accepted else None,
            "error": result.error,
            "response_status": result.status,
            "response_body": result.body,
            "response_ms": result.took_ms,
        }

    def _health(
        self, health: Row[Any], results: Sequence[CallResult], at: datetime
    ) -> dict[str, Any]:
        failures, since = health.failures, health.failing_since
        for result in results:
            failures = 0 if result.is_accepted else failures + 1
            since = None if result.is_accepted else since or at
        rest = self._patience.rest(failures)
        return {
            "failures": failures,
            "failing_since": since,
            "resting_until": at + rest if rest else None,
            "last_success_at": at if any(it.is_accepted for it in results) else None,
            "disabled_reason": self._why_disable(results, since, at),
        }

    def _why_disable(
        self, results: Sequence[CallResult], since: datetime | None, at: datetime
    ) -> str | None:
        if any(result.is_gone for result in results):
            return "It answered 410 Gone: it wants no more events"
        if since is not None and at - since >= self._patience.gives_up_after:
            return f"Every attempt since {since:%Y-%m-%d %H:%M}Z has failed"
        return None

    async def forget_old(self, at: datetime) -> None:
        """A page of what was settled long ago."""
        async with self._database.outside_session() as session:
            found = await session.execute(_SETTLED, {"before": at - KEPT_FOR, "most": PAGE})
            old = found.all()
        for company_id, ids in _by_company(old).items():
            async with self._database.company_transaction(company_id) as connection:
                await connection.execute(_FORGET, {"ids": ids})


async def _note_attempts(connection: AsyncConnection, attempts: list[dict[str, Any]]) -> None:
    await connection.execute(_NOTE_ATTEMPT, attempts)


def _by_company(rows: Sequence[Row[Any]]) -> dict[UUID, list[UUID]]:
    found: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for row in rows:
        found[row.company_id].append(row.id)
    return found
