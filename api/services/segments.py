"""Filters of leads that somebody has given a name."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from api.callers import Caller
from api.services.versions import must_match
from shared.db.models import SegmentRow
from shared.db.session import Database
from shared.errors import Conflict, NotFound

MOST_SEGMENTS = 1_000


class SegmentService:
    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def create(self, caller: Caller, fields: Mapping[str, Any]) -> SegmentRow:
        """Raises Conflict when the name is taken."""
        segment = SegmentRow(id=uuid7(), created_by=caller.user_id, **fields)
        try:
            async with self._database.company_session(caller.company_id) as session:
                number = await session.scalar(select(func.count()).select_from(SegmentRow))
                if (number or 0) >= MOST_SEGMENTS:
                    raise Conflict(f"There are {MOST_SEGMENTS:,} segments: delete one first")
                session.add(segment)
                await session.flush()
                await session.refresh(segment)
        except IntegrityError:
            raise _taken(segment.name) from None
        return segment

    async def list_segments(
        self, caller: Caller, *, limit: int, after: UUID | None
    ) -> Sequence[SegmentRow]:
        """Newest first, one more than asked for if there are more."""
        query = select(SegmentRow).order_by(SegmentRow.id.desc()).limit(limit + 1)
        if after:
            query = query.where(SegmentRow.id < after)
        async with self._database.company_session(caller.company_id) as session:
            return (await session.scalars(query)).all()

    async def get(self, caller: Caller, segment_id: UUID) -> SegmentRow:
        async with self._database.company_session(caller.company_id) as session:
            return await _get(session, segment_id)

    async def change(
        self, caller: Caller, segment_id: UUID, fields: Mapping[str, Any], *, expected: str | None
    ) -> SegmentRow:
        """Raises Conflict when the name is taken."""
        try:
            async with self._database.company_session(caller.company_id) as session:
                segment = await _get(session, segment_id, is_locked=True)
                must_match(segment, expected)
                for name, value in fields.items():
                    setattr(segment, name, value)
                await session.flush()
                await session.refresh(segment)
                return segment
        except IntegrityError:
            raise _taken(fields["name"]) from None

    async def delete(self, caller: Caller, segment_id: UUID) -> None:
        """Whoever was added by it stays where they are."""
        async with self._database.company_session(caller.company_id) as session:
            await session.delete(await _get(session, segment_id, is_locked=True))


async def _get(session: AsyncSession, segment_id: UUID, *, is_locked: bool = False) -> SegmentRow:
    segment = await session.get(SegmentRow, segment_id, with_for_update=is_locked)
    if segment is None:
        raise NotFound(f"Segment {segment_id} is not there")
    return segment


def _taken(name: str) -> Conflict:
    return Conflict(f"There is a segment called {name!r} already: choose another name")
