"""Who has written what."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from api.callers import Caller
from shared.db.models import AuditRow
from shared.db.session import Database


class AuditService:
    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def list_changes(
        self,
        caller: Caller,
        *,
        subject: str | None,
        subject_id: UUID | None,
        limit: int,
        after: UUID | None,
    ) -> Sequence[AuditRow]:
        """Newest first, one more than asked for if there are more."""
        query = select(AuditRow)
        if subject:
            query = query.where(AuditRow.subject == subject)
        if subject_id:
            query = query.where(AuditRow.subject_id == subject_id)
        if after:
            query = query.where(AuditRow.id < after)
        async with self._database.company_session(caller.company_id) as session:
            rows = await session.scalars(query.order_by(AuditRow.id.desc()).limit(limit + 1))
            return rows.all()
