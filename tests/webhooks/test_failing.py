"""What is done about receivers that fail, are slow, are gone, or should not be called."""

import asyncio
from datetime import timedelta

import pytest
from standardwebhooks.webhooks import Webhook
from temporalio.testing import ActivityEnvironment

from activities.webhook_calls import WebhookCaller
from activities.webhook_ledger import WebhookLedger
from activities.webhooks import WebhookActivities
from shared.db.models import DeliveryStatus, WebhookRow
from shared.keyring import Keyring
from shared.webhooks import Destinations
from tests.factories import Company
from tests.fakes.receiver import Receiver, running_receiver
from tests.webhooks.conftest import (
    SECRETS,
    Clock,
    Deliver,
    deliveries,
    make_events,
    make_webhook,
    webhook_of,
)


async def test_a_receiver_that_fails_hears_the_same_message_again(
    company: Company, keyring: Keyring, receiver: Receiver, deliver: Deliver
) -> None:
    webhook_id = await make_webhook(company, keyring, receiver.url)
    await make_events(company)
    receiver.answers, receiver.says = [503, "close"], "e" * 3_000

    await deliver()
    [delivery] = await deliveries(company)
    assert (delivery.status, delivery.response_status) == (DeliveryStatus.PENDING, 503)
    assert delivery.response_body == "e" * 1_024
    await deliver(later=timedelta(seconds=6))
    [delivery] = await deliveries(company)
    assert (delivery.response_status, delivery.attempts) == (None, 2)
    assert delivery.error == "It closed the connection, or did not answer in HTTP"
    assert (await webhook_of(company, webhook_id)).failures == 2
    await deliver(later=timedelta(seconds=31))

    assert len(receiver.heard) == 3
    assert len({(it.message_id, it.body) for it in receiver.heard}) == 1
    verify = Webhook(SECRETS[webhook_id]).verify
    assert [verify(it.body, it.headers)["type"] for it in receiver.heard] == ["action.sent"] * 3
    [delivery] = await deliveries(company)
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.DELIVERED, 3)
    healthy = await webhook_of(company, webhook_id)
    assert (healthy.failures, healthy.failing_since) == (0, None)


async def test_no_attempt_comes_before_its_time(
    company: Company, keyring: Keyring, receiver: Receiver, deliver: Deliver
) -> None:
    await make_webhook(company, keyring, receiver.url)
    await make_events(company)
    receiver.answers = [500, 500, 500]

    await deliver()
    await deliver(later=timedelta(seconds=3))

    assert len(receiver.heard) == 1


async def test_after_its_last_attempt_a_message_has_failed(
    company: Company, keyring: Keyring, receiver: Receiver, deliver: Deliver
) -> None:
    await make_webhook(company, keyring, receiver.url)
    await make_events(company)
    receiver.answers = [500] * 9

    for later in (0, 6, 31, 3_600):
        await deliver(later=timedelta(seconds=later))

    [delivery] = await deliveries(company)
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.FAILED, 3)
    assert delivery.next_at is None
    assert len(receiver.heard) == 3


async def test_a_receiver_that_fails_again_and_again_gets_a_rest(
    company: Company, keyring: Keyring, receiver: Receiver, deliver: Deliver
) -> None:
    webhook_id = await make_webhook(company, keyring, receiver.url)
    await make_events(company, *["action.sent"] * 20)
    receiver.answers = [500] * 100

    await deliver()

    tired = await webhook_of(company, webhook_id)
    assert tired.resting_until is not None
    calls = len(receiver.heard)
    assert calls < 10
    await deliver(later=timedelta(seconds=1))
    assert len(receiver.heard) == calls
    receiver.answers = []
    await deliver(later=timedelta(minutes=2))
    assert {it.status for it in await deliveries(company)} == {DeliveryStatus.DELIVERED}


async def test_410_switches_the_webhook_off(
    company: Company, keyring: Keyring, receiver: Receiver, deliver: Deliver
) -> None:
    webhook_id = await make_webhook(company, keyring, receiver.url)
    await make_events(company)
    receiver.answers = [410]

    await deliver()
    await make_events(company)
    await deliver(later=timedelta(days=1))

    webhook = await webhook_of(company, webhook_id)
    assert not webhook.is_enabled
    assert webhook.disabled_reason == "It answered 410 Gone: it wants no more events"
    assert len(receiver.heard) == 1
    assert [it.status for it in await deliveries(company)] == [DeliveryStatus.FAILED]


async def test_days_of_failures_switch_the_webhook_off(
    company: Company, keyring: Keyring, receiver: Receiver, deliver: Deliver
) -> None:
    webhook_id = await make_webhook(company, keyring, receiver.url)
    await make_events(company, "action.sent", "action.sent")
    receiver.answers = [500] * 9

    await deliver()
    assert (await webhook_of(company, webhook_id)).is_enabled
    await deliver(later=timedelta(days=6))

    webhook = await webhook_of(company, webhook_id)
    assert not webhook.is_enabled
    assert str(webhook.disabled_reason).startswith("Every attempt since 20")


async def test_a_slow_receiver_is_not_waited_for_and_does_not_hold_up_another(
    *,
    company: Company,
    stranger: Company,
    keyring: Keyring,
    receiver: Receiver,
    caller: WebhookCaller,
    deliver: Deliver,
) -> None:
    caller._seconds = 2
    await make_webhook(company, keyring, f"{receiver.url}/slow")
    await make_events(company)
    receiver.answers = ["hang"]
    async with running_receiver() as quick:
        await make_webhook(stranger, keyring, quick.url)
        await make_events(stranger, *["action.sent"] * 12)

        await deliver()

        assert len(quick.heard) == 12
    [delivery] = await deliveries(company)
    assert delivery.error == "It did not answer within 2 s"
    assert delivery.status is DeliveryStatus.PENDING


@pytest.mark.parametrize("status", [301, 307])
async def test_a_redirect_is_not_followed(
    company: Company, keyring: Keyring, receiver: Receiver, deliver: Deliver, status: int
) -> None:
    await make_webhook(company, keyring, receiver.url)
    await make_events(company)
    receiver.answers = [status]

    await deliver()

    [delivery] = await deliveries(company)
    assert (delivery.status, delivery.response_status) == (DeliveryStatus.PENDING, status)


async def test_a_private_address_is_refused_when_it_is_called(
    company: Company, keyring: Keyring, receiver: Receiver, ledger: WebhookLedger, clock: Clock
) -> None:
    """Its name may have meant something else when it was entered."""
    for host in ("127.0.0.1", "localhost"):
        await make_webhook(company, keyring, f"http://{host}:{receiver.port}/hook")
    await make_events(company)
    guarded = WebhookCaller(Destinations())
    activities = WebhookActivities(
        ledger=ledger, keyring=keyring, caller=guarded, clock=clock.now, seconds=1, pause=0.02
    )

    await ActivityEnvironment().run(activities.deliver)
    await guarded.close()

    assert receiver.heard == []
    errors = {it.error for it in await deliveries(company)}
    assert errors == {"The address lies in a private network, where we do not go"}


async def test_a_lost_key_is_said_and_stops_nobody_else(
    company: Company, stranger: Company, keyring: Keyring, receiver: Receiver, deliver: Deliver
) -> None:
    webhook_id = await make_webhook(company, keyring, receiver.url)
    async with company.session() as session:
        (await session.get_one(WebhookRow, webhook_id)).secret = b"k9\x00unknown"
    await make_webhook(stranger, keyring, receiver.url)
    for each in (company, stranger):
        await make_events(each)

    await deliver()

    assert [it.message["data"]["company_id"] for it in receiver.heard] == [str(stranger.id)]
    [delivery] = await deliveries(company)
    assert "secret does not open" in str(delivery.error)


async def test_a_name_that_nobody_knows_is_said(
    company: Company, keyring: Keyring, deliver: Deliver
) -> None:
    await make_webhook(company, keyring, "http://nowhere.invalid/hook")
    await make_webhook(company, keyring, "http://127.0.0.1:1/hook")
    await make_events(company)

    await deliver()

    errors = {it.error for it in await deliveries(company)}
    assert errors == {
        "Nobody knows its name (DNS)",
        "It takes no connection, or its certificate is not good",
    }


async def test_a_connection_that_breaks_is_tried_again(
    company: Company, keyring: Keyring, receiver: Receiver, deliver: Deliver
) -> None:
    await make_webhook(company, keyring, receiver.url)
    await make_events(company)
    receiver.answers = ["reset"]

    await deliver()
    [broken] = await deliveries(company)
    await deliver(later=timedelta(seconds=6))

    assert str(broken.error).startswith("It closed the connection")
    assert [it.status for it in await deliveries(company)] == [DeliveryStatus.DELIVERED]


async def test_every_address_of_a_name_is_tried(receiver: Receiver) -> None:
    class TwoAddresses(Destinations):
        async def find(self, host: str, port: int) -> list[str]:
            return ["::1", "127.0.0.1"]

    caller = WebhookCaller(TwoAddresses())
    result = await caller.post(receiver.url, headers={}, body="{}")
    await caller.close()

    assert result.is_accepted


async def test_a_webhook_that_is_deleted_while_it_is_called_is_forgotten(
    company: Company, keyring: Keyring, receiver: Receiver, activities: WebhookActivities
) -> None:
    webhook_id = await make_webhook(company, keyring, receiver.url)
    await make_events(company)
    receiver.answers = ["hang"]
    delivering = asyncio.create_task(ActivityEnvironment().run(activities.deliver))
    await receiver.until_heard(1)
    async with company.session() as session:
        await session.delete(await session.get_one(WebhookRow, webhook_id))
    receiver.released.set()

    await delivering

    assert await deliveries(company) == []
