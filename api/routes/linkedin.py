"""LinkedIn by Unipile: connecting an account, and what Unipile tells of it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.security import APIKeyHeader

from api.dependencies import SHOWS_SECRET, Connector, Services
from api.documentation import problems
from api.schemas.linkedin import (
    LinkedInConnectAnswer,
    NewLinkedInConnection,
    UnipileConnectedAnswer,
    UnipileNewsAnswer,
)
from shared.providers.unipile import SECRET_HEADER
from shared.providers.unipile_webhooks import read_result, read_webhook

router = APIRouter(tags=["accounts"])
news_router = APIRouter(prefix="/webhooks/unipile", tags=["inbound"])

_secret = APIKeyHeader(
    name=SECRET_HEADER,
    auto_error=False,
    scheme_name="UnipileSecret",
    description="DRUMBEAT_UNIPILE_WEBHOOK_SECRET, which Unipile was given when it was registered.",
)


def _body(**example: Any) -> dict[str, Any]:
    """In Unipile's words; fields that say nothing to us may stand beside these."""
    schema = {"type": "object", "additionalProperties": True}
    media = {"schema": schema, "example": example}
    return {"requestBody": {"required": True, "content": {"application/json": media}}}


@router.post(
    "/api/accounts/linkedin/connect",
    responses=problems(404, 409, 502, 503),
    dependencies=[SHOWS_SECRET],
)
async def connect_linkedin(
    caller: Connector, services: Services, body: NewLinkedInConnection | None = None
) -> LinkedInConnectAnswer:
    """Get a link at which a person connects their LinkedIn account, or connects it again."""
    asked = body or NewLinkedInConnection()
    url = await services.linkedin.accounts.connect(
        caller, return_to=asked.return_to, account_id=asked.account_id
    )
    return LinkedInConnectAnswer(authorize_url=url)


@news_router.post(
    "",
    responses=problems(401, 422, 503),
    openapi_extra=_body(
        event="new_relation", account_id="fFl27we2", user_provider_id="ACoAAAEkwwAB9KEc2TrQgOLEQ"
    ),
)
async def receive_unipile_news(
    request: Request, services: Services, secret: Annotated[str | None, Depends(_secret)]
) -> UnipileNewsAnswer:
    """Unipile tells of a message, a new connection or the state of an account.

    The secret is checked before the body is read. What was told already is answered 200 like
    what is new; any other answer has Unipile call again.
    """
    services.linkedin.news.check(secret)
    heard = read_webhook(await request.body())
    return UnipileNewsAnswer(is_new=await services.linkedin.news.hear(heard))


@news_router.post(
    "/connected",
    responses=problems(401, 403, 409, 422, 502, 503),
    openapi_extra=_body(status="CREATION_SUCCESS", account_id="fFl27we2", name="a link's name"),
)
async def finish_connecting_linkedin(
    request: Request, services: Services
) -> UnipileConnectedAnswer:
    """Unipile tells that somebody has logged in at a link of ours, whose name works once."""
    result = read_result(await request.body())
    return UnipileConnectedAnswer(account_id=await services.linkedin.accounts.finish(result))
