"""Whom a change may let go on: asked for in one row, told a page at a time."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from shared.contracts.operations import WakingOrder
from shared.domain.recipient import EndReason, HoldReason

# What is asked for while it goes on is told with it, from the beginning.
_ASK = text("""
insert into wakings (campaign_id, account_id, wakes_parked, wakes_waiting, step_ids)
values (:campaign_id, :account_id, :wakes_parked, :wakes_waiting, cast(:step_ids as uuid[]))
on conflict (company_id, campaign_id, account_id) do update set
  wakes_parked = excluded.wakes_parked or wakings.wakes_parked and wakings.done_at is null,
  wakes_waiting = excluded.wakes_waiting or wakings.wakes_waiting and wakings.done_at is null,
  step_ids = case
    when wakings.done_at is not null or not wakings.wakes_waiting then excluded.step_ids
    when not excluded.wakes_waiting then wakings.step_ids
    else wakings.step_ids || excluded.step_ids end,
  place = null, told = 0, asked_at = clock_timestamp(), done_at = null
returning company_id, id
""")
_READ = text("""
select w.*, c.status = 'completed' or c.deleted_at is not null as is_over
from wakings w left join campaigns c on c.id = w.campaign_id
where w.id = :id and w.done_at is null
""")
_NOBODY = "00000000-0000-0000-0000-000000000000"
_WAITS = f"""
(r.hold_reason in ('{HoldReason.CONTENT}', '{HoldReason.STEP}') or r.parked_at is null
  and (cast(:step_ids as uuid[]) is null or r.next_step_id is null
    or r.next_step_id = any (cast(:step_ids as uuid[]))))
"""
# By the lead, because there is an index that has a campaign's recipients in this order.
_OF_CAMPAIGN = text(f"""
select r.id, r.campaign_id, r.lead_id as place from recipients r
where r.campaign_id = :campaign_id and r.launched_at is not null and r.ended_at is null
  and r.lead_id > coalesce(:place, cast(:nobody as uuid)) and (
    :wakes_parked and r.parked_at is not null
      and r.hold_reason in ('{HoldReason.CAMPAIGN_PAUSED}', '{HoldReason.CAMPAIGN_DRAFT}')
    or :wakes_waiting and {_WAITS})
order by r.lead_id limit :size
""")  # noqa: S608 - made of our own words
# Whoever had none at all may have this one now. Which account of another kind than mail holds
# somebody is not on the row: it is found out by looking.
_OF_ACCOUNT = text(f"""
select r.id, r.campaign_id, r.id as place from recipients r
where r.launched_at is not null and r.ended_at is null
  and r.id > coalesce(:place, cast(:nobody as uuid)) and (
    :wakes_parked and r.parked_at is not null and (
      r.hold_reason in ('{HoldReason.NO_ACCOUNT}', '{HoldReason.NO_LINE}')
      or r.hold_reason = '{HoldReason.ACCOUNT_DOWN}' and (r.account_id is null
        or r.account_id = :account_id or not exists (select from accounts a
          where a.id = :account_id and a.kind in ('gmail', 'smtp'))))
    or :wakes_waiting and :account_id in (r.account_id, r.next_account_id) and {_WAITS})
order by r.id limit :size
""")  # noqa: S608 - made of our own words
# One that never started has nobody to tell. A running one is made due, should nobody reach it.
_END = text("""
with page as (
  select id, lead_id from recipients
  where campaign_id = :campaign_id and closed_at is null
    and lead_id > coalesce(:place, cast(:nobody as uuid))
  order by lead_id limit :size
), locked as (
  select r.id from recipients r join page on page.id = r.id order by r.id for update of r
), ended as (
  update recipients r set end_reason = coalesce(r.end_reason, :reason),
    ended_at = coalesce(r.ended_at, clock_timestamp()),
    next_at = case when r.started_at is not null then clock_timestamp() end,
    closed_at = case when r.started_at is null then clock_timestamp() end
  from locked where r.id = locked.id and r.closed_at is null
  returning r.id, r.started_at is not null as is_running
)
select p.id, :campaign_id as campaign_id, p.lead_id as place, coalesce(is_running, false)
  as is_running
from page p left join ended using (id) order by p.lead_id
""")
_GO_ON = text("""
update wakings set place = coalesce(:place, place), told = told + :told,
  done_at = case when :is_last then clock_timestamp() end
where id = :id and asked_at = :asked_at
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """`rows`: of recipients (id, campaign_id, place). `is_over`: they are ended, not woken."""

    rows: Sequence[Row[Any]]
    asked_at: datetime
    is_over: bool
    is_last: bool


async def ask_waking(
    session: AsyncSession,
    *,
    campaign_id: UUID | None = None,
    account_id: UUID | None = None,
    parked: bool = False,
    waiting: bool = False,
    step_ids: Collection[UUID] | None = None,
) -> WakingOrder:
    """Note down, with the change itself, that these recipients are to look at it.

    `step_ids` None: whatever they wait for.
    """
    values = {
        "campaign_id": campaign_id,
        "account_id": account_id,
        "wakes_parked": parked,
        "wakes_waiting": waiting,
        "step_ids": None if step_ids is None else list(step_ids),
    }
    row = (await session.execute(_ASK, values)).one()
    return WakingOrder(company_id=row.company_id, waking_id=row.id)


async def next_page(connection: AsyncConnection, waking_id: UUID, *, size: int) -> Page | None:
    """Those who come next; the rows of a campaign that is over are ended by this. None: done."""
    waking = (await connection.execute(_READ, {"id": waking_id})).one_or_none()
    if waking is None:
        return None
    values: dict[str, Any] = {
        "campaign_id": waking.campaign_id,
        "account_id": waking.account_id,
        "place": waking.place,
        "size": size,
        "nobody": _NOBODY,
    }
    if waking.is_over:
        reason = {"reason": EndReason.CAMPAIGN_ENDED}
        rows = (await connection.execute(_END, values | reason)).all()
    else:
        chosen = {
            "wakes_parked": waking.wakes_parked,
            "wakes_waiting": waking.wakes_waiting,
            "step_ids": waking.step_ids,
        }
        statement = _OF_CAMPAIGN if waking.campaign_id else _OF_ACCOUNT
        rows = (await connection.execute(statement, values | chosen)).all()
    return Page(
        rows=rows, asked_at=waking.asked_at, is_over=bool(waking.is_over), is_last=len(rows) < size
    )


async def finish_page(connection: AsyncConnection, waking_id: UUID, page: Page) -> None:
    """Everybody on the page was told. A waking that was asked for again meanwhile begins anew."""
    values = {
        "id": waking_id,
        "asked_at": page.asked_at,
        "place": page.rows[-1].place if page.rows else None,
        "told": len(page.rows),
        "is_last": page.is_last,
    }
    await connection.execute(_GO_ON, values)
