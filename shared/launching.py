"""Starts pending recipients, a page at a time: rows first, workflows after the commit."""

import asyncio
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle
from time import monotonic
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.conductor import Conductor, Overloaded
from shared.contracts.recipient import RecipientRef, RecipientStart
from shared.db.models.campaigns import CampaignStatus
from shared.db.repositories.first_plans import FirstPlans, note_begun
from shared.db.repositories.versions import Version, VersionShelf
from shared.db.session import Database
from shared.domain.moves import next_move
from shared.domain.recipient import ActivityName, Outcome, Planned, Progress

STARTS_AT_ONCE = 20
# Before every recipient, in the order of their ids.
NOBODY = UUID(int=0)

_CAMPAIGN = text("""
select c.id, c.status, c.version_id, coalesce(c.account_id, (
  select a.id from accounts a where a.is_primary and a.status <> 'disconnected' limit 1)
) as account_id, array(
  select a.id from accounts a where a.id = any (c.account_ids) and a.status <> 'disconnected'
    and a.kind in ('gmail', 'smtp') order by array_position(c.account_ids, a.id)) as account_ids,
  c."window" is not null as is_windowed, c.start_at, c.limits, c.needs,
  c.dry_run, c.launch_held_at
from campaigns c where c.id = :campaign_id and c.deleted_at is null
""")
# Another launcher's page is passed over, not waited for.
_PENDING = text("""
select id, account_id, started_at from recipients
where campaign_id = :campaign_id and launched_at is null and ended_at is null and id > :after
order by id limit :size for update skip locked
""")
_START = text("""
update recipients r set started_at = :now, next_activity = :activity, next_step_id = :step_id,
  next_at = :at, account_id = coalesce(r.account_id,
    (cast(:account_ids as uuid[]))[array_position(cast(:ids as uuid[]), r.id)])
where r.id = any (:ids)
""")
# Who was counted before a crash is not counted again.
_LAUNCHED = text("""
with launched as (
  update recipients set launched_at = clock_timestamp() where id = any (:ids)
    and launched_at is null returning 1)
update jobs set processed = processed + (select count(*) from launched)
where id = cast(:job_id as uuid)
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedPage:
    """What one page did. `is_last`: nobody behind it can be started now.

    `pushed_back`: for how many Temporal was too busy; they stay pending. `last_id`: the next page
    begins behind it. `latency`: seconds until a start was acknowledged, on average.
    """

    started: int
    is_last: bool
    pushed_back: int = 0
    last_id: UUID = NOBODY
    latency: float = 0


async def launch_page(
    database: Database,
    conductor: Conductor,
    company_id: UUID,
    campaign_id: UUID,
    *,
    size: int = 200,
    after: UUID = NOBODY,
    job_id: UUID | None = None,
    shelf: VersionShelf | None = None,
    now: datetime | None = None,
) -> StartedPage:
    """Start up to `size` pending recipients of an active campaign, in the order of their ids.

    A page that died half way is found again: its rows are pending until Temporal has
    acknowledged every workflow, and a second start of the same recipient is none. `job_id`: who
    watches; it counts each recipient once.
    """
    # A whole second that has passed: what is due at once needs no timer.
    now = now or datetime.now(UTC).replace(microsecond=0)
    async with database.company_transaction(company_id) as connection:
        campaign = (await connection.execute(_CAMPAIGN, {"campaign_id": campaign_id})).one_or_none()
        is_wanted = campaign is not None and campaign.launch_held_at is None
        if campaign is None or not is_wanted or campaign.status != CampaignStatus.ACTIVE:
            return StartedPage(started=0, is_last=True)
        version = await (shelf or VersionShelf()).get(connection, campaign.version_id)
        values = {"campaign_id": campaign.id, "size": size, "after": after}
        pending = (await connection.execute(_PENDING, values)).all()
        page = await _plan_page(connection, campaign, version, pending, now=now)

    starts = [
        RecipientStart(
            recipient=RecipientRef(
                company_id=company_id, campaign_id=campaign_id, recipient_id=recipient_id
            ),
            next=plan,
            account_id=account_id,
        )
        for recipient_id, account_id, plan in page
    ]
    acknowledged, latency = await _start_all(conductor, starts)

    async with database.company_transaction(company_id) as connection:
        await connection.execute(_LAUNCHED, {"ids": acknowledged, "job_id": job_id})
    return StartedPage(
        started=len(acknowledged),
        # Who was not planned finds no room on any account, and neither would those behind them.
        is_last=len(page) < size,
        pushed_back=len(page) - len(acknowledged),
        last_id=pending[-1].id if pending else after,
        latency=latency,
    )


async def _start_all(
    conductor: Conductor, starts: Sequence[RecipientStart]
) -> tuple[list[UUID], float]:
    """The ids of those that were acknowledged, and the seconds it took on average.

    Once Temporal has said that it is too busy, no more are asked for.
    """
    gate, turned_away = asyncio.Semaphore(STARTS_AT_ONCE), asyncio.Event()
    acknowledged: list[UUID] = []
    waited = 0.0

    async def start_one(start: RecipientStart) -> None:
        nonlocal waited
        async with gate:
            if turned_away.is_set():
                return
            begun = monotonic()
            try:
                await conductor.start(start)
            except Overloaded:
                turned_away.set()
                return
            waited += monotonic() - begun
            acknowledged.append(start.recipient.recipient_id)

    async with asyncio.TaskGroup() as group:
        for start in starts:
            group.create_task(start_one(start))
    return acknowledged, waited / max(1, len(acknowledged))


async def _plan_page(
    connection: AsyncConnection,
    campaign: Row[Any],
    version: Version,
    pending: Sequence[Row[Any]],
    *,
    now: datetime,
) -> list[tuple[UUID, UUID | None, Planned]]:
    """Write the first plan of each pending recipient that has none; returns all, with accounts."""
    paced = FirstPlans(connection, campaign, version, now)
    if await paced.load():
        fresh_plans = await paced.plan([row for row in pending if row.started_at is None])
        begun = [(row.id, row.account_id, _look(now)) for row in pending if row.started_at]
        return begun + [(one.recipient_id, one.account_id, one.plan) for one in fresh_plans]
    first: Outcome = _look(now)
    # What the first step is may depend on the lead and its accounts: each looks for itself.
    if not campaign.needs:
        first = next_move(version.steps, Progress(started_at=now), now)
    # A campaign without steps is never activated; were it so, the plan activity would end them.
    if not isinstance(first, Planned):
        first = _look(now)
    fresh = [row.id for row in pending if row.started_at is None]
    accounts = dict(zip(fresh, _spread(campaign), strict=False))
    if fresh:
        await note_begun(connection, campaign.id, len(fresh), now)
        await connection.execute(
            _START,
            {
                "ids": fresh,
                "account_ids": list(accounts.values()),
                "now": now,
                "activity": first.activity,
                "step_id": first.step_id,
                "at": first.at,
            },
        )
    return [
        (row.id, row.account_id or accounts.get(row.id), _look(now) if row.started_at else first)
        for row in pending
    ]


def _spread(campaign: Row[Any]) -> Iterator[UUID | None]:
    """The campaign's accounts in turn, from anywhere, so that small pages are spread as well."""
    accounts = campaign.account_ids or [campaign.account_id]
    begin = random.randrange(len(accounts))  # noqa: S311 - nothing secret hangs on it
    return cycle([*accounts[begin:], *accounts[:begin]])


def _look(now: datetime) -> Planned:
    return Planned(
        activity=ActivityName.RECIPIENT_PLAN, step_id=None, at=now, label="look at the rows"
    )
