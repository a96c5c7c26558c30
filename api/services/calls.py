"""Calls that were placed, and what was said in them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import defer

from api.callers import Caller
from api.services.campaigns import get_campaign
from shared.db.models import CallRow
from shared.db.session import Database
from shared.errors import NotFound


class CallService:
    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def list_calls(
        self, caller: Caller, campaign_id: UUID, *, limit: int, after: UUID | None
    ) -> Sequence[CallRow]:
        """In the order of placing, without transcripts; one more than asked for if there is one."""
        query = (
            select(CallRow)
            .where(CallRow.campaign_id == campaign_id)
            .options(defer(CallRow.transcript))
            .order_by(CallRow.id)
            .limit(limit + 1)
        )
        if after:
            query = query.where(CallRow.id > after)
        async with self._database.company_session(caller.company_id) as session:
            await get_campaign(session, campaign_id)
            return (await session.scalars(query)).all()

    async def get(self, caller: Caller, call_id: UUID) -> CallRow:
        """Raises NotFound."""
        async with self._database.company_session(caller.company_id) as session:
            call = await session.get(CallRow, call_id)
            if call is None:
                raise NotFound(f"Call {call_id} is not there")
            return call
