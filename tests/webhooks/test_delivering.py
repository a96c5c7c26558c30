"""Events reach the webhooks that want them, each at least once."""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from standardwebhooks.webhooks import Webhook
from temporalio.testing import ActivityEnvironment

from activities.webhook_ledger import CLAIM, KEPT_FOR, WebhookLedger
from activities.webhooks import WebhookActivities
from shared.db.models import DeliveryStatus, EventRow, WebhookRow
from shared.keyring import Keyring
from shared.webhooks import SECRET, make_secret
from tests.factories import Company
from tests.fakes.receiver import Receiver
from tests.webhooks.conftest import (
    SECRETS,
    Clock,
    Deliver,
    deliveries,
    make_events,
    make_webhook,
    webhook_of,
)


async def test_an_event_is_heard_and_its_signature_is_good(
    company: Company, keyring: Keyring, receiver: Receiver, deliver: Deliver
) -> None:
    webhook_id = await make_webhook(company, keyring, receiver.url)
    [event] = await make_events(company)
    receiver.answers, receiver.says = [200], "thank you"

    await deliver()

    [heard] = receiver.heard
    message = Webhook(SECRETS[webhook_id]).verify(heard.body, heard.headers)
    assert message["type"] == "action.sent"
    assert message["data"] == {
        "step": 1,
        "company_id": str(company.id),
        "campaign_id": str(event.campaign_id),
    }
    assert datetime.fromisoformat(message["timestamp"]).tzinfo is not None
    assert heard.message_id == str(event.id)
    assert heard.headers["content-type"] == "application/json"
    [delivery] = await deliveries(company)
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.DELIVERED, 1)
    assert (delivery.response_status, delivery.response_body) == (200, "thank you")
    assert delivery.delivered_at is not None
    assert delivery.next_at is None
    assert (await webhook_of(company, webhook_id)).last_success_at is not None


async def test_for_a_day_the_old_secret_signs_as_well(
    *, company: Company, keyring: Keyring, receiver: Receiver, deliver: Deliver, clock: Clock
) -> None:
    webhook_id = await make_webhook(company, keyring, receiver.url)
    old = make_secret()
    sealed = keyring.seal(old, place=SECRET, company_id=company.id, row_id=webhook_id)
    until = clock.now() + timedelta(hours=24)
    async with company.session() as session:
        row = await session.get_one(WebhookRow, webhook_id)
        row.old_secret, row.old_secret_until = sealed, until

    await make_events(company)
    await deliver()
    await make_events(company)
    await deliver(later=timedelta(hours=25))

    first, second = receiver.heard
    for secret in (old, SECRETS[webhook_id]):
        Webhook(secret).verify(first.body, first.headers)
    assert first.headers["webhook-signature"].count("v1,") == 2
    assert second.headers["webhook-signature"].count("v1,") == 1
    assert (await webhook_of(company, webhook_id)).old_secret is None


async def test_another_secret_does_not_verify(
    company: Company, keyring: Keyring, receiver: Receiver, deliver: Deliver
) -> None:
    """Otherwise a good signature above would prove nothing."""
    await make_webhook(company, keyring, receiver.url)
    await make_events(company)

    await deliver()

    [heard] = receiver.heard
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(make_secret()).verify(heard.body, heard.headers)


async def test_each_webhook_hears_what_it_asked_for(
    company: Company, stranger: Company, keyring: Keyring, receiver: Receiver, deliver: Deliver
) -> None:
    wanted = {"all": ["*"], "group": ["campaign.*", "reply.received"], "one": ["action.failed"]}
    for path, events in wanted.items():
        await make_webhook(company, keyring, f"{receiver.url}/{path}", events=events)
    await make_webhook(company, keyring, f"{receiver.url}/off", is_enabled=False)
    await make_webhook(stranger, keyring, f"{receiver.url}/stranger")
    names = ("action.sent", "action.failed", "campaign.paused", "reply.received")
    await make_events(company, *names)

    await deliver()

    heard = {(it.path.rpartition("/")[2], it.message["type"]) for it in receiver.heard}
    assert heard == {
        *(("all", name) for name in names),
        ("group", "campaign.paused"),
        ("group", "reply.received"),
        ("one", "action.failed"),
    }
    assert len(receiver.heard) == 7


async def test_what_happened_before_the_webhook_is_not_told(
    company: Company, keyring: Keyring, receiver: Receiver, deliver: Deliver
) -> None:
    await make_events(company)
    await make_webhook(company, keyring, receiver.url)

    await deliver()

    assert receiver.heard == []
    async with company.session() as session:
        left = select(func.count()).where(EventRow.fanned_out_at.is_(None))
        assert await session.scalar(left.select_from(EventRow)) == 0


async def test_a_worker_that_dies_half_way_loses_nothing(
    company: Company,
    keyring: Keyring,
    receiver: Receiver,
    activities: WebhookActivities,
    deliver: Deliver,
) -> None:
    await make_webhook(company, keyring, receiver.url)
    events = await make_events(company, *["action.sent"] * 8)
    receiver.answers = [204, 204, "hang", "hang", "hang"]
    dying = asyncio.create_task(ActivityEnvironment().run(activities.deliver))
    await receiver.until_heard(5)
    dying.cancel()
    await asyncio.wait([dying])
    receiver.answers = []

    await deliver()
    unsure = [it for it in await deliveries(company) if it.status is DeliveryStatus.PENDING]
    await deliver(later=CLAIM + timedelta(seconds=1))

    assert unsure
    assert {it.status for it in await deliveries(company)} == {DeliveryStatus.DELIVERED}
    assert {it.message_id for it in receiver.heard} == {str(event.id) for event in events}
    assert len({(it.message_id, it.body) for it in receiver.heard}) == len(events)


async def test_a_burst_is_carried_whole_and_each_once(
    company: Company, keyring: Keyring, receiver: Receiver, deliver: Deliver
) -> None:
    """In any order: several are on their way at a time."""
    await make_webhook(company, keyring, receiver.url)
    events = await make_events(company, *["recipient.started"] * 60)

    await deliver()

    assert sorted(it.message_id for it in receiver.heard) == sorted(str(it.id) for it in events)


async def test_the_log_forgets_what_was_settled_long_ago(
    company: Company, keyring: Keyring, receiver: Receiver, deliver: Deliver
) -> None:
    await make_webhook(company, keyring, receiver.url)
    await make_events(company)
    await deliver()

    await deliver(later=KEPT_FOR - timedelta(hours=1))
    assert len(await deliveries(company)) == 1
    await deliver(later=timedelta(hours=2))

    assert await deliveries(company) == []


async def test_a_webhook_that_was_switched_off_meanwhile_is_not_served(
    company: Company, keyring: Keyring, ledger: WebhookLedger, clock: Clock
) -> None:
    webhook_id = await make_webhook(company, keyring, "http://127.0.0.1:1", is_enabled=False)

    assert await ledger.claim(company.id, webhook_id, clock.now(), most=5) is None
