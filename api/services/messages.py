"""The log of messages: every action of every campaign, in the order of sending."""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, case, select, tuple_

from api.callers import Caller
from api.schemas.recipients import ActionShown
from api.services.actions import SHOWN
from shared.db.models import ActionRow, LeadRow, RecipientRow, StepRow
from shared.db.session import Database
from shared.errors import Invalid

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Microseconds and an id.
_PLACE = struct.Struct(">q16s")

Place = tuple[datetime, UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFilter:
    campaign_id: UUID | None = None
    lead_id: UUID | None = None
    status: ActionShown | None = None


class MessageService:
    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def list_messages(
        self, caller: Caller, asked: MessageFilter, *, limit: int, after: Place | None
    ) -> Sequence[Row[Any]]:
        """(action, lead_id, step_number, channel, to): newest first, one more if there is more."""
        to = case(
            (StepRow.channel == "call", LeadRow.phone),
            (StepRow.channel.startswith("linkedin"), LeadRow.linkedin_url),
            else_=LeadRow.email,
        )
        place = tuple_(ActionRow.attempted_at, ActionRow.id)
        query = (
            select(
                ActionRow,
                RecipientRow.lead_id,
                StepRow.position.label("step_number"),
                StepRow.channel,
                to.label("to"),
            )
            .join(RecipientRow, RecipientRow.id == ActionRow.recipient_id)
            .join(LeadRow, LeadRow.id == RecipientRow.lead_id)
            .outerjoin(StepRow, StepRow.id == ActionRow.step_id)
            .order_by(ActionRow.attempted_at.desc(), ActionRow.id.desc())
            .limit(limit + 1)
        )
        if asked.campaign_id:
            query = query.where(ActionRow.campaign_id == asked.campaign_id)
        if asked.lead_id:
            query = query.where(RecipientRow.lead_id == asked.lead_id)
        if asked.status is ActionShown.RESPONDED:
            query = query.where(ActionRow.responded_at.is_not(None))
        elif asked.status:
            meant = [status for status, shown in SHOWN.items() if shown is asked.status]
            query = query.where(ActionRow.status.in_(meant), ActionRow.responded_at.is_(None))
        if after:
            query = query.where(place < after)
        async with self._database.company_session(caller.company_id) as session:
            return (await session.execute(query)).all()


def make_place(action: ActionRow) -> str:
    """The cursor behind this action: ids alone are in no order."""
    microseconds = (action.attempted_at - _EPOCH) // timedelta(microseconds=1)
    return urlsafe_b64encode(_PLACE.pack(microseconds, action.id.bytes)).decode()


def read_place(cursor: str | None) -> Place | None:
    """Raises Invalid for what `make_place` has not made."""
    if cursor is None:
        return None
    try:
        microseconds, id_ = _PLACE.unpack(urlsafe_b64decode(cursor))
        return _EPOCH + timedelta(microseconds=microseconds), UUID(bytes=id_)
    except (ValueError, OverflowError, struct.error):
        raise Invalid("Use the next_cursor of the page before", field="cursor") from None
