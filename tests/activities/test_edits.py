"""Edits that reach a recipient while a mail of it is under way."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import delete, update

from shared.db.models import ActionStatus, CampaignRow, StepRow
from shared.db.repositories.versions import publish_version
from shared.domain.recipient import EndReason, Finished, Planned
from shared.errors import ProviderError
from tests.activities.conftest import Send, at
from tests.factories import NOON, Campaign, Company
from tests.fakes.gmail import FakeGmail
from workflows.parts import Parts

LATER = NOON + timedelta(minutes=1)


async def test_a_step_that_was_taken_out_gives_way_to_the_next(
    send: Send, company: Company, gmail: FakeGmail, parts: Parts
) -> None:
    """Its draft waits, and the rows already ask for the step behind it."""
    campaign = await company.make_campaign(waits=[0, 0])
    order = await company.make_order(campaign)
    gmail.lose_request(on="drafts.send")
    with pytest.raises(ProviderError):
        await send(order)
    await _remove(company, campaign, campaign.step_ids[0])
    outcome = await at(LATER).run(parts.recipient.plan, company.order(company.ref(order), None))
    assert isinstance(outcome, Planned)
    following = replace(order, step_id=outcome.step_id)

    assert await send(following, LATER) == outcome
    assert await send(following, LATER) == Finished(reason=EndReason.COMPLETED)
    assert (len(gmail.sent), gmail.drafts) == (1, {})
    statuses = {action.step_id: action.status for action in await company.actions()}
    assert statuses == dict(
        zip(campaign.step_ids, (ActionStatus.ABANDONED, ActionStatus.SENT), strict=True)
    )


async def test_a_deletion_whose_answer_was_lost_leaves_nobody_in_doubt(
    send: Send, company: Company, gmail: FakeGmail
) -> None:
    campaign = await company.make_campaign(waits=[0])
    order = await company.make_order(campaign)
    gmail.lose_request(on="drafts.send")
    with pytest.raises(ProviderError):
        await send(order)
    gmail.lose_answer(on="drafts.delete")
    await _edit(company, campaign, "Dear {{ lead.first_name }}")
    with pytest.raises(ProviderError):
        await send(order, LATER)

    assert gmail.drafts == {}
    assert await send(order, LATER) == Finished(reason=EndReason.COMPLETED)
    assert len(gmail.sent) == 1


async def test_a_draft_that_was_withdrawn_and_sent_all_the_same_counts_as_sent(
    send: Send, company: Company, gmail: FakeGmail
) -> None:
    """An attempt that was taken for dead sends it between the look and the deletion."""
    campaign = await company.make_campaign(waits=[0])
    order = await company.make_order(campaign)
    gmail.lose_request(on="drafts.send")
    with pytest.raises(ProviderError):
        await send(order)
    await _edit(company, campaign, "Dear {{ lead.first_name }}")
    gmail.be_down(on="drafts.delete")
    with pytest.raises(ProviderError):
        await send(order, LATER)
    gmail.box.send_draft(next(iter(gmail.drafts)))

    assert await send(order, LATER) == Finished(reason=EndReason.COMPLETED)
    assert len(gmail.sent) == 1
    [action] = await company.actions()
    assert action.status is ActionStatus.SENT


async def _edit(company: Company, campaign: Campaign, text: str) -> None:
    async with company.session() as session:
        await session.execute(
            update(StepRow).where(StepRow.campaign_id == campaign.id).values(message_template=text)
        )
        row = await session.get_one(CampaignRow, campaign.id)
        row.version_id = await publish_version(session, campaign.id)


async def _remove(company: Company, campaign: Campaign, step_id: UUID) -> None:
    async with company.session() as session:
        await session.execute(delete(StepRow).where(StepRow.id == step_id))
        row = await session.get_one(CampaignRow, campaign.id)
        row.version_id = await publish_version(session, campaign.id)
