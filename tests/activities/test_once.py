"""Once only: whatever is lost, repeated, late or changed on the way, one mail or none."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update

from shared.contracts.recipient import ActionOrder
from shared.db.models import ActionStatus, CampaignRow, RecipientRow, StepRow
from shared.db.models.campaigns import CampaignStatus
from shared.db.repositories.versions import publish_version
from shared.domain.recipient import EndReason, Finished, HoldReason, Parked, Planned
from shared.errors import ProviderError
from tests.activities.conftest import Send, at
from tests.factories import NOON, Campaign, Company
from tests.fakes.gmail import FakeGmail
from workflows.parts import Parts

LATER = NOON + timedelta(minutes=1)
THIRD_DAY = NOON + timedelta(days=3)


async def test_a_retry_never_sends_twice(send: Send, order: ActionOrder, gmail: FakeGmail) -> None:
    first = await send(order)
    again = await send(order, LATER)

    assert again == first
    assert len(gmail.sent) == 1


@pytest.mark.parametrize("operation", ["drafts.create", "drafts.send"])
async def test_an_answer_lost_on_the_way_still_means_one_mail(
    send: Send, order: ActionOrder, gmail: FakeGmail, company: Company, operation: str
) -> None:
    gmail.lose_answer(on=operation)

    with pytest.raises(ProviderError):
        await send(order)
    outcome = await send(order, LATER)

    [action], [mail] = await company.actions(), gmail.sent
    assert action.provider_id == mail.id
    assert isinstance(outcome, Planned)


async def test_two_attempts_at_once_send_one_mail(
    send: Send, order: ActionOrder, gmail: FakeGmail
) -> None:
    gmail.drafting = asyncio.Barrier(2)

    await asyncio.gather(send(order), send(order), return_exceptions=True)
    await send(order, LATER)

    assert len(gmail.sent) == 1
    assert gmail.drafts == {}


async def test_a_mail_that_nobody_can_account_for_waits_for_a_person(
    send: Send, order: ActionOrder, gmail: FakeGmail, company: Company
) -> None:
    gmail.be_down(on="drafts.send")
    with pytest.raises(ProviderError):
        await send(order)
    gmail.drafts.clear()  # a person deleted it in the mailbox

    assert await send(order, LATER) == Parked(reason=HoldReason.UNCONFIRMED)
    assert await send(order, LATER) == Parked(reason=HoldReason.UNCONFIRMED)
    assert gmail.sent == []
    [action] = await company.actions()
    assert action.status is ActionStatus.UNCONFIRMED


@pytest.mark.parametrize("operation", ["drafts.create", "drafts.send"])
async def test_an_outage_is_an_exception_and_the_retry_sends(
    send: Send, order: ActionOrder, gmail: FakeGmail, operation: str
) -> None:
    gmail.be_down(on=operation)

    with pytest.raises(ProviderError):
        await send(order)
    await send(order, LATER)

    assert len(gmail.sent) == 1


async def test_what_is_known_before_the_draft_is_kept_stops_the_mail(
    send: Send, order: ActionOrder, gmail: FakeGmail, company: Company
) -> None:
    """A reply arrives while the draft is being made: after the reserve, before the last check."""
    gmail.drafting = asyncio.Barrier(2)
    sending = asyncio.ensure_future(send(order))
    await _until_reserved(company)
    async with company.session() as session:
        row = await session.get_one(RecipientRow, order.recipient_id)
        row.end_reason, row.ended_at = EndReason.REPLIED, NOON
    await gmail.drafting.wait()

    assert await sending == Finished(reason=EndReason.REPLIED)
    assert (gmail.sent, gmail.drafts) == ([], {})
    [action] = await company.actions()
    assert action.status is ActionStatus.ABANDONED


async def test_an_attempt_that_finds_its_recipient_ended_settles_what_it_began(
    send: Send, order: ActionOrder, gmail: FakeGmail, company: Company
) -> None:
    gmail.lose_answer(on="drafts.send")
    with pytest.raises(ProviderError):
        await send(order)
    async with company.session() as session:
        row = await session.get_one(RecipientRow, order.recipient_id)
        row.end_reason, row.ended_at = EndReason.REPLIED, NOON

    assert await send(order, LATER) == Finished(reason=EndReason.REPLIED)
    [action] = await company.actions()
    assert action.status is ActionStatus.SENT


async def test_a_draft_that_nobody_wants_any_more_is_deleted(
    send: Send, order: ActionOrder, gmail: FakeGmail, company: Company
) -> None:
    gmail.lose_request(on="drafts.send")
    with pytest.raises(ProviderError):
        await send(order)
    assert len(gmail.drafts) == 1
    async with company.session() as session:
        row = await session.get_one(RecipientRow, order.recipient_id)
        row.end_reason, row.ended_at = EndReason.REPLIED, NOON

    assert await send(order, LATER) == Finished(reason=EndReason.REPLIED)
    assert (gmail.sent, gmail.drafts) == ([], {})
    [action] = await company.actions()
    assert action.status is ActionStatus.ABANDONED


async def test_an_edit_reaches_a_mail_whose_draft_is_waiting(
    send: Send, company: Company, gmail: FakeGmail
) -> None:
    campaign = await company.make_campaign()
    order = await company.make_order(campaign)
    gmail.lose_request(on="drafts.send")
    with pytest.raises(ProviderError):
        await send(order)
    await _edit(company, campaign, "Dear {{ lead.first_name }}")

    await send(order, LATER)

    [mail] = gmail.sent
    assert "Dear Ada" in mail.headers.get_content()
    assert gmail.drafts == {}


async def test_settling_finds_what_was_sent(
    send: Send, order: ActionOrder, gmail: FakeGmail, company: Company, parts: Parts
) -> None:
    gmail.lose_answer(on="drafts.send")
    with pytest.raises(ProviderError):
        await send(order)

    assert await at(LATER).run(parts.gmail.settle, order) is True
    assert await at(LATER).run(parts.gmail.settle, order) is False
    [action] = await company.actions()
    assert action.status is ActionStatus.SENT


async def test_settling_leaves_alone_what_is_still_wanted(
    send: Send, order: ActionOrder, gmail: FakeGmail, company: Company, parts: Parts
) -> None:
    gmail.lose_request(on="drafts.send")
    with pytest.raises(ProviderError):
        await send(order)

    assert await at(LATER).run(parts.gmail.settle, order) is False
    assert len(gmail.drafts) == 1
    await send(order, LATER)
    assert len(gmail.sent) == 1


async def test_a_late_attempt_abandons_nothing_that_another_has_begun(
    send: Send, order: ActionOrder, gmail: FakeGmail, company: Company
) -> None:
    """One is held while it drafts; meanwhile another sends and dies, and the campaign pauses."""
    gmail.drafting = asyncio.Barrier(2)
    late = asyncio.ensure_future(send(order))
    async with asyncio.timeout(60):
        while not gmail.drafting.n_waiting:  # noqa: ASYNC110 - a barrier tells nobody
            await asyncio.sleep(0.01)
    waiting, gmail.drafting = gmail.drafting, asyncio.Barrier(1)
    gmail.lose_answer(on="drafts.send")
    with pytest.raises(ProviderError):
        await send(order, LATER)
    await _pause(company, order, True)
    await waiting.wait()
    assert await late == Parked(reason=HoldReason.CAMPAIGN_PAUSED)

    await _pause(company, order, False)
    await send(order, LATER)

    assert len(gmail.sent) == 1
    [action] = await company.actions()
    assert action.status is ActionStatus.SENT


async def _until_reserved(company: Company) -> None:
    async with asyncio.timeout(60):
        while not await company.actions():  # noqa: ASYNC110 - only the rows know
            await asyncio.sleep(0.01)


async def _edit(company: Company, campaign: Campaign, text: str) -> None:
    async with company.session() as session:
        await session.execute(
            update(StepRow).where(StepRow.campaign_id == campaign.id).values(message_template=text)
        )
        row = await session.get_one(CampaignRow, campaign.id)
        row.version_id = await publish_version(session, campaign.id)


async def _pause(company: Company, order: ActionOrder, is_paused: bool) -> None:
    recipient = await company.recipient(order.recipient_id)
    async with company.session() as session:
        campaign = await session.get_one(CampaignRow, recipient.campaign_id)
        campaign.status = CampaignStatus.PAUSED if is_paused else CampaignStatus.ACTIVE
