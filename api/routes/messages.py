"""/api/messages: what was sent to whom, in every campaign."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.dependencies import Reader, Services
from api.schemas.messages import MessageAnswer
from api.schemas.paging import USUAL_PAGE, Cursor, Limit, Page
from api.schemas.recipients import ActionShown
from api.services.actions import action_answer
from api.services.messages import MessageFilter, make_place, read_place

router = APIRouter(prefix="/api/messages", tags=["messages"])


@router.get("")
async def list_messages(
    *,
    caller: Reader,
    services: Services,
    campaign_id: Annotated[UUID | None, Query(description="Of this campaign.")] = None,
    lead_id: Annotated[UUID | None, Query(description="To this lead.")] = None,
    status: Annotated[ActionShown | None, Query(description="Only those in this status.")] = None,
    limit: Limit = USUAL_PAGE,
    cursor: Cursor = None,
) -> Page[MessageAnswer]:
    """The log of messages, newest first; also of campaigns that were deleted since."""
    asked = MessageFilter(campaign_id=campaign_id, lead_id=lead_id, status=status)
    rows = await services.messages.list_messages(
        caller, asked, limit=limit, after=read_place(cursor)
    )
    items = [
        MessageAnswer(
            **action_answer(row.ActionRow, row.step_number).model_dump(),
            campaign_id=row.ActionRow.campaign_id,
            account_id=row.ActionRow.account_id,
            lead_id=row.lead_id,
            channel=row.channel,
            to=row.to,
        )
        for row in rows[:limit]
    ]
    is_more = len(rows) > limit
    return Page(items=items, next_cursor=make_place(rows[limit - 1].ActionRow) if is_more else None)
