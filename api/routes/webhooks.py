"""/api/webhooks: events on their way to other systems."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response, status

from api.dependencies import SHOWS_SECRET, Reader, Services, Writer
from api.documentation import problems
from api.etags import IfMatch, show_version
from api.schemas.paging import USUAL_PAGE, Cursor, Limit, Page, make_page, read_cursor
from api.schemas.webhooks import (
    DeliveryAnswer,
    NewWebhook,
    NewWebhookAnswer,
    WebhookAnswer,
    WebhookChange,
)
from shared.db.models import DeliveryStatus, WebhookRow

router = APIRouter(prefix="/api/webhooks", tags=["webhooks"])


@router.post(
    "", status_code=status.HTTP_201_CREATED, responses=problems(409), dependencies=[SHOWS_SECRET]
)
async def create_webhook(body: NewWebhook, caller: Writer, services: Services) -> NewWebhookAnswer:
    """Have events sent to an address, signed as standardwebhooks.com specifies.

    Each is a POST of {type, timestamp, data}. What answers 2xx has got it; all else is tried
    again, for two days. It may come twice, with the same `webhook-id`, and in any order.
    """
    return _with_secret(*await services.webhooks.create(caller, body.model_dump()))


@router.get("")
async def list_webhooks(
    caller: Reader, services: Services, limit: Limit = USUAL_PAGE, cursor: Cursor = None
) -> Page[WebhookAnswer]:
    """The company's webhooks, newest first."""
    after = read_cursor(cursor)
    rows = await services.webhooks.list_webhooks(caller, limit=limit, after=after)
    return make_page(rows, limit, WebhookAnswer.model_validate)


@router.get("/{webhook_id}", responses=problems(404))
async def get_webhook(
    webhook_id: UUID, caller: Reader, services: Services, response: Response
) -> WebhookAnswer:
    """One webhook, and how it is doing."""
    row = await services.webhooks.get(caller, webhook_id)
    show_version(response, row)
    return WebhookAnswer.model_validate(row)


@router.put("/{webhook_id}", responses=problems(404, 412))
async def update_webhook(
    *,
    webhook_id: UUID,
    body: WebhookChange,
    caller: Writer,
    services: Services,
    response: Response,
    if_match: IfMatch = None,
) -> WebhookAnswer:
    """Change the fields that are given. One that was switched off can be switched on again."""
    fields = body.model_dump(exclude_unset=True)
    row = await services.webhooks.change(caller, webhook_id, fields, expected=if_match)
    show_version(response, row)
    return WebhookAnswer.model_validate(row)


@router.post(
    "/{webhook_id}/rotate-secret", responses=problems(404, 409), dependencies=[SHOWS_SECRET]
)
async def rotate_webhook_secret(
    webhook_id: UUID, caller: Writer, services: Services
) -> NewWebhookAnswer:
    """Get a new secret, at once in use. For 24 hours the one before it signs every message too.

    `webhook-signature` then has two signatures with a space between; one that fits is enough.
    Changing it again meanwhile ends the one before the last.
    """
    return _with_secret(*await services.webhooks.rotate_secret(caller, webhook_id))


@router.delete("/{webhook_id}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(404))
async def delete_webhook(webhook_id: UUID, caller: Writer, services: Services) -> None:
    """Send nothing more, and forget its log."""
    await services.webhooks.delete(caller, webhook_id)


@router.get("/{webhook_id}/deliveries", responses=problems(404))
async def list_webhook_deliveries(
    *,
    webhook_id: UUID,
    caller: Reader,
    services: Services,
    only: Annotated[
        DeliveryStatus | None, Query(alias="status", description="Only those in this status.")
    ] = None,
    limit: Limit = USUAL_PAGE,
    cursor: Cursor = None,
) -> Page[DeliveryAnswer]:
    """What was sent or waits, newest first, with the last answer. Kept for thirty days."""
    rows = await services.webhooks.list_deliveries(
        caller, webhook_id, status=only, limit=limit, after=read_cursor(cursor)
    )
    return make_page(rows, limit, DeliveryAnswer.model_validate)


@router.post(
    "/{webhook_id}/deliveries/{delivery_id}/redeliver",
    status_code=status.HTTP_202_ACCEPTED,
    responses=problems(404, 409),
)
async def redeliver_webhook_delivery(
    webhook_id: UUID, delivery_id: UUID, caller: Writer, services: Services
) -> DeliveryAnswer:
    """Send the same message once more, with the same `webhook-id`, in a moment."""
    row = await services.webhooks.redeliver(caller, webhook_id, delivery_id)
    return DeliveryAnswer.model_validate(row)


@router.post(
    "/{webhook_id}/test", status_code=status.HTTP_202_ACCEPTED, responses=problems(404, 409)
)
async def test_webhook(webhook_id: UUID, caller: Writer, services: Services) -> DeliveryAnswer:
    """Send the event `webhook.test`; its delivery tells in a moment how it went."""
    return DeliveryAnswer.model_validate(await services.webhooks.test(caller, webhook_id))


def _with_secret(row: WebhookRow, secret: str) -> NewWebhookAnswer:
    shown = WebhookAnswer.model_validate(row).model_dump()
    return NewWebhookAnswer(**shown, secret=secret)
