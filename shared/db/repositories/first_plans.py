"""The first plans of pending recipients, when a campaign has hours or its accounts have limits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.repositories.places import PLACE_COLUMNS, calendar_of, window_of
from shared.db.repositories.slots import LOCK_ACCOUNT, find_slot, longest_of, read_book, read_share
from shared.db.repositories.versions import Version
from shared.domain.channels import AccountKind, Channel
from shared.domain.moves import next_move
from shared.domain.pacing import FIRST_MAILS_AHEAD, WORKSPACE_A_DAY, limits_of
from shared.domain.recipient import ActivityName, Planned, Progress
from shared.domain.slots import Book, Booking, Limit, Slot, Wish, assign

DAY = timedelta(days=1)

_BEGUN = text("""
select coalesce(sum(number), 0) from campaign_starts
where campaign_id = :campaign_id and begun_at > :since
""")
# One row for each page: there may be a million recipients. Old ones are of no use any more.
_NOTE_BEGUN = text("""
with old as (
  delete from campaign_starts where campaign_id = :campaign_id and begun_at < :long_ago)
insert into campaign_starts (campaign_id, begun_at, number) values (:campaign_id, :now, :number)
""")
_PLACES = text(f"""
select r.id, {PLACE_COLUMNS}
from recipients r join campaigns c on c.id = r.campaign_id join leads l on l.id = r.lead_id
where r.id = any (:ids)
""")  # noqa: S608 - made of our own words
# In the campaign's own order, which rotation goes by.
_ACCOUNTS = text("""
select id, kind, least(daily_limit, daily_ceiling) as daily_limit, limits,
  coalesce(ramp_from_at, created_at) as ramp_from_at from accounts where id = any (:ids)
order by array_position(cast(:ids as uuid[]), id)
""")
_START = text("""
update recipients r set started_at = :now, next_activity = w.activity, next_step_id = w.step_id,
  next_at = w.at, account_id = coalesce(r.account_id, w.account_id),
  next_account_id = case when w.slot_at is not null then coalesce(r.account_id, w.account_id) end,
  slot_at = w.slot_at,
  slot_step_id = w.step_id, slot_words = nullif(w.words, '')
from unnest(cast(:ids as uuid[]), cast(:activities as text[]), cast(:step_ids as uuid[]),
  cast(:instants as timestamptz[]), cast(:account_ids as uuid[]),
  cast(:slots as timestamptz[]), cast(:words as text[]))
  as w (id, activity, step_id, at, account_id, slot_at, words)
where r.id = w.id
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstPlan:
    recipient_id: UUID
    account_id: UUID | None
    plan: Planned
    slot: Slot | None = None


@dataclass(slots=True, kw_only=True)
class _Account:
    """One of the campaign's accounts with what it has done and booked."""

    kind: AccountKind
    limits: tuple[Limit, ...]
    weight: int
    book: Book = field(default_factory=Book)


class FirstPlans:
    """Plans one page of a campaign. `row` is the launcher's row of the campaign.

    Books are read behind the accounts' locks, so that two launchers book one after the other.
    """

    def __init__(
        self, connection: AsyncConnection, row: Row[Any], version: Version, now: datetime
    ) -> None:
        self._connection = connection
        self._row = row
        self._version = version
        self._now = now
        self._accounts: dict[UUID, _Account] = {}

    async def load(self) -> bool:
        """Read the accounts' limits. False: nothing is paced, so all plans are alike."""
        row = self._row
        ids = row.account_ids or ([row.account_id] if row.account_id else [])
        for account in await self._connection.execute(_ACCOUNTS, {"ids": ids}):
            kind, begun_at = AccountKind(account.kind), account.ramp_from_at
            limits = limits_of(account.daily_limit, account.limits, begun_at=begun_at, kind=kind)
            weight = account.daily_limit if account.daily_limit is not None else WORKSPACE_A_DAY
            # A dry run takes nothing away from those who really send.
            limits = () if row.dry_run else limits
            self._accounts[account.id] = _Account(kind=kind, limits=limits, weight=weight)
        are_alike = all(one.kind is AccountKind.GMAIL for one in self._accounts.values())
        is_limited = any(account.limits for account in self._accounts.values())
        has_days = any(step.wait_business_days or step.on_date for step in self._version.steps)
        is_timed = has_days or row.is_windowed or row.start_at
        return bool(is_limited or is_timed or row.limits or not are_alike)

    async def plan(self, pending: Sequence[Row[Any]]) -> list[FirstPlan]:
        """Plans of those for whom there is room; the rest stay pending."""
        pending = pending[: await self._room()]
        places = await self._connection.execute(_PLACES, {"ids": [row.id for row in pending]})
        by_id = {row.id: row for row in places}
        for account_id in sorted(self._accounts):
            await self._open_book(account_id, self._accounts[account_id])
        plans: list[FirstPlan] = []
        chosen = self._rotation(len(pending))
        for row, turn in zip(pending, chosen, strict=True):
            plan = self._plan_one(by_id[row.id], row.account_id or turn, row.account_id)
            if plan:
                plans.append(plan)
            elif row.account_id is None:
                # No account has room, so nobody behind it would find any either.
                break
        await self._write(plans)
        return plans

    async def _room(self) -> int:
        """How many leads may still begin today."""
        most: int | None = self._row.limits.get("new_leads_per_day")
        if most is None:
            return 1_000_000
        since = {"campaign_id": self._row.id, "since": self._now - DAY}
        return max(0, most - (await self._connection.scalar(_BEGUN, since) or 0))

    async def _open_book(self, account_id: UUID, account: _Account) -> None:
        if not account.limits:
            return
        connection, now = self._connection, self._now
        await connection.execute(LOCK_ACCOUNT, {"id": account_id})
        account.book = await read_book(connection, account_id, account.limits, now=now)
        wish = Wish(campaign_id=self._row.id, is_first=True)
        book, limits = account.book, account.limits
        await read_share(connection, account_id, wish, book, limits=limits, now=now)

    def _rotation(self, number: int) -> list[UUID | None]:
        if not self._accounts:
            return [None] * number
        is_weighted = self._row.limits.get("rotation") == "weighted"
        weights = {id_: one.weight if is_weighted else 1 for id_, one in self._accounts.items()}
        booked = {
            id_: sum(b.is_first and b.campaign_id == self._row.id for b in one.book.booked)
            for id_, one in self._accounts.items()
        }
        return [*assign(weights, number, given=booked)] or [None] * number

    def _plan_one(
        self, place: Row[Any], wanted: UUID | None, pinned: UUID | None
    ) -> FirstPlan | None:
        """With the account whose turn it is, or another one that has room. None: there is none."""
        now = self._now
        progress = Progress(
            started_at=max(now, place.start_at or now),
            calendar=calendar_of(place, now),
            window=window_of(place, now),
            seed=str(place.id),
        )
        move = next_move(self._version.steps, progress, now)
        if not isinstance(move, Planned):
            return None
        first = self._version.steps[0]
        if self._row.needs and (first.channel is not Channel.EMAIL or first.guards):
            # What it is depends on the lead and its accounts: each looks for itself.
            look = Planned(
                activity=ActivityName.RECIPIENT_PLAN, step_id=None, at=now, label="look at the rows"
            )
            return FirstPlan(recipient_id=place.id, account_id=pinned or wanted, plan=look)
        for account_id in [wanted] if pinned else self._in_turn(wanted):
            account = self._accounts.get(account_id) if account_id else None
            wanted_plan = _over(account, move)
            if account is None or not account.limits:
                return FirstPlan(recipient_id=place.id, account_id=account_id, plan=wanted_plan)
            seed = f"{place.id}/{move.step_id}"
            wish = Wish(campaign_id=self._row.id, is_first=True, seed=seed)
            limits, window, book = account.limits, progress.window, account.book
            plan, slot = find_slot(wanted_plan, wish, book, limits=limits, window=window, now=now)
            is_soon = slot.at <= max(now, move.at) + FIRST_MAILS_AHEAD
            if is_soon and book.knows(slot.at + longest_of(limits)):
                book.add(Booking(at=slot.at, campaign_id=self._row.id, is_first=True))
                return FirstPlan(recipient_id=place.id, account_id=account_id, plan=plan, slot=slot)
        return None

    def _in_turn(self, wanted: UUID | None) -> Iterator[UUID | None]:
        yield wanted
        yield from (account_id for account_id in self._accounts if account_id != wanted)

    async def _write(self, plans: Sequence[FirstPlan]) -> None:
        if not plans:
            return
        await note_begun(self._connection, self._row.id, len(plans), self._now)
        await self._connection.execute(
            _START,
            {
                "now": self._now,
                "ids": [one.recipient_id for one in plans],
                "activities": [str(one.plan.activity) for one in plans],
                "step_ids": [one.plan.step_id for one in plans],
                "instants": [one.plan.at for one in plans],
                "account_ids": [one.account_id for one in plans],
                "slots": [one.slot.at if one.slot else None for one in plans],
                "words": [one.slot.words if one.slot else "" for one in plans],
            },
        )


async def note_begun(
    connection: AsyncConnection, campaign_id: UUID, number: int, now: datetime
) -> None:
    """How many of a campaign have begun, for its limit of new leads a day."""
    values = {"campaign_id": campaign_id, "number": number, "now": now, "long_ago": now - 3 * DAY}
    await connection.execute(_NOTE_BEGUN, values)


def _over(account: _Account | None, plan: Planned) -> Planned:
    """As the account sends it that it was given."""
    is_smtp = account is not None and account.kind is AccountKind.SMTP
    if not is_smtp or plan.activity is not ActivityName.GMAIL_SEND:
        return plan
    label = plan.label.replace(ActivityName.GMAIL_SEND, ActivityName.SMTP_SEND)
    return replace(plan, activity=ActivityName.SMTP_SEND, label=label)
