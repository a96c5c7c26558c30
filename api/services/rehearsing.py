"""A campaign played forward: within the request, or as a task when it is a big one."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.callers import Caller
from api.conducting import Conducting
from api.services.campaigns import get_campaign, list_steps
from api.services.tasks import get_job
from shared.contracts.operations import RehearsalOrder
from shared.db.models import JobKind, JobRow, RecipientRow, RehearsalRow
from shared.db.repositories.scenes import read_scene
from shared.db.session import Database
from shared.domain.behaviour_json import behaviour_to_json
from shared.domain.rehearsal import rehearse
from shared.domain.rehearsal_people import Behaviour
from shared.domain.rehearsal_report import report_of
from shared.errors import Conflict

# Played within a second, so the caller waits for it.
MOST_AT_ONCE = 1_000
# A worker has the whole story in its memory.
MOST = 50_000


class RehearsalService:
    def __init__(self, *, database: Database, conducting: Conducting) -> None:
        self._database = database
        self._conducting = conducting

    async def rehearse(
        self,
        caller: Caller,
        campaign_id: UUID,
        *,
        seed: int,
        behaviour: Behaviour,
        begins_at: datetime | None,
    ) -> dict[str, Any] | UUID:
        """The report, or the task that makes it. Nothing of the campaign is changed.

        Raises NotFound, and Conflict without steps, without anybody to reach, or with too many.
        """
        begins_at = (begins_at or datetime.now(UTC)).replace(second=0, microsecond=0)
        async with self._database.company_session(caller.company_id) as session:
            number = await _count(session, campaign_id)
            if number > MOST_AT_ONCE:
                wish = {"seed": seed, "begins_at": begins_at.isoformat()}
                wish |= {"behaviour": behaviour_to_json(behaviour)}
                job = await _make_job(session, caller, campaign_id, number, wish)
            else:
                scene = await read_scene(
                    session, campaign_id, begins_at=begins_at, behaviour=behaviour, seed=seed
                )
        if number > MOST_AT_ONCE:
            order = RehearsalOrder(company_id=caller.company_id, job_id=job.id)
            await self._conducting.rehearse(order)
            return job.id
        return await asyncio.to_thread(lambda: report_of(rehearse(scene)))

    async def read(self, caller: Caller, job_id: UUID) -> str:
        """A finished report, as JSON. Raises NotFound, and Conflict for a task without one."""
        async with self._database.company_session(caller.company_id) as session:
            job = await get_job(session, job_id)
            found = select(RehearsalRow).where(RehearsalRow.job_id == job_id)
            row = (await session.scalars(found)).one_or_none()
        if row is None:
            raise Conflict(f"The task is no rehearsal, it is of the kind {job.kind}")
        if row.report is None:
            raise Conflict(f"The task has made no report: it is {job.status}")
        return row.report


async def _count(session: AsyncSession, campaign_id: UUID) -> int:
    """How many there are to be reached."""
    await get_campaign(session, campaign_id)
    if not await list_steps(session, campaign_id):
        raise Conflict("The campaign has no steps: add one first")
    is_open = (RecipientRow.campaign_id == campaign_id, RecipientRow.ended_at.is_(None))
    number = await session.scalar(select(func.count()).where(*is_open)) or 0
    if not number:
        raise Conflict("The campaign has nobody to reach: add recipients first")
    if number > MOST:
        raise Conflict(f"It has {number} recipients; a rehearsal takes {MOST} at the most")
    return number


async def _make_job(
    session: AsyncSession, caller: Caller, campaign_id: UUID, total: int, wish: dict[str, Any]
) -> JobRow:
    job = JobRow(kind=JobKind.REHEARSAL, total=total, created_by=caller.user_id)
    session.add(job)
    await session.flush()
    session.add(RehearsalRow(job_id=job.id, campaign_id=campaign_id, wish=wish))
    return job
