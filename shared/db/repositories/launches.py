"""The job by which people watch a launch, and call it off."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_PENDING = """
select count(*) from recipients
where campaign_id = :campaign_id and launched_at is null and ended_at is null
"""
# One that waits goes on: for a paused campaign, or for room on the accounts.
_OPEN = text(f"""
insert into jobs (kind, status, campaign_id, total, more, started_at)
select 'launch', 'running', c.id, p.pending, jsonb_build_object('campaign_id', c.id),
  clock_timestamp()
from campaigns c, lateral ({_PENDING}) as p (pending)
where c.id = :campaign_id and c.status = 'active' and c.deleted_at is null
  and c.launch_held_at is null and p.pending > 0
on conflict (company_id, campaign_id) where kind = 'launch' and finished_at is null
do update set status = 'running', total = jobs.processed + excluded.total
returning id
""")  # noqa: S608 - made of our own words
_CLOSE = text(f"""
update jobs set status = case when pending > 0 then 'pending' else 'completed' end,
  finished_at = case when pending = 0 then clock_timestamp() end,
  total = processed + pending
from ({_PENDING}) as p (pending)
where jobs.id = :job_id and finished_at is null
""")  # noqa: S608 - made of our own words
_HOLD = text(
    "update campaigns set launch_held_at = clock_timestamp()"
    " where id = :campaign_id and launch_held_at is null"
)
_ALLOW = text(
    "update campaigns set launch_held_at = null"
    " where id = :campaign_id and launch_held_at is not null"
)


async def open_launch(connection: AsyncConnection, campaign_id: UUID) -> UUID | None:
    """The job of a launch that has somebody to start; it counts who is pending now."""
    id_: UUID | None = await connection.scalar(_OPEN, {"campaign_id": campaign_id})
    return id_


async def close_launch(connection: AsyncConnection, campaign_id: UUID, job_id: UUID) -> None:
    """Nobody else can be started now. With somebody pending the job waits for the next time."""
    await connection.execute(_CLOSE, {"campaign_id": campaign_id, "job_id": job_id})


async def hold_launch(connection: AsyncConnection, campaign_id: UUID) -> None:
    """Start nobody else until somebody asks for it."""
    await connection.execute(_HOLD, {"campaign_id": campaign_id})


async def allow_launch(connection: AsyncConnection, campaign_id: UUID) -> None:
    await connection.execute(_ALLOW, {"campaign_id": campaign_id})
