"""Phone calls: the accounts that place them, what was said, and what Bland tells of them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response, status

from api.dependencies import Connector, Reader, Services
from api.documentation import problems
from api.presenting_accounts import account_answer
from api.schemas.accounts import AccountAnswer
from api.schemas.calls import (
    BlandNewsAnswer,
    CallAnswer,
    NewPhoneLine,
    WholeCallAnswer,
    transcript_of,
)
from api.schemas.paging import LARGEST_ARRAY, ArrayLimit, Cursor, cut_array, read_cursor
from api.services.phone_lines import AskedLine
from shared.providers.bland_reports import SIGNATURE_HEADER

router = APIRouter(tags=["calls"])
news_router = APIRouter(prefix="/webhooks", tags=["inbound"])

_TOLD = {
    "call_id": "9d404c1b-6a23-4426-953a-a52c392ff8f1",
    "completed": True,
    "status": "completed",
    "answered_by": "human",
    "metadata": {"drumbeat_key": "k"},
}
BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "object", "additionalProperties": True},
                "example": _TOLD,
            }
        },
    }
}


@router.post(
    "/api/accounts/bland",
    status_code=status.HTTP_201_CREATED,
    responses=problems(409, 502, 503),
    tags=["accounts"],
)
async def connect_bland(body: NewPhoneLine, caller: Connector, services: Services) -> AccountAnswer:
    """Connect an account at Bland by its key, which is tried first. Again: with a new key."""
    asked = AskedLine(
        name=body.name,
        api_key=body.api_key,
        webhook_secret=body.webhook_secret,
        plan=body.plan,
        daily_limit=body.daily_limit,
    )
    account_id = await services.calls.lines.connect(caller, asked)
    return account_answer(await services.accounts.get(caller, account_id))


@router.get("/api/campaigns/{campaign_id}/calls", responses=problems(404))
async def list_calls(
    *,
    campaign_id: UUID,
    request: Request,
    response: Response,
    caller: Reader,
    services: Services,
    limit: ArrayLimit = None,
    cursor: Cursor = None,
) -> list[CallAnswer]:
    """In the order of placing, without what was said; a page goes on at `Link`."""
    rows = await services.calls.log.list_calls(
        caller, campaign_id, limit=limit or LARGEST_ARRAY, after=read_cursor(cursor)
    )
    page = cut_array(rows, limit, request, response)
    return [CallAnswer.model_validate(row) for row in page]


@router.get("/api/calls/{call_id}", responses=problems(404))
async def get_call(call_id: UUID, caller: Reader, services: Services) -> WholeCallAnswer:
    """One call, with what was said."""
    row = await services.calls.log.get(caller, call_id)
    told = CallAnswer.model_validate(row).model_dump()
    return WholeCallAnswer(**told, transcript=transcript_of(row.transcript))


@news_router.post("/bland", responses=problems(401, 422, 503), openapi_extra=BODY)
async def receive_bland_news(
    request: Request,
    services: Services,
    t: Annotated[str, Query(max_length=500, description="Whose account it is, signed by us.")],
    signature: Annotated[
        str | None,
        Header(alias=SIGNATURE_HEADER, description="HMAC-SHA256 of the raw body, in hex."),
    ] = None,
) -> BlandNewsAnswer:
    """Bland tells that a call is over.

    The signature is checked before the body is read. What was told already is answered 200 like
    what is new; any other answer has Bland call again.
    """
    return BlandNewsAnswer(
        is_new=await services.calls.lines.hear(t, signature, await request.body())
    )
