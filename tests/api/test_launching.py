"""A launch can be watched at /api/tasks, called off, and asked for again."""

from typing import Any

import httpx
import pytest
from temporalio.testing import ActivityEnvironment

from activities.launch import LaunchActivities
from shared.contracts.operations import LaunchOrder
from shared.contracts.recipient import RecipientStart
from shared.db.models import CampaignRow
from shared.db.repositories.versions import VersionShelf
from shared.db.session import Database
from tests.factories import Campaign, Company
from tests.fakes.conductor import RecordingConductor

Json = dict[str, Any]
MANY = 12


@pytest.fixture
async def campaign(company: Company) -> Campaign:
    campaign = await company.make_campaign()
    for _ in range(MANY):
        await company.make_recipient(campaign)
    return campaign


async def launch(database: Database, company: Company, campaign: Campaign, conductor: Any) -> None:
    """As the launcher would."""
    activities = LaunchActivities(database=database, conductor=conductor, shelf=VersionShelf())
    order = LaunchOrder(company_id=company.id, campaign_id=campaign.id, rate=20)
    await ActivityEnvironment().run(activities.start_page, order)


async def list_launches(api: httpx.AsyncClient) -> list[Json]:
    answer = await api.get("/api/tasks", params={"kind": "launch"})
    found: list[Json] = answer.json()
    return found


async def test_a_launch_shows_how_far_it_is(
    api: httpx.AsyncClient,
    database: Database,
    company: Company,
    campaign: Campaign,
    conductor: RecordingConductor,
) -> None:
    await launch(database, company, campaign, conductor)

    [task] = await list_launches(api)
    assert (task["status"], task["processed"], task["total"]) == ("completed", MANY, MANY)
    assert task["campaign_id"] == str(campaign.id)


class CancellingConductor(RecordingConductor):
    """Somebody calls the launch off while its first page is being started."""

    def __init__(self, api: httpx.AsyncClient) -> None:
        super().__init__()
        self._api = api

    async def start(self, start: RecipientStart) -> None:
        if not self.started:
            [task] = await list_launches(self._api)
            answer = await self._api.post(f"/api/tasks/{task['id']}/cancel")
            assert answer.json()["status"] == "cancelled"
        await super().start(start)


async def test_a_launch_that_is_called_off_starts_nobody_else_until_it_is_asked_for_again(
    *,
    api: httpx.AsyncClient,
    database: Database,
    company: Company,
    campaign: Campaign,
    conductor: RecordingConductor,
) -> None:
    cancelling = CancellingConductor(api)
    for _ in range(2):
        await launch(database, company, campaign, cancelling)

    # Who was under way is started, in the page of ten that was being made.
    started = {start.recipient.recipient_id for start in cancelling.started}
    [task] = await list_launches(api)
    assert (len(started), task["status"], task["total"]) == (10, "cancelled", MANY)
    assert (await api.post(f"/api/tasks/{task['id']}/cancel")).json()["status"] == "cancelled"
    added = {"contact_ids": [str(await company.make_lead())]}
    await api.post(f"/api/campaigns/{campaign.id}/recipients", json=added)
    assert conductor.started == []

    await api.post(f"/api/campaigns/{campaign.id}/activate")
    await launch(database, company, campaign, conductor)

    async with company.session() as session:
        assert (await session.get_one(CampaignRow, campaign.id)).launch_held_at is None
    assert len(conductor.started) == MANY + 1 - len(started)
    newest, oldest = await list_launches(api)
    assert (newest["status"], newest["processed"], oldest["status"]) == (
        "completed",
        3,
        "cancelled",
    )
