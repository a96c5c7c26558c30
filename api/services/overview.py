"""The list of campaigns, which pages ask for all the time: one transaction, one query.

Who asks, what there is and how often it was counted are read together, and Postgres writes the
answer: no objects are made on its way. A test holds its fields against `CampaignAnswer`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from api.callers import Identity, Permission
from api.services.access import AccessService
from shared.db.models.campaigns import CampaignStatus, CampaignType
from shared.db.session import Database

COUNTED = ("pending", "in_progress", "completed", "responded", "failed")
_PACED = ("window", "limits", "time_zone")
_TRACKED = ("track_opens", "track_clicks")
_RULED = ("stop_rules", "draft_edits", "dry_run")
_PLAIN = ("id", "name", "type", "status", "product_id", "created_by", *_PACED, *_TRACKED, *_RULED)
_TIMES = ("created_at", "updated_at", "activated_at", "completed_at", "archived_at", "start_at")

# Of a user whose token names no company: enters the only one there is.
_ENTER_ONLY = text(
    "select set_config('app.company_id', company_id::text, true) from memberships_of(:user_id)"
)
_IS_MEMBER = "exists (select from memberships m where m.user_id = :user_id)"
_QUERY = """
with page as (
  select c.id, json_build_object({fields}, 'account_ids',
      case when c.account_ids <> '{{}}' or c.account_id is null then c.account_ids
        else array[c.account_id] end,
      'stats', json_build_object({counts})) as campaign
  from campaigns c
  left join lateral (select {sums} from campaign_counters k
    where k.company_id = c.company_id and k.campaign_id = c.id) n on true
  where c.deleted_at is null{conditions}
  order by c.id desc limit :limit + 1
), shown as (select * from page order by id desc limit :limit)
select {is_member} as is_member, (select count(*) from page) > :limit as has_more,
  (select id from shown order by id limit 1) as last_id,
  (select coalesce(json_agg(campaign order by id desc), '[]')::text from shown) as body
"""
_CONDITIONS = {
    "after": " and c.id < :after",
    "status": " and c.status = :status",
    "type": " and c.type = :type",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    limit: int
    after: UUID | None = None
    status: CampaignStatus | None = None
    type: CampaignType | None = None

    def given(self) -> dict[str, Any]:
        """Only what narrows the list."""
        values = {"after": self.after, "status": self.status, "type": self.type}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """`body`: JSON as it is answered. `last_id`: behind it the next page begins, if any."""

    body: str
    last_id: UUID | None


class OverviewService:
    def __init__(self, *, database: Database, access: AccessService) -> None:
        self._database = database
        self._access = access

    async def list_campaigns(
        self, identity: Identity, company_id: UUID | None, asked: Asked
    ) -> Listed:
        """Newest first.

        Raises what `AccessService.enter` raises: it is asked again when the short way ends.
        """
        wanted = company_id or identity.company_id
        if identity.user_id is not None:
            listed = await self._list_as_member(identity.user_id, wanted, asked)
            if listed is not None:
                return listed
        caller = await self._access.enter(identity, company_id)
        caller.must(Permission.READ)
        async with self._database.company_transaction(caller.company_id) as connection:
            return _listed(await _read(connection, asked))

    async def _list_as_member(
        self, user_id: UUID, company_id: UUID | None, asked: Asked
    ) -> Listed | None:
        """None: this user is no member, or of several companies."""
        if company_id is not None:
            async with self._database.company_transaction(company_id) as connection:
                row = await _read(connection, asked, user_id=user_id)
                return _listed(row) if row.is_member else None
        async with self._database.outside_transaction() as connection:
            entered = await connection.execute(_ENTER_ONLY, {"user_id": user_id})
            if len(entered.all()) != 1:
                return None
            return _listed(await _read(connection, asked, user_id=user_id))


async def _read(
    connection: AsyncConnection, asked: Asked, *, user_id: UUID | None = None
) -> Row[Any]:
    given = asked.given()
    values = given | {"limit": asked.limit}
    if user_id is not None:
        values["user_id"] = user_id
    query = _query(tuple(given), is_member=user_id is None)
    return (await connection.execute(query, values)).one()


def _listed(row: Row[Any]) -> Listed:
    return Listed(body=row.body, last_id=row.last_id if row.has_more else None)


@cache
def _query(conditions: tuple[str, ...], *, is_member: bool) -> TextClause:
    """`is_member`: that is known already."""
    times = (
        (name, f"to_char(c.{name} at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24\\:MI\\:SS.US\"Z\"')")
        for name in _TIMES
    )
    fields = [*((name, f"c.{name}") for name in _PLAIN), *times]
    counts = [(name, f"coalesce(n.{name}, 0)") for name in COUNTED]
    total = ("total_recipients", " + ".join(count for _, count in counts))
    query = _QUERY.format(
        fields=_pairs(fields),
        counts=_pairs([total, *counts]),
        sums=", ".join(f"sum(k.{name})::int as {name}" for name in COUNTED),
        conditions="".join(_CONDITIONS[name] for name in conditions),
        is_member="true" if is_member else _IS_MEMBER,
    )
    return text(query)


def _pairs(fields: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"'{name}', {value}" for name, value in fields)
