"""/webhooks: what providers call by themselves."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.dependencies import Services
from api.documentation import problems
from api.schemas.provider_webhooks import GmailPush, PushAnswer

router = APIRouter(prefix="/webhooks", tags=["inbound"])

_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="PubSubToken",
    description="Google's OpenID token of the push subscription's service account.",
)
_SCHEMA = GmailPush.model_json_schema()
# In place: this document's definitions are elsewhere.
_SCHEMA["properties"]["message"] = _SCHEMA.pop("$defs")["PushedMessage"]
BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": _SCHEMA}}}}


@router.post("/gmail", responses=problems(401, 403, 422, 503), openapi_extra=BODY)
async def receive_gmail_push(
    request: Request,
    services: Services,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> PushAnswer:
    """Google's Pub/Sub tells that a mailbox has changed, and it is read at once.

    The token is checked before the body is read. What was read already is answered 200 like what
    is new; any other answer has Pub/Sub call again.
    """
    await services.pushes.check(bearer.credentials if bearer else None)
    news = GmailPush.read(await request.body()).news()
    return PushAnswer(mailboxes=await services.pushes.ring(news.email_address, news.history_id))
