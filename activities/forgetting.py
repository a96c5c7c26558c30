"""Deletes rows that nobody can need any more: expired log-ins, kept answers, events long told."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from temporalio import activity

from shared.db.session import Database

# As long as deliveries to webhooks are kept (`activities/webhook_ledger.py`).
EVENTS_KEPT_FOR = timedelta(days=30)
PAGE = 1_000
# An hour's share: what is left over is deleted an hour later.
MOST_PAGES = 100

_EXPIRED = "expires_at < :before order by expires_at limit :most for update skip locked"
_OUTSIDE = tuple(
    text(f"delete from {table} where id in (select id from {table} where {_EXPIRED})")  # noqa: S608 - our own words
    for table in ("sessions", "oauth_states", "idempotency_keys")
)
_CARRIED = text("select company_id, id from events_carried(:before, :most)")
_FORGET = text("delete from events where id = any (:ids) and fanned_out_at is not null")


class ForgettingActivities:
    """Its clock is the real one, as that of whoever wrote the rows."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    @activity.defn(name="rows.forget")
    async def forget(self) -> int:
        """Page by page, each in a transaction of its own; answers how many rows went."""
        at, forgotten = datetime.now(UTC), 0
        for statement in _OUTSIDE:
            for _ in range(MOST_PAGES):
                activity.heartbeat()
                async with self._database.outside_transaction() as connection:
                    deleted = await connection.execute(statement, {"before": at, "most": PAGE})
                forgotten += deleted.rowcount
                if deleted.rowcount < PAGE:
                    break
        return forgotten + await self._forget_events(at - EVENTS_KEPT_FOR)

    async def _forget_events(self, before: datetime) -> int:
        forgotten = 0
        for _ in range(MOST_PAGES):
            activity.heartbeat()
            async with self._database.outside_transaction() as connection:
                asked = {"before": first_id_at(before), "most": PAGE}
                found = (await connection.execute(_CARRIED, asked)).all()
            for company_id, ids in _by_company(found).items():
                async with self._database.company_transaction(company_id) as connection:
                    forgotten += (await connection.execute(_FORGET, {"ids": ids})).rowcount
            if len(found) < PAGE:
                break
        return forgotten


def first_id_at(at: datetime) -> UUID:
    """No id of version 7 that was made later is smaller: they begin with their milliseconds."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


def _by_company(rows: Sequence[Row[Any]]) -> dict[UUID, list[UUID]]:
    found: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for row in rows:
        found[row.company_id].append(row.id)
    return found
