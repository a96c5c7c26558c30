"""Background work that somebody waits for."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.callers import Caller
from api.conducting import Conducting
from shared.db.models import JobKind, JobRow, JobStatus
from shared.db.repositories.launches import hold_launch
from shared.db.session import Database
from shared.errors import Conflict, NotFound


class TaskService:
    def __init__(self, *, database: Database, conducting: Conducting) -> None:
        self._database = database
        self._conducting = conducting

    async def list_tasks(
        self, caller: Caller, *, kind: JobKind | None, limit: int, after: UUID | None
    ) -> Sequence[JobRow]:
        """Newest first, one more than asked for if there are more."""
        query = select(JobRow).order_by(JobRow.id.desc()).limit(limit + 1)
        if kind is not None:
            query = query.where(JobRow.kind == kind)
        if after is not None:
            query = query.where(JobRow.id < after)
        async with self._database.company_session(caller.company_id) as session:
            return (await session.scalars(query)).all()

    async def get(self, caller: Caller, job_id: UUID) -> JobRow:
        async with self._database.company_session(caller.company_id) as session:
            return await get_job(session, job_id)

    async def cancel(self, caller: Caller, job_id: UUID) -> JobRow:
        """What was done stays. Raises Conflict once the task has ended by itself.

        Whom a launch had still to start stays pending until the campaign is activated once more.
        """
        async with self._database.company_session(caller.company_id) as session:
            job = await get_job(session, job_id, is_locked=True)
            if job.cancelled_at is not None:
                return job
            if job.finished_at is not None:
                raise Conflict(f"The task has ended already: it is {job.status}")
            job.status, job.is_held = JobStatus.CANCELLED, False
            job.cancelled_at = datetime.now(UTC)
            if job.kind is not JobKind.IMPORT:
                job.finished_at = job.cancelled_at
            if job.campaign_id is not None:
                # Its launcher reads this before each page.
                await hold_launch(await session.connection(), job.campaign_id)
        if job.kind is JobKind.IMPORT:
            # One that runs sees the row before its next chunk; another one is closed by this.
            await self._conducting.start_import(caller.company_id, job_id)
        return job


async def get_job(session: AsyncSession, job_id: UUID, *, is_locked: bool = False) -> JobRow:
    job = await session.get(JobRow, job_id, with_for_update=is_locked)
    if job is None:
        raise NotFound(f"Task {job_id} is not there")
    return job
