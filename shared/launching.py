"""Starts pending recipients, a page at a time: rows first, workflows after the commit."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.conductor import Conductor
from shared.contracts.operations import LaunchPage
from shared.contracts.recipient import RecipientRef, RecipientStart
from shared.db.models.campaigns import CampaignStatus
from shared.db.repositories.versions import Version, VersionShelf
from shared.db.session import Database
from shared.domain.recipient import ActivityName, Planned, Progress, next_move

STARTS_AT_ONCE = 20

_CAMPAIGN = text("""
select c.status, c.version_id, coalesce(c.account_id, (
  select a.id from accounts a where a.is_primary and a.status <> 'disconnected' limit 1)
) as account_id
from campaigns c where c.id = :campaign_id and c.deleted_at is null
""")
# Another launcher's page is passed over, not waited for.
_PENDING = text("""
select id, started_at, next_activity, next_step_id, next_at from recipients
where campaign_id = :campaign_id and launched_at is null and ended_at is null
order by id limit :size for update skip locked
""")
_START = text("""
update recipients set started_at = :now, next_activity = :activity, next_step_id = :step_id,
  next_at = :at, account_id = coalesce(account_id, :account_id)
where id = any (:ids)
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
        plans = await _plan_page(connection, campaign, campaign_id, version, size, now)

    gate = asyncio.Semaphore(STARTS_AT_ONCE)
    starts = [
        RecipientStart(
            recipient=RecipientRef(
                company_id=company_id, campaign_id=campaign_id, recipient_id=recipient_id
            ),
            next=plan,
            account_id=campaign.account_id,
        )
        for recipient_id, plan in plans.items()
    ]
    async with asyncio.TaskGroup() as group:
        for start in starts:
            group.create_task(_start(conductor, start, gate))

    async with database.company_transaction(company_id) as connection:
        await connection.execute(_LAUNCHED, {"ids": list(plans)})
    return LaunchPage(started=len(plans), is_last=len(plans) < size)


async def _start(conductor: Conductor, start: RecipientStart, gate: asyncio.Semaphore) -> None:
    async with gate:
        await conductor.start(start)


async def _plan_page(
    connection: AsyncConnection,
    campaign: Row[Any],
    campaign_id: UUID,
    version: Version,
    size: int,
    now: datetime,
) -> dict[UUID, Planned]:
    """Write the first plan of each pending recipient that has none, and return all plans."""
    rows = await connection.execute(_PENDING, {"campaign_id": campaign_id, "size": size})
    pending = rows.all()
    first = next_move(version.steps, Progress(started_at=now), now)
    # A campaign without steps is never activated; were it so, the plan activity would end them.
    if not isinstance(first, Planned):
        first = _look(now)
    fresh = [row.id for row in pending if row.started_at is None]
    if fresh:
        await connection.execute(
            _START,
            {
                "ids": fresh,
                "now": now,
                "activity": first.activity,
                "step_id": first.step_id,
                "at": first.at,
                "account_id": campaign.account_id,
            },
        )
    return {row.id: first if row.started_at is None else _look(now) for row in pending}


def _look(now: datetime) -> Planned:
    return Planned(
        activity=ActivityName.RECIPIENT_PLAN, step_id=None, at=now, label="look at the rows"
    )
