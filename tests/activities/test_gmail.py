"""Sending once: real Postgres, the real client, and a fake Gmail on the wire."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio.exceptions import ApplicationError

from shared.contracts.recipient import ActionOrder
from shared.db.models import AccountRow, ActionStatus, CampaignRow, LeadRow, RecipientRow
from shared.db.models.accounts import AccountStatus
from shared.db.models.campaigns import CampaignStatus
from shared.db.repositories import ledger
from shared.domain.leads import LeadStatus
from shared.domain.recipient import EndReason, Finished, HoldReason, Parked, Planned
from tests.activities.conftest import Send
from tests.factories import NOON, Company
from tests.fakes.gmail import FakeGmail

LATER = NOON + timedelta(minutes=1)
THIRD_DAY = NOON + timedelta(days=3)


async def test_a_mail_is_sent_and_the_next_one_is_planned(
    send: Send, order: ActionOrder, gmail: FakeGmail, company: Company
) -> None:
    outcome = await send(order)

    [mail], [action] = gmail.sent, await company.actions()
    assert isinstance(outcome, Planned)
    assert outcome.at == THIRD_DAY
    assert (action.status, action.settled_at) == (ActionStatus.SENT, NOON)
    assert (action.provider_id, action.thread_id) == (mail.id, mail.thread_id)
    assert mail.headers["To"].startswith("ada-")
    assert "Hello Ada" in mail.headers.get_content()
    recipient = await company.recipient(order.recipient_id)
    assert (recipient.current_step, recipient.next_at) == (1, THIRD_DAY)
    async with company.session() as session:
        assert (await session.get_one(LeadRow, recipient.lead_id)).status is LeadStatus.CONTACTED


async def test_a_follow_up_goes_into_the_same_thread(
    send: Send, order: ActionOrder, gmail: FakeGmail, company: Company
) -> None:
    second = await send(order)
    assert isinstance(second, Planned)
    await send(replace(order, step_id=second.step_id), THIRD_DAY)

    first_mail, follow_up = gmail.sent
    assert follow_up.thread_id == first_mail.thread_id
    assert follow_up.headers["Subject"] == "Re: Hello"
    # The Message-ID that Gmail gave it, which is not ours.
    assert follow_up.headers["In-Reply-To"] == first_mail.message_id
    assert follow_up.headers["References"] == first_mail.message_id
    assert [a.message_id for a in await company.actions()] == [first_mail.message_id, None]


async def test_a_short_rate_limit_is_a_retry(
    send: Send, order: ActionOrder, gmail: FakeGmail
) -> None:
    gmail.rate_limit(datetime.now(UTC) + timedelta(seconds=20), on="drafts.create")

    with pytest.raises(ApplicationError) as raised:
        await send(order)
    await send(order, LATER)

    assert raised.value.next_retry_delay is not None
    assert len(gmail.sent) == 1


async def test_a_long_rate_limit_is_a_plan_and_holds_the_account(
    send: Send, order: ActionOrder, gmail: FakeGmail, company: Company
) -> None:
    gmail.rate_limit(datetime.now(UTC) + timedelta(hours=2), on="drafts.send")

    outcome = await send(order)

    assert isinstance(outcome, Planned)
    wait = outcome.at - NOON
    assert timedelta(hours=1, minutes=59) < wait <= timedelta(hours=2, seconds=2)
    async with company.session() as session:
        account = await session.get_one(AccountRow, company.account_id)
    assert account.blocked_until is not None
    assert await send(order, outcome.at) != outcome
    assert len(gmail.sent) == 1


async def test_an_impossible_address_ends_the_recipient(
    send: Send, order: ActionOrder, gmail: FakeGmail, company: Company
) -> None:
    gmail.fail(400, "Invalid To header", reason="invalidArgument", on="drafts.create")

    assert await send(order) == Finished(reason=EndReason.REFUSED)
    assert await send(order, LATER) == Finished(reason=EndReason.REFUSED)
    [action] = await company.actions()
    assert action.status is ActionStatus.REFUSED
    assert action.refusal
    assert gmail.sent == []


async def test_a_logged_out_account_parks_its_recipients_and_says_so(
    send: Send, order: ActionOrder, gmail: FakeGmail, company: Company
) -> None:
    gmail.expired_tokens |= {f"token-{number}" for number in range(1, 5)}

    assert await send(order) == Parked(reason=HoldReason.ACCOUNT_DOWN)
    async with company.session() as session:
        account = await session.get_one(AccountRow, company.account_id)
        assert account.status is AccountStatus.NEEDS_ATTENTION
        assert account.status_reason
        account.status = AccountStatus.ACTIVE
    await send(order, LATER)
    assert len(gmail.sent) == 1


async def test_the_rows_have_the_last_word_before_a_mail_leaves(
    send: Send, order: ActionOrder, gmail: FakeGmail, company: Company
) -> None:
    early = await send(order, NOON - timedelta(hours=1))
    assert isinstance(early, Planned)
    assert early.at == NOON

    recipient = await company.recipient(order.recipient_id)
    async with company.session() as session:
        campaign = await session.get_one(CampaignRow, recipient.campaign_id)
        campaign.status = CampaignStatus.PAUSED
    assert await send(order) == Parked(reason=HoldReason.CAMPAIGN_PAUSED)

    await company.suppress(recipient.lead_id)
    assert await send(order) == Finished(reason=EndReason.SUPPRESSED)
    assert gmail.sent == []


async def test_a_missing_value_parks_and_sends_no_hole(
    send: Send, company: Company, gmail: FakeGmail
) -> None:
    order = await company.make_order(await company.make_campaign(text="In {{ lead.city }}"))

    assert await send(order) == Parked(reason=HoldReason.CONTENT)
    [action] = await company.actions()
    assert (action.status, gmail.drafts) == (ActionStatus.ABANDONED, {})
    assert "city" in (action.refusal or "")
    recipient = await company.recipient(order.recipient_id)
    async with company.session() as session:
        (await session.get_one(LeadRow, recipient.lead_id)).city = "Berlin"
    await send(order, LATER)
    [mail] = gmail.sent
    assert "In Berlin" in mail.headers.get_content()


async def test_an_account_that_has_done_enough_for_a_day_waits(
    send: Send, company: Company, gmail: FakeGmail
) -> None:
    async with company.session() as session:
        (await session.get_one(AccountRow, company.account_id)).daily_limit = 2
    campaign = await company.make_campaign()
    orders = [await company.make_order(campaign) for _ in range(3)]
    *_, third = [await send(order, NOON + timedelta(minutes=i)) for i, order in enumerate(orders)]

    assert len(gmail.sent) == 2
    assert isinstance(third, Planned)
    assert third.at == NOON + timedelta(days=1)
    await send(orders[2], third.at + timedelta(seconds=1))
    assert len(gmail.sent) == 3


async def test_an_erased_lead_is_over(
    send: Send, order: ActionOrder, gmail: FakeGmail, company: Company
) -> None:
    async with company.session() as session:
        await session.delete(await session.get_one(RecipientRow, order.recipient_id))

    assert await send(order) == Finished(reason=EndReason.REMOVED)
    assert gmail.sent == []


async def test_the_last_recipient_completes_the_campaign(send: Send, company: Company) -> None:
    campaign = await company.make_campaign(waits=[0])
    one, two = [await company.make_order(campaign) for _ in range(2)]

    async def status() -> CampaignStatus:
        async with company.session() as session:
            return (await session.get_one(CampaignRow, campaign.id)).status

    assert await send(one) == Finished(reason=EndReason.COMPLETED)
    assert await status() is CampaignStatus.ACTIVE
    await send(two)
    assert await status() is CampaignStatus.COMPLETED


async def test_two_who_end_at_once_complete_the_campaign(
    send: Send, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither has committed when the other looks whether anybody is open."""
    campaign = await company.make_campaign(waits=[0])
    orders = [await company.make_order(campaign) for _ in range(2)]
    look, both = ledger.complete_if_last, asyncio.Barrier(2)

    async def look_and_wait(connection: AsyncConnection, campaign_id: UUID) -> None:
        await look(connection, campaign_id)
        with suppress(TimeoutError, asyncio.BrokenBarrierError):
            await asyncio.wait_for(both.wait(), 0.5)

    monkeypatch.setattr(ledger, "complete_if_last", look_and_wait)
    await asyncio.gather(*map(send, orders))

    async with company.session() as session:
        status = (await session.get_one(CampaignRow, campaign.id)).status
    assert status is CampaignStatus.COMPLETED
