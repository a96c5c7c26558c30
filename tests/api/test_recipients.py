"""The leads inside a campaign."""

import asyncio
from typing import Any

import httpx
import pytest
from uuid_utils.compat import uuid7

from shared.db.models import LeadRow, RecipientRow
from shared.db.models.campaigns import CampaignRow, CampaignStatus
from shared.domain.recipient import ActivityName, EndReason, HoldReason, RecipientStatus
from tests.api.conftest import make_action
from tests.factories import NOON, Campaign, Company
from tests.fakes.conductor import RecordingConductor

Json = dict[str, Any]
FRONTEND_FIELDS = {
    "id",
    "campaign_id",
    "contact_id",
    "status",
    "current_step",
    "last_action_at",
    "completed_at",
    "created_at",
}


async def test_adding_leads_twice_adds_them_once(
    api: httpx.AsyncClient, company: Company, url: str, conductor: RecordingConductor
) -> None:
    leads = [str(await company.make_lead()) for _ in range(2)]

    first = await api.post(url, json={"contact_ids": [*leads, leads[0]]})
    again = await api.post(url, json={"contact_ids": leads})

    assert first.status_code == 201, first.text
    assert (first.json()["added"], first.json()["already"]) == (2, 0)
    assert [r["contact_id"] for r in first.json()["recipients"]] == leads
    assert (again.json()["added"], again.json()["already"]) == (0, 2)
    assert again.json()["recipients"] == again.json()["refused"] == []
    assert len(conductor.started) == 2
    plans = {start.next.activity for start in conductor.started}
    assert plans == {ActivityName.GMAIL_SEND}


async def test_of_two_who_add_the_same_leads_at_once_each_lead_has_one(
    api: httpx.AsyncClient, company: Company, url: str
) -> None:
    body = {"contact_ids": [str(await company.make_lead()) for _ in range(10)]}

    answers = await asyncio.gather(*(api.post(url, json=body) for _ in range(4)))

    added = [answer.json()["added"] for answer in answers]
    assert sorted(added) == [0, 0, 0, 10]
    assert len((await api.get(url)).json()) == 10


async def test_who_cannot_be_reached_is_refused_with_the_reason(
    api: httpx.AsyncClient, company: Company, stranger: Company, url: str
) -> None:
    reachable, suppressed = await company.make_lead(), await company.make_lead()
    await company.suppress(suppressed)
    silent = LeadRow(id=uuid7(), name="Ada")
    async with company.session() as session:
        session.add(silent)
    elsewhere, nobody = await stranger.make_lead(), uuid7()
    asked = [reachable, suppressed, silent.id, elsewhere, nobody]

    answer = await api.post(url, json={"contact_ids": [str(lead_id) for lead_id in asked]})

    refused = {one["contact_id"]: one["reason"] for one in answer.json()["refused"]}
    assert (answer.json()["added"], answer.json()["refused_count"]) == (1, 4)
    assert refused == {
        str(suppressed): "suppressed",
        str(silent.id): "no email",
        str(elsewhere): "not found",
        str(nobody): "not found",
    }


async def test_one_contact_is_answered_as_a_recipient(
    api: httpx.AsyncClient, company: Company, url: str
) -> None:
    lead = str(await company.make_lead())

    first = await api.post(url, json={"contact_id": lead})
    again = await api.post(url, json={"contact_id": lead})
    nobody = await api.post(url, json={"contact_id": str(uuid7())})

    assert first.status_code == 201
    assert first.json().keys() >= FRONTEND_FIELDS | {"email", "next_action_at", "why", "detail"}
    assert (first.json()["status"], first.json()["contact_id"]) == ("in_progress", lead)
    assert again.json()["id"] == first.json()["id"]
    assert nobody.status_code == 404


@pytest.mark.parametrize(
    ("status", "started", "launched"), [("draft", 0, 0), ("paused", 0, 0), ("active", 3, 0)]
)
async def test_only_an_active_campaign_starts_them(
    *,
    api: httpx.AsyncClient,
    company: Company,
    campaign: Campaign,
    url: str,
    conductor: RecordingConductor,
    status: str,
    started: int,
    launched: int,
) -> None:
    await set_status(company, campaign, CampaignStatus(status))
    leads = [str(await company.make_lead()) for _ in range(3)]

    await api.post(url, json={"contact_ids": leads})

    assert (len(conductor.started), len(conductor.launches)) == (started, launched)


async def test_many_are_left_to_the_launcher(
    api: httpx.AsyncClient, company: Company, url: str, conductor: RecordingConductor
) -> None:
    leads = [str(await company.make_lead()) for _ in range(21)]

    answer = await api.post(url, json={"contact_ids": leads})

    assert answer.json()["added"] == 21
    assert (len(conductor.started), len(conductor.launches)) == (0, 1)


async def test_leads_are_added_while_temporal_is_away(
    api: httpx.AsyncClient, company: Company, url: str, conductor: RecordingConductor
) -> None:
    conductor.is_down = True

    answer = await api.post(url, json={"contact_ids": [str(await company.make_lead())]})

    assert answer.status_code == 201
    assert answer.json()["recipients"][0]["status"] == "pending"


async def test_a_completed_campaign_takes_nobody_in(
    api: httpx.AsyncClient, company: Company, campaign: Campaign, url: str
) -> None:
    await set_status(company, campaign, CampaignStatus.COMPLETED)

    answer = await api.post(url, json={"contact_ids": [str(await company.make_lead())]})

    assert answer.status_code == 409


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({}, "body", id="nobody"),
        pytest.param({"contact_ids": []}, "contact_ids", id="an empty list"),
        pytest.param({"contact_ids": ["7"]}, "contact_ids.0", id="no id"),
        pytest.param(
            {"contact_ids": [str(uuid7())], "contact_id": str(uuid7())}, "body", id="both"
        ),
    ],
)
async def test_a_wrong_list_of_leads_names_the_field(
    api: httpx.AsyncClient, url: str, body: Json, field: str
) -> None:
    answer = await api.post(url, json=body)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


ENDS = [None, *EndReason]


async def test_statuses_agree_between_row_list_filter_and_statistics(
    api: httpx.AsyncClient, company: Company, campaign: Campaign, url: str
) -> None:
    for reason in ENDS:
        for launched_at, last_action_at in ((None, None), (NOON, None), (None, NOON)):
            ref = await company.make_recipient(campaign)
            async with company.session() as session:
                row = await session.get_one(RecipientRow, ref.recipient_id)
                row.launched_at, row.last_action_at = launched_at, last_action_at
                row.end_reason, row.ended_at = reason, NOON if reason else None

    everybody = (await api.get(url)).json()
    stats = (await api.get(f"/api/campaigns/{campaign.id}/stats")).json()

    assert len(everybody) == 3 * (len(ENDS) - 1)
    for status in RecipientStatus:
        filtered = (await api.get(url, params={"status": status.value})).json()
        assert filtered == [one for one in everybody if one["status"] == status]
        assert stats[status.value] == len(filtered)
    assert stats["total_recipients"] == len(everybody)
    pending = [one for one in everybody if one["status"] == "pending"]
    assert len(pending) == 1


async def test_the_list_goes_page_by_page(
    api: httpx.AsyncClient, company: Company, campaign: Campaign, url: str
) -> None:
    for _ in range(5):
        await company.make_recipient(campaign)

    whole = (await api.get(url)).json()
    pages = [await api.get(url, params={"limit": "2", "status": "pending"})]
    while "next" in pages[-1].links:
        pages.append(await api.get(pages[-1].links["next"]["url"]))

    assert [len(page.json()) for page in pages] == [2, 2, 1]
    assert [one for page in pages for one in page.json()] == whole


async def test_a_removed_recipient_leaves_list_and_statistics(
    api: httpx.AsyncClient,
    company: Company,
    campaign: Campaign,
    url: str,
    conductor: RecordingConductor,
) -> None:
    lead = str(await company.make_lead())
    one = (await api.post(url, json={"contact_id": lead})).json()
    async with company.session() as session:
        session.add(make_action(campaign, company, one["id"]))

    removed = await api.delete(f"{url}/{one['id']}")
    again = await api.post(url, json={"contact_ids": [lead]})

    stats = (await api.get(f"/api/campaigns/{campaign.id}/stats")).json()
    assert removed.status_code == 204
    assert (await api.get(url)).json() == []
    assert (await api.get(f"{url}/{one['id']}")).status_code == 404
    assert (stats["total_recipients"], stats["steps"][0]["sent"]) == (0, 0)
    assert [str(ref.recipient_id) for ref, _ in conductor.stops] == [one["id"]]
    assert again.json()["refused"] == [{"contact_id": lead, "reason": "already_contacted"}]


async def test_who_was_never_written_to_may_be_added_anew(
    api: httpx.AsyncClient, company: Company, url: str
) -> None:
    lead = str(await company.make_lead())
    one = (await api.post(url, json={"contact_id": lead})).json()

    await api.delete(f"{url}/{one['id']}")
    anew = await api.post(url, json={"contact_id": lead})

    assert anew.status_code == 201
    assert anew.json()["id"] != one["id"]


async def test_one_recipient_is_paused_and_goes_on(
    api: httpx.AsyncClient, company: Company, url: str, conductor: RecordingConductor
) -> None:
    one = (await api.post(url, json={"contact_id": str(await company.make_lead())})).json()

    paused = [await api.post(f"{url}/{one['id']}/pause") for _ in range(2)]
    resumed = await api.post(f"{url}/{one['id']}/resume")

    assert [answer.json()["detail"] for answer in paused] == ["paused", "paused"]
    assert paused[0].json()["why"] == HoldReason.RECIPIENT_PAUSED
    assert (resumed.json()["status"], resumed.json()["detail"]) == ("in_progress", "in_progress")
    assert [str(ref.recipient_id) for ref, _ in conductor.wakes] == [one["id"]]


async def test_who_has_ended_is_not_paused(
    api: httpx.AsyncClient, company: Company, campaign: Campaign, url: str
) -> None:
    ref = await company.make_recipient(campaign)
    await api.post(f"{url}/{ref.recipient_id}/mark-responded")

    answer = await api.post(f"{url}/{ref.recipient_id}/pause")

    assert answer.status_code == 409


async def set_status(company: Company, campaign: Campaign, status: CampaignStatus) -> None:
    async with company.session() as session:
        row = await session.get_one(CampaignRow, campaign.id)
        row.status = status


async def test_in_a_draft_nothing_has_ended(api: httpx.AsyncClient, company: Company) -> None:
    made = await api.post("/api/campaigns", json={"name": "Spring", "type": "email"})
    url = f"/api/campaigns/{made.json()['id']}/recipients"
    lead = str(await company.make_lead())
    one = (await api.post(url, json={"contact_id": lead})).json()

    explained = (await api.get(f"{url}/{one['id']}/explain")).json()

    assert (explained["state"], explained["next"]) == ("parked", None)
    assert explained["blocked_by"] == ["campaign is not active"]
    assert "before the campaign is activated" in explained["because"][0]
