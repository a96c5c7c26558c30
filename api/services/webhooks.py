"""Where a company wants to hear of its events, and what became of each message."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from api.callers import Caller
from api.services.versions import must_match
from shared.db.models import DeliveryStatus, WebhookDeliveryRow, WebhookRow
from shared.db.session import Database
from shared.errors import Conflict, NotFound
from shared.keyring import Keyring
from shared.webhooks import SECRET, TEST_EVENT, Destinations, make_secret

MOST_WEBHOOKS = 50
# How long a receiver has for taking up a new secret.
BOTH_SIGN_FOR = timedelta(hours=24)


class WebhookService:
    def __init__(self, *, database: Database, keyring: Keyring, destinations: Destinations) -> None:
        self._database = database
        self._keyring = keyring
        self._destinations = destinations

    async def create(self, caller: Caller, fields: Mapping[str, Any]) -> tuple[WebhookRow, str]:
        """The row and the secret, which is kept sealed and not shown again."""
        await self._destinations.check(fields["url"])
        webhook = WebhookRow(id=uuid7(), created_by=caller.user_id, failures=0, **fields)
        secret = make_secret()
        webhook.secret = self._seal(caller, webhook.id, secret)
        async with self._database.company_session(caller.company_id) as session:
            number = await session.scalar(select(func.count()).select_from(WebhookRow))
            if (number or 0) >= MOST_WEBHOOKS:
                raise Conflict(f"There are {MOST_WEBHOOKS} webhooks already: delete one first")
            session.add(webhook)
            await session.flush()
            await session.refresh(webhook)
        return webhook, secret

    async def list_webhooks(
        self, caller: Caller, *, limit: int, after: UUID | None
    ) -> Sequence[WebhookRow]:
        """Newest first, one more than asked for if there are more."""
        query = select(WebhookRow).order_by(WebhookRow.id.desc()).limit(limit + 1)
        if after:
            query = query.where(WebhookRow.id < after)
        async with self._database.company_session(caller.company_id) as session:
            return (await session.scalars(query)).all()

    async def get(self, caller: Caller, webhook_id: UUID) -> WebhookRow:
        async with self._database.company_session(caller.company_id) as session:
            return await _get(session, webhook_id)

    async def change(
        self, caller: Caller, webhook_id: UUID, fields: Mapping[str, Any], *, expected: str | None
    ) -> WebhookRow:
        """Switching it on again forgets its failures."""
        known = await self.get(caller, webhook_id)
        # Looking a name up takes its time, so no transaction waits for it.
        if fields.get("url", known.url) != known.url:
            await self._destinations.check(fields["url"])
        async with self._database.company_session(caller.company_id) as session:
            webhook = await _get(session, webhook_id, is_locked=True)
            must_match(webhook, expected)
            if fields.get("is_enabled") and not webhook.is_enabled:
                webhook.disabled_reason = None
                webhook.failures = 0
                webhook.failing_since = webhook.resting_until = None
            for name, value in fields.items():
                setattr(webhook, name, value)
            await session.flush()
            await session.refresh(webhook)
            return webhook

    async def rotate_secret(self, caller: Caller, webhook_id: UUID) -> tuple[WebhookRow, str]:
        """A new secret. The one before it signs as well, for a day from now on."""
        secret = make_secret()
        async with self._database.company_session(caller.company_id) as session:
            webhook = await _get(session, webhook_id, is_locked=True)
            webhook.old_secret = webhook.secret
            webhook.old_secret_until = datetime.now(UTC) + BOTH_SIGN_FOR
            webhook.secret = self._seal(caller, webhook_id, secret)
            await session.flush()
            await session.refresh(webhook)
        return webhook, secret

    async def delete(self, caller: Caller, webhook_id: UUID) -> None:
        """With its log, and with what still waits."""
        async with self._database.company_session(caller.company_id) as session:
            await session.delete(await _get(session, webhook_id, is_locked=True))

    async def list_deliveries(
        self,
        caller: Caller,
        webhook_id: UUID,
        *,
        status: DeliveryStatus | None,
        limit: int,
        after: UUID | None,
    ) -> Sequence[WebhookDeliveryRow]:
        """Newest first, one more than asked for if there are more."""
        query = (
            select(WebhookDeliveryRow)
            .where(WebhookDeliveryRow.webhook_id == webhook_id)
            .order_by(WebhookDeliveryRow.id.desc())
            .limit(limit + 1)
        )
        if status:
            query = query.where(WebhookDeliveryRow.status == status)
        if after:
            query = query.where(WebhookDeliveryRow.id < after)
        async with self._database.company_session(caller.company_id) as session:
            await _get(session, webhook_id)
            return (await session.scalars(query)).all()

    async def redeliver(
        self, caller: Caller, webhook_id: UUID, delivery_id: UUID
    ) -> WebhookDeliveryRow:
        """Have the same message sent once more, with all its attempts before it."""
        async with self._database.company_session(caller.company_id) as session:
            await _get_enabled(session, webhook_id)
            delivery: WebhookDeliveryRow | None = await session.scalar(
                select(WebhookDeliveryRow)
                .where(
                    WebhookDeliveryRow.id == delivery_id,
                    WebhookDeliveryRow.webhook_id == webhook_id,
                )
                .with_for_update()
            )
            if delivery is None:
                raise NotFound(f"Delivery {delivery_id} is not there")
            delivery.status = DeliveryStatus.PENDING
            delivery.attempts = 0
            delivery.next_at = datetime.now(UTC)
            delivery.delivered_at = None
        return delivery

    async def test(self, caller: Caller, webhook_id: UUID) -> WebhookDeliveryRow:
        """Have a message without meaning sent, whatever events the webhook wants."""
        async with self._database.company_session(caller.company_id) as session:
            await _get_enabled(session, webhook_id)
            now = datetime.now(UTC)
            delivery = WebhookDeliveryRow(
                webhook_id=webhook_id,
                event_id=uuid7(),
                event=TEST_EVENT,
                data={"company_id": str(caller.company_id)},
                occurred_at=now,
                next_at=now,
            )
            session.add(delivery)
            await session.flush()
            await session.refresh(delivery)
            return delivery

    def _seal(self, caller: Caller, webhook_id: UUID, secret: str) -> bytes:
        return self._keyring.seal(
            secret, place=SECRET, company_id=caller.company_id, row_id=webhook_id
        )


async def _get(session: AsyncSession, webhook_id: UUID, *, is_locked: bool = False) -> WebhookRow:
    webhook = await session.get(WebhookRow, webhook_id, with_for_update=is_locked)
    if webhook is None:
        raise NotFound(f"Webhook {webhook_id} is not there")
    return webhook


async def _get_enabled(session: AsyncSession, webhook_id: UUID) -> WebhookRow:
    webhook = await _get(session, webhook_id)
    if not webhook.is_enabled:
        raise Conflict("The webhook is switched off: switch it on first")
    return webhook
