"""Plays a rehearsal that takes longer than a request may."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, text
from temporalio import activity

from shared.contracts.operations import RehearsalOrder
from shared.db.models.jobs import JobStatus
from shared.db.models.rehearsals import RehearsalRow
from shared.db.repositories.scenes import read_scene
from shared.db.session import Database
from shared.domain.behaviour_json import behaviour_from_json
from shared.domain.rehearsal import Story, play
from shared.domain.rehearsal_report import report_of
from shared.domain.rehearsal_scene import Scene
from shared.errors import NotFound

# So many slices until it is looked whether anybody still waits for it.
SLICES_PER_LOOK = 20

_BEGIN = text("""
update jobs set status = 'running', started_at = coalesce(started_at, :now), total = :total
where id = :id and cancelled_at is null returning id
""")
_IS_WANTED = text("""
update jobs set processed = :processed where id = :id and cancelled_at is null returning id
""")
_FINISH = text("""
update jobs set status = :status, finished_at = :now, processed = coalesce(total, 0),
  errors = cast(:errors as jsonb), result_url = :result_url
where id = :id and cancelled_at is null
""")


class RehearsalActivities:
    """A job's report is a matter of its database's rows, so its clock is the real one."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    @activity.defn(name="rehearsal.play")
    async def play(self, order: RehearsalOrder) -> bool:
        """Make the report, unless nobody wants it any more. True: it is there."""
        try:
            scene = await self._read(order)
        except NotFound as error:
            await self._finish(order, errors=[{"message": str(error)}])
            return False
        story = await self._play(order, scene) if scene else None
        if story is None:
            return False
        report = await asyncio.to_thread(lambda: json.dumps(report_of(story)))
        await self._finish(order, report=report)
        return True

    async def _read(self, order: RehearsalOrder) -> Scene | None:
        """None: it was cancelled. Raises NotFound when there is no such campaign any more."""
        async with self._database.company_session(order.company_id) as session:
            found = select(RehearsalRow).where(RehearsalRow.job_id == order.job_id)
            row = (await session.scalars(found)).one_or_none()
            if row is None:
                return None
            scene = await read_scene(
                session,
                row.campaign_id,
                begins_at=datetime.fromisoformat(row.wish["begins_at"]),
                behaviour=behaviour_from_json(row.wish["behaviour"]),
                seed=row.wish["seed"],
            )
            begun = {"id": order.job_id, "now": datetime.now(UTC), "total": len(scene.people)}
            return scene if await session.scalar(_BEGIN, begun) else None

    async def _play(self, order: RehearsalOrder, scene: Scene) -> Story | None:
        playing, count = play(scene), 0
        while True:
            try:
                ended = next(playing)
            except StopIteration as end:
                story: Story = end.value
                return story
            activity.heartbeat()
            # The worker has others to serve.
            await asyncio.sleep(0)
            count += 1
            if count % SLICES_PER_LOOK == 0 and not await self._is_wanted(order, ended):
                return None

    async def _is_wanted(self, order: RehearsalOrder, processed: int) -> bool:
        async with self._database.company_transaction(order.company_id) as connection:
            values = {"id": order.job_id, "processed": processed}
            return await connection.scalar(_IS_WANTED, values) is not None

    async def _finish(
        self,
        order: RehearsalOrder,
        *,
        report: str | None = None,
        errors: list[dict[str, Any]] | None = None,
    ) -> None:
        async with self._database.company_session(order.company_id) as session:
            if report is not None:
                found = select(RehearsalRow).where(RehearsalRow.job_id == order.job_id)
                (await session.scalars(found)).one().report = report
            await session.execute(
                _FINISH,
                {
                    "id": order.job_id,
                    "now": datetime.now(UTC),
                    "status": JobStatus.FAILED if report is None else JobStatus.COMPLETED,
                    "errors": json.dumps(errors or []),
                    "result_url": order.result_url if report is not None else None,
                },
            )
