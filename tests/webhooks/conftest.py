"""A receiver of events, and the carrier with a clock that a test sets."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from temporalio.testing import ActivityEnvironment
from uuid_utils.compat import uuid7

from activities.webhook_calls import WebhookCaller
from activities.webhook_ledger import WebhookLedger
from activities.webhooks import WebhookActivities
from shared.db.models import EventRow, WebhookDeliveryRow, WebhookRow
from shared.db.session import Database
from shared.domain.webhooks import Patience
from shared.keyring import Keyring
from shared.webhooks import SECRET, Destinations, make_secret
from tests.factories import Company
from tests.fakes.receiver import Receiver, running_receiver

PATIENCE = Patience(retries=(timedelta(seconds=5), timedelta(seconds=30)), bears=3)
SECRETS: dict[UUID, str] = {}


class Clock:
    """The time of the carrier; the rows' own begin when they are written."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with running_receiver() as receiver:
        yield receiver


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def caller() -> AsyncIterator[WebhookCaller]:
    caller = WebhookCaller(Destinations(is_private_allowed=True), seconds=20)
    yield caller
    await caller.close()


Deliver = Callable[..., Awaitable[None]]


@pytest.fixture
def ledger(database: Database) -> WebhookLedger:
    return WebhookLedger(database=database, patience=PATIENCE)


@pytest.fixture
def activities(
    ledger: WebhookLedger, keyring: Keyring, caller: WebhookCaller, clock: Clock
) -> WebhookActivities:
    return WebhookActivities(
        ledger=ledger, keyring=keyring, caller=caller, clock=clock.now, seconds=0.2, pause=0.02
    )


@pytest.fixture
def deliver(activities: WebhookActivities, ledger: WebhookLedger, clock: Clock) -> Deliver:
    """As many turns as it takes until nothing is left to do, a while later."""

    async def go(*, later: timedelta = timedelta()) -> None:
        clock.ahead += later
        for _ in range(500):
            await ActivityEnvironment().run(activities.deliver)
            events, due = await ledger.look(clock.now(), most=1_000)
            if not events and not any(it.id in SECRETS for it in due):
                return
        raise AssertionError("there is always more to do")

    return go


async def make_webhook(company: Company, keyring: Keyring, url: str, **more: Any) -> UUID:
    webhook = WebhookRow(id=uuid7(), url=url, **{"events": ["*"], **more})
    SECRETS[webhook.id] = make_secret()
    webhook.secret = keyring.seal(
        SECRETS[webhook.id], place=SECRET, company_id=company.id, row_id=webhook.id
    )
    async with company.session() as session:
        session.add(webhook)
    return webhook.id


async def make_events(company: Company, *names: str) -> list[EventRow]:
    events = [
        EventRow(id=uuid7(), name=name, campaign_id=uuid7(), payload={"step": 1})
        for name in names or ("action.sent",)
    ]
    async with company.session() as session:
        session.add_all(events)
    return events


async def deliveries(company: Company) -> list[WebhookDeliveryRow]:
    async with company.session() as session:
        rows = select(WebhookDeliveryRow).order_by(WebhookDeliveryRow.created_at)
        return list(await session.scalars(rows))


async def webhook_of(company: Company, webhook_id: UUID) -> WebhookRow:
    async with company.session() as session:
        return await session.get_one(WebhookRow, webhook_id)
