"""A campaign of several channels and ways before it runs: what one lead would get, and when."""

from datetime import datetime

import httpx
import pytest

from shared.db.models import CampaignRow, LeadRow
from shared.db.models.campaigns import CampaignStatus
from tests.api.test_previewing import give
from tests.factories import Campaign, Company


@pytest.fixture
async def draft(company: Company) -> Campaign:
    """Three mails."""
    campaign = await company.make_campaign()
    async with company.session() as session:
        row = await session.get_one(CampaignRow, campaign.id)
        row.status, row.version_id = CampaignStatus.DRAFT, None
    return campaign


async def test_every_way_is_shown_with_its_conditions_and_dates(
    api: httpx.AsyncClient, company: Company, draft: Campaign
) -> None:
    lead_id = await company.make_lead()
    await give(company, lead_id, city="Bath", linkedin_url="https://linkedin.com/in/ada")
    step = {"message_template": "Hello {{ lead.first_name }}"}
    invited = {"step": "invite", "outcome": "connected", "within_days": 5}
    tree = [
        {"key": "invite", "channel": "linkedin_connection", **step},
        {
            "if": invited,
            "then": [{"key": "chat", "channel": "linkedin_message", "delay_days": 1, **step}],
            "else": [
                {"key": "mail", "channel": "email", "subject": "x", "delay_days": 1, **step},
                {
                    "if": {"lead": "city", "value": "Rome"},
                    "then": [{"key": "rome", "channel": "task", **step}],
                },
            ],
        },
    ]
    put = await api.put(f"/api/campaigns/{draft.id}/definition", json={"steps": tree})
    assert put.status_code == 200, put.text

    answer = await api.post(f"/api/campaigns/{draft.id}/preview", json={"lead_id": str(lead_id)})

    invite, chat, mail, rome = answer.json()["steps"]
    at = [datetime.fromisoformat(one["at"]) for one in (invite, chat, mail)]
    assert [(at[1] - at[0]).days, (at[2] - at[0]).days] == [1, 6]
    assert (rome["at"], rome["is_taken"]) == (None, False)
    assert [one["is_taken"] for one in (invite, chat, mail)] == [True, None, None]
    assert chat["when"] == ["step 1 (invite) was accepted within 5 days"]
    assert rome["when"][1] == "city is Rome"
    assert (chat["to"], chat["text"]) == ("https://linkedin.com/in/ada", "Hello Ada")


async def test_a_campaign_of_calls_is_shown_for_whoever_there_is(
    api: httpx.AsyncClient, company: Company
) -> None:
    async with company.session() as session:
        session.add(LeadRow(name="Ada", first_name="Ada", phone="+49301234567"))
    body = {"name": "Calls", "type": "call", "script": "Say hello to {{ lead.first_name }}"}
    made = await api.post(f"/api/companies/{company.id}/campaigns", json=body)

    answer = await api.post(f"/api/campaigns/{made.json()['id']}/preview", json={})

    [step] = answer.json()["steps"]
    assert (step["to"], step["text"]) == ("+49301234567", "Say hello to Ada")
    assert (step["subject"], step["html"], step["sender"]) == (None, None, None)


async def test_what_an_agent_says_first_is_asked_for_as_well(
    api: httpx.AsyncClient, company: Company, draft: Campaign
) -> None:
    await company.make_recipient(draft)
    call = {"first_sentence": "Hello {{ lead.title }}"}
    body = {"channel": "call", "message_template": "Say hello", "call": call}
    added = await api.post(f"/api/campaigns/{draft.id}/sequences", json=body)

    gaps = (await api.get(f"/api/campaigns/{draft.id}/gaps")).json()["gaps"]

    assert added.status_code == 201, added.text
    assert {"variable": "lead.title", "step_numbers": [4], "leads": 1} in gaps
