"""A test mail goes through a workflow, and leaves once however often it is asked for."""

import asyncio

from shared.contracts.operations import SampleOrder
from shared.db.models import SampleMailRow, SampleStatus
from tests.workflows.conftest import World


async def test_a_test_mail_leaves_once(world: World) -> None:
    company = world.company
    campaign, lead_id = await company.make_campaign(), await company.make_lead()
    row = SampleMailRow(
        campaign_id=campaign.id,
        lead_id=lead_id,
        step_id=campaign.step_ids[0],
        to_address="kim@acme.test",
    )
    async with company.session() as session:
        session.add(row)
    order = SampleOrder(company_id=company.id, sample_id=row.id)

    await world.conductor.send_sample(order)
    await world.conductor.send_sample(order)
    async with asyncio.timeout(120):
        while (await status_of(world, row)) is not SampleStatus.SENT:  # noqa: ASYNC110 - the row alone tells
            await asyncio.sleep(0.05)
    await world.conductor.send_sample(order)
    await asyncio.sleep(0.5)
    assert [mail.headers["To"] for mail in world.gmail.sent] == ["kim@acme.test"]


async def status_of(world: World, row: SampleMailRow) -> SampleStatus:
    async with world.company.session() as session:
        return (await session.get_one(SampleMailRow, row.id)).status
