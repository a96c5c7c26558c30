"""Starts pending recipients, a page at a time: rows first, workflows after the commit."""

import asyncio
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import cycle
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.conductor import Conductor
from shared.contracts.operations import LaunchPage
from shared.contracts.recipient import RecipientRef, RecipientStart
from shared.db.models.campaigns import CampaignStatus
from shared.db.repositories.first_plans import FirstPlans
from shared.db.repositories.versions import Version, VersionShelf
from shared.db.session import Database
from shared.domain.recipient import ActivityName, Planned, Progress, next_move

STARTS_AT_ONCE = 20

_CAMPAIGN = text("""
select c.id, c.status, c.version_id, coalesce(c.account_id, (
  select a.id from accounts a where a.is_primary and a.status <> 'disconnected' limit 1)
) as account_id, array(
  select a.id from accounts a where a.id = any (c.account_ids) and a.status <> 'disconnected'
  order by array_position(c.account_ids, a.id)) as account_ids,
  c."window" is not null as is_windowed, c.start_at, c.limits
from campaigns c where c.id = :campaign_id and c.deleted_at is null
""")
# Another launcher's page is passed over, not waited for.
_PENDING = text("""
select id, account_id, started_at from recipients
where campaign_id = :campaign_id and launched_at is null and ended_at is null
order by id limit :size for update skip locked
""")
_START = text("""
update recipients r set started_at = :now, next_activity = :activity, next_step_id = :step_id,
  next_at = :at, account_id = coalesce(r.account_id,
    (cast(:account_ids as uuid[]))[array_position(cast(:ids as uuid[]), r.id)])
where r.id = any (:ids)
""")
_LAUNCHED = text("update recipients set launched_at = clock_timestamp() where id = any (:ids)")


async def launch_page(
    database: Database,
    conductor: Conductor,
    company_id: UUID,
    campaign_id: UUID,
    *,
    size: int = 200,
    shelf: VersionShelf | None = None,
) -> LaunchPage:
    """Start up to `size` pending recipients of an active campaign.

    A page that died half way is found again: its rows are pending until Temporal has
    acknowledged every workflow, and a second start of the same recipient is none.
    """
    # A whole second that has passed: what is due at once needs no timer.
    now = datetime.now(UTC).replace(microsecond=0)
    async with database.company_transaction(company_id) as connection:
        campaign = (await connection.execute(_CAMPAIGN, {"campaign_id": campaign_id})).one_or_none()
        if campaign is None or campaign.status != CampaignStatus.ACTIVE:
            return LaunchPage(started=0, is_last=True)
        version = await (shelf or VersionShelf()).get(connection, campaign.version_id)
        page = await _plan_page(connection, campaign, version, size=size, now=now)

    gate = asyncio.Semaphore(STARTS_AT_ONCE)
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
    async with asyncio.TaskGroup() as group:
        for start in starts:
            group.create_task(_start(conductor, start, gate))

    async with database.company_transaction(company_id) as connection:
        await connection.execute(_LAUNCHED, {"ids": [recipient_id for recipient_id, *_ in page]})
    return LaunchPage(started=len(page), is_last=len(page) < size)


async def _start(conductor: Conductor, start: RecipientStart, gate: asyncio.Semaphore) -> None:
    async with gate:
        await conductor.start(start)


async def _plan_page(
    connection: AsyncConnection, campaign: Row[Any], version: Version, *, size: int, now: datetime
) -> list[tuple[UUID, UUID | None, Planned]]:
    """Write the first plan of each pending recipient that has none; returns all, with accounts."""
    rows = await connection.execute(_PENDING, {"campaign_id": campaign.id, "size": size})
    pending = rows.all()
    paced = FirstPlans(connection, campaign, version, now)
    if await paced.load():
        fresh_plans = await paced.plan([row for row in pending if row.started_at is None])
        begun = [(row.id, row.account_id, _look(now)) for row in pending if row.started_at]
        return begun + [(one.recipient_id, one.account_id, one.plan) for one in fresh_plans]
    first = next_move(version.steps, Progress(started_at=now), now)
    # A campaign without steps is never activated; were it so, the plan activity would end them.
    if not isinstance(first, Planned):
        first = _look(now)
    fresh = [row.id for row in pending if row.started_at is None]
    accounts = dict(zip(fresh, _spread(campaign), strict=False))
    if fresh:
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
