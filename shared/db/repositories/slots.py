"""What an account has done and booked, read in one statement; for accounts with limits only."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.domain.booking import put_in_slot
from shared.domain.recipient import ActivityName, Planned
from shared.domain.slots import Book, Booking, Limit, Slot, Wish, holds_for, is_free, share_of
from shared.domain.windows import Opening

# Whoever has not come to a slot for so long will not come: its workflow is started anew.
LOST = timedelta(minutes=15)
# What was reserved when a window closed may have been sent when it opened again.
HELD_OVER = timedelta(days=3)
# Bookings that are read at once. A follow-up needs those around its instant; a first mail also
# those of the campaigns that it shares the account with.
MOST_READ, FEW_READ = 5_000, 600

LOCK_ACCOUNT = text("select 1 from accounts where id = :id for no key update")
# A dry run counts for nothing. An action counts when it was settled. One that is still open may be
# sent at any moment, so it counts within the last day, whenever it was begun.
_BOOK = text("""
select d.instants as done, b.instants, b.campaigns, b.firsts
from (
  select coalesce(array_agg(at order by at), '{}') as instants from (
    select case x.status when 'reserved' then greatest(x.attempted_at, :an_hour_ago)
      else coalesce(x.settled_at, x.attempted_at) end as at
    from actions x
    where x.account_id = :account_id and x.attempted_at > :begun_since
      and x.activity is not distinct from coalesce(:activity, x.activity)
      and x.provider_id is distinct from 'dry run'
      and x.status not in ('skipped', 'abandoned')) done
  where at > :since) d,
(
  select array_agg(slot_at) as instants, array_agg(campaign_id) as campaigns,
    array_agg(is_first) as firsts
  from (
    select r.slot_at, r.campaign_id, r.last_action_at is null as is_first
    from recipients r join campaigns c on c.id = r.campaign_id
    where r.next_account_id = :account_id and r.slot_at > :booked_since and r.ended_at is null
      and r.next_activity is not distinct from coalesce(:activity, r.next_activity)
      and r.parked_at is null and r.paused_at is null and r.slot_step_id = r.next_step_id
      and c.status = 'active' and c.deleted_at is null
      and r.id is distinct from cast(:recipient_id as uuid)
      and (r.slot_at > :now or not exists (
        select 1 from actions x where x.recipient_id = r.id and x.step_id = r.slot_step_id
          and x.status <> 'abandoned'))
    order by r.slot_at limit :most) booked) b
""")
# The first mails of one campaign: nothing went to these recipients before.
_FIRSTS = text("""
select coalesce(x.settled_at, x.attempted_at) as at from actions x
where x.account_id = :account_id and x.attempted_at > :since and x.campaign_id = :campaign_id
  and x.provider_id is distinct from 'dry run'
  and x.status not in ('skipped', 'abandoned') and not exists (
    select 1 from actions y where y.recipient_id = x.recipient_id
      and y.attempted_at < x.attempted_at and y.status = 'sent')
order by at
""")


async def read_book(
    connection: AsyncConnection,
    account_id: UUID,
    limits: Sequence[Limit],
    *,
    now: datetime,
    recipient_id: UUID | None = None,
    activity: ActivityName | None = None,
    earliest: datetime | None = None,
    most: int | None = None,
) -> Book:
    """Without the slot of `recipient_id`, which is the one that asks.

    `activity`: only what was done and booked of it; None: everything counts. `earliest`: what is
    booked for less than a limit's span before it is left out; None: nothing is.
    """
    longest, lost_before, most = longest_of(limits), now - LOST, most or MOST_READ
    booked_since = max(lost_before, earliest - longest) if earliest else lost_before
    found = await connection.execute(
        _BOOK,
        {
            "account_id": account_id,
            "recipient_id": recipient_id,
            "activity": activity,
            "now": now,
            "since": now - longest,
            "begun_since": now - longest - HELD_OVER,
            "an_hour_ago": now - timedelta(hours=1),
            "booked_since": booked_since,
            "most": most,
        },
    )
    row = found.one()
    rows = zip(row.instants or (), row.campaigns or (), row.firsts or (), strict=True)
    booked = [Booking(at=at, campaign_id=id_, is_first=first) for at, id_, first in rows]
    until = booked[-1].at if len(booked) == most else None
    return Book(done=list(row.done), booked=booked, until=until)


def longest_of(limits: Sequence[Limit]) -> timedelta:
    """How far one action reaches in both directions."""
    return max(limit.span + timedelta(seconds=limit.jitter_seconds) for limit in limits)


async def read_share(
    connection: AsyncConnection,
    account_id: UUID,
    wish: Wish,
    book: Book,
    *,
    limits: Sequence[Limit],
    now: datetime,
) -> None:
    """Fill in what the campaign's first mails have taken, when it has to share the account."""
    share = share_of(wish, book, limits) if wish.is_first else None
    if share is None:
        return
    values = {"account_id": account_id, "campaign_id": wish.campaign_id, "since": now - share.span}
    found = await connection.scalars(_FIRSTS, values)
    book.firsts_done = {wish.campaign_id: list(found)}


def is_permitted(wish: Wish, book: Book, limits: Sequence[Limit], now: datetime) -> bool:
    """Against what was really done; the caller holds the account's lock."""
    return is_free(now, holds_for(wish, book, limits, now=now))


def find_slot(
    plan: Planned,
    wish: Wish,
    book: Book,
    *,
    limits: Sequence[Limit],
    window: Opening | None,
    now: datetime,
    is_refused: bool = False,
) -> tuple[Planned, Slot]:
    """The plan in the account's next slot, and the slot. `is_refused`: now is no time for it."""
    holds = holds_for(wish, book, limits)
    if is_refused:
        holds += holds_for(wish, book, limits, now=now)
    return put_in_slot(plan, holds, window=window, seed=wish.seed, now=now)
