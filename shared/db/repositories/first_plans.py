"""The first plans of pending recipients, when a campaign has hours or its accounts have limits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.repositories.places import PLACE_COLUMNS, calendar_of, window_of
from shared.db.repositories.slots import LOCK_ACCOUNT, find_slot, read_book, read_share
from shared.db.repositories.versions import Version
from shared.domain.pacing import FIRST_MAILS_AHEAD, WORKSPACE_A_DAY, limits_of
from shared.domain.recipient import Planned, Progress, next_move
from shared.domain.slots import Book, Booking, Limit, Slot, Wish, assign

DAY = timedelta(days=1)

_BEGUN = text("""
select count(*) from recipients where campaign_id = :campaign_id and started_at > :since
""")
_PLACES = text(f"""
select r.id, {PLACE_COLUMNS}
from recipients r join campaigns c on c.id = r.campaign_id join leads l on l.id = r.lead_id
where r.id = any (:ids)
""")  # noqa: S608 - made of our own words
_ACCOUNTS = text("""
select id, least(daily_limit, daily_ceiling) as daily_limit, limits,
  coalesce(ramp_from_at, created_at) as ramp_from_at from accounts where id = any (:ids)
""")
_START = text("""
update recipients r set started_at = :now, next_activity = w.activity, next_step_id = w.step_id,
  next_at = w.at, account_id = coalesce(r.account_id, w.account_id), slot_at = w.slot_at,
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
            limits = limits_of(account.daily_limit, account.limits, begun_at=account.ramp_from_at)
            weight = account.daily_limit if account.daily_limit is not None else WORKSPACE_A_DAY
            self._accounts[account.id] = _Account(limits=limits, weight=weight)
        is_limited = any(account.limits for account in self._accounts.values())
        has_days = any(step.wait_business_days or step.on_date for step in self._version.steps)
        return bool(is_limited or has_days or row.is_windowed or row.start_at or row.limits)

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
        for account_id in [wanted] if pinned else self._in_turn(wanted):
            account = self._accounts.get(account_id) if account_id else None
            if account is None or not account.limits:
                return FirstPlan(recipient_id=place.id, account_id=account_id, plan=move)
            seed = f"{place.id}/{move.step_id}"
            wish = Wish(campaign_id=self._row.id, is_first=True, seed=seed)
            limits, window, book = account.limits, progress.window, account.book
            plan, slot = find_slot(move, wish, book, limits=limits, window=window, now=now)
            if slot.at <= max(now, move.at) + FIRST_MAILS_AHEAD:
                book.add(Booking(at=slot.at, campaign_id=self._row.id, is_first=True))
                return FirstPlan(recipient_id=place.id, account_id=account_id, plan=plan, slot=slot)
        return None

    def _in_turn(self, wanted: UUID | None) -> Iterator[UUID | None]:
        yield wanted
        yield from (account_id for account_id in self._accounts if account_id != wanted)

    async def _write(self, plans: Sequence[FirstPlan]) -> None:
        if not plans:
            return
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
