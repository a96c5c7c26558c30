"""Campaigns of calls, of several channels, and of what people do."""

from typing import Any

import httpx
import pytest
from uuid_utils.compat import uuid7

from shared.db.models import CampaignRow, LeadRow
from tests.factories import Campaign, Company

Json = dict[str, Any]
MAIL = {"channel": "email", "subject": "Hello", "message_template": "Hello"}
CALL = {"channel": "call", "message_template": "Say hello"}


@pytest.mark.parametrize("kind", ["call", "multi"])
async def test_a_script_makes_step_1_a_call(
    api: httpx.AsyncClient, company: Company, kind: str
) -> None:
    body = {"name": "Calls", "type": kind, "script": "Hello {{ lead.first_name }}"}

    made = await api.post(f"/api/companies/{company.id}/campaigns", json=body)

    assert made.status_code == 201, made.text
    [step] = (await api.get(f"/api/campaigns/{made.json()['id']}/sequences")).json()
    assert (step["channel"], step["message_template"]) == ("call", body["script"])
    assert (step["key"], step["delay_days"]) == ("call-1", 0)


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"type": "email", "script": "Hello"}, id="a script of mails"),
        pytest.param({"type": "multi", "script": "Hello", "template": "Hello"}, id="both"),
        pytest.param({"type": "call", "template": "Hello"}, id="a template of calls"),
    ],
)
async def test_a_first_step_fits_its_campaign(
    api: httpx.AsyncClient, company: Company, more: Json
) -> None:
    answer = await api.post(
        f"/api/companies/{company.id}/campaigns", json={"name": "Spring", **more}
    )

    assert answer.status_code == 422


async def test_calls_wait_for_a_phone_line(api: httpx.AsyncClient, company: Company) -> None:
    made = await api.post("/api/campaigns", json={"name": "Calls", "type": "call"})
    url = f"/api/campaigns/{made.json()['id']}"
    await api.post(f"{url}/sequences", json=CALL)

    answer = await api.post(f"{url}/activate")

    assert answer.status_code == 409
    [missing] = answer.json()["missing"]
    assert "no account is connected for the channel call" in missing
    assert "POST /api/accounts/bland" in missing


async def test_an_edit_that_could_never_work_does_not_reach_a_running_campaign(
    api: httpx.AsyncClient, company: Company, campaign: Campaign
) -> None:
    url = f"/api/campaigns/{campaign.id}"
    never = [{"step": 1, "outcome": "answered"}]

    refused = await api.post(f"{url}/sequences", json={**MAIL, "when": never})
    async with company.session() as session:
        row = await session.get_one(CampaignRow, campaign.id)
        row.draft_edits = True
    drafted = await api.post(f"{url}/sequences", json={**MAIL, "when": never})
    published = await api.post(f"{url}/publish")

    assert (refused.status_code, drafted.status_code, published.status_code) == (409, 201, 409)
    for answer in (refused, published):
        assert "Step 1 is a mail, which is never answered" in answer.json()["missing"][0]


async def test_an_address_for_one_of_the_channels_is_enough(
    api: httpx.AsyncClient, company: Company, campaign: Campaign
) -> None:
    called = LeadRow(id=uuid7(), name="Ada", phone="+49301234567")
    silent = LeadRow(id=uuid7(), name="Bob")
    async with company.session() as session:
        session.add_all([called, silent])
    url, steps = (f"/api/campaigns/{campaign.id}/{it}" for it in ("recipients", "sequences"))
    ids = [str(called.id), str(silent.id)]

    by_phone = {"channel": "call", "message_template": "Hello"}
    assert (await api.post(steps, json=by_phone)).status_code == 201
    mixed = await api.post(url, json={"contact_ids": ids})
    by_hand = {"channel": "task", "message_template": "Write a letter"}
    assert (await api.post(steps, json=by_hand)).status_code == 201
    with_task = await api.post(url, json={"contact_ids": ids})

    assert [one["reason"] for one in mixed.json()["refused"]] == ["no email or phone"]
    assert (mixed.json()["added"], with_task.json()["added"]) == (1, 1)
