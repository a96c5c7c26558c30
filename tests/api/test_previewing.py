"""A campaign's mails before they leave: what they say, and for whom something is missing."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from shared.db.models import CampaignRow, LeadRow, StepRow
from shared.db.models.campaigns import CampaignStatus
from tests.factories import DAY, Campaign, Company
from tests.fakes.conductor import RecordingConductor


@pytest.fixture
async def draft(company: Company) -> Campaign:
    """Three mails that ask for a first name, the second one for a city as well."""
    campaign = await company.make_campaign()
    async with company.session() as session:
        row = await session.get_one(CampaignRow, campaign.id)
        row.status, row.version_id = CampaignStatus.DRAFT, None
        second = await session.get_one(StepRow, campaign.step_ids[1])
        second.message_template = "{{ lead.first_name }} in {{ lead.city }}"
    return campaign


async def give(company: Company, lead_id: UUID, **values: Any) -> None:
    async with company.session() as session:
        lead = await session.get_one(LeadRow, lead_id)
        for name, value in values.items():
            setattr(lead, name, value)


async def test_every_step_is_shown_with_its_date(
    api: httpx.AsyncClient, company: Company, draft: Campaign
) -> None:
    lead_id = await company.make_lead()
    await give(company, lead_id, city="Bath")

    answer = await api.post(f"/api/campaigns/{draft.id}/preview", json={"lead_id": str(lead_id)})

    first, second, third = answer.json()["steps"]
    assert [one["subject"] for one in (first, second, third)] == ["Hello", "Re: Hello", "Re: Hello"]
    assert first["text"].startswith("Hello Ada\n\n")
    assert second["text"].startswith("Ada in Bath\n\n")
    assert "/u/" in first["text"]
    dates = [datetime.fromisoformat(one["at"]) for one in (first, second, third)]
    assert dates[1] - dates[0] == dates[2] - dates[1] == timedelta(seconds=3 * DAY)
    assert answer.json()["missing_variables"] == []
    assert answer.json()["recipient_id"] is None


async def test_what_a_lead_lacks_is_shown_at_its_step(
    api: httpx.AsyncClient, company: Company, draft: Campaign
) -> None:
    lead_id = await company.make_lead()

    answer = await api.post(f"/api/campaigns/{draft.id}/preview", json={"lead_id": str(lead_id)})

    first, second, _ = answer.json()["steps"]
    assert (first["missing_variables"], second["missing_variables"]) == ([], ["lead.city"])
    assert second["text"] is None
    assert "lead.city" in second["error"]
    assert answer.json()["missing_variables"] == ["lead.city"]


async def test_somebody_of_the_campaign_is_shown_when_nobody_is_named(
    api: httpx.AsyncClient, company: Company, draft: Campaign
) -> None:
    await company.make_lead()
    recipient = await company.make_recipient(draft)

    answer = await api.post(f"/api/campaigns/{draft.id}/preview", json={})

    assert answer.json()["recipient_id"] == str(recipient.recipient_id)


async def test_without_any_lead_there_is_nothing_to_show(
    api: httpx.AsyncClient, draft: Campaign
) -> None:
    assert (await api.post(f"/api/campaigns/{draft.id}/preview", json={})).status_code == 409


async def test_a_campaigns_days_are_kept_to(
    api: httpx.AsyncClient, company: Company, draft: Campaign
) -> None:
    lead_id = await company.make_lead()
    async with company.session() as session:
        row = await session.get_one(CampaignRow, draft.id)
        row.window = {"days": {"monday": ["09:00-10:00"]}}

    answer = await api.post(f"/api/campaigns/{draft.id}/preview", json={"lead_id": str(lead_id)})

    dates = [datetime.fromisoformat(one["at"]) for one in answer.json()["steps"]]
    assert {(at.weekday(), at.hour) for at in dates} == {(0, 9)}


async def test_leads_without_a_value_are_counted(
    api: httpx.AsyncClient, company: Company, draft: Campaign
) -> None:
    for number in range(5):
        lead_id = await company.make_lead()
        await give(company, lead_id, city="Bath" if number < 2 else "", phone="1" if number else "")
        await company.make_recipient(draft, lead_id=lead_id)

    answer = await api.get(f"/api/campaigns/{draft.id}/gaps")

    assert answer.json() == {
        "leads": 5,
        "leads_with_gaps": 3,
        "gaps": [{"variable": "lead.city", "step_numbers": [2], "leads": 3}],
    }


@pytest.mark.parametrize(
    ("template", "values", "leads"),
    [
        pytest.param("{{ lead.name }}", {"first_name": None, "last_name": "B"}, 0, id="a name"),
        pytest.param("{{ lead.name }}", {"first_name": None}, 1, id="no name"),
        pytest.param("{{ lead.areas }}", {"areas": ["Mitte"]}, 0, id="a list"),
        pytest.param("{{ lead.areas }}", {"areas": []}, 1, id="an empty list"),
        pytest.param("{{ lead.beds }}", {"beds": 0}, 0, id="zero is a value"),
        pytest.param("{{ lead.custom.a.b }}", {"custom": {"a": {"b": 1}}}, 0, id="deep"),
        pytest.param("{{ lead.custom.a.b }}", {"custom": {"a": {"b": ""}}}, 1, id="deep and empty"),
        pytest.param("{{ lead.custom['a b'] }}", {"custom": {"a b": 1}}, 0, id="any name"),
        pytest.param("{{ property.city }}", {"custom": {"property_city": "X"}}, 0, id="property"),
        pytest.param(
            "{{ property.city }}", {"custom": {"property": {"city": "X"}}}, 0, id="whole property"
        ),
        pytest.param("{{ property.city }}", {}, 1, id="no property"),
        pytest.param("{% if lead.city %}{{ lead.phone }}{% endif %}", {}, 0, id="guarded"),
        pytest.param(
            "{% if lead.city %}{{ lead.phone }}{% endif %}", {"city": "X"}, 1, id="not guarded"
        ),
        pytest.param("{{ lead.city|default:company.name }}", {}, 0, id="the company's instead"),
        pytest.param("{{ lead.city|default:company.website }}", {}, 1, id="which has none"),
    ],
)
async def test_the_count_agrees_with_the_template(
    *,
    api: httpx.AsyncClient,
    company: Company,
    draft: Campaign,
    template: str,
    values: dict[str, Any],
    leads: int,
) -> None:
    lead_id = await company.make_lead()
    await give(company, lead_id, **values)
    await company.make_recipient(draft, lead_id=lead_id)
    async with company.session() as session:
        for step_id in draft.step_ids:
            (await session.get_one(StepRow, step_id)).message_template = template

    counted = (await api.get(f"/api/campaigns/{draft.id}/gaps")).json()
    shown = await api.post(f"/api/campaigns/{draft.id}/preview", json={"lead_id": str(lead_id)})

    assert counted["leads_with_gaps"] == leads
    assert [one["text"] is None for one in shown.json()["steps"]] == [bool(leads)] * 3


async def test_activating_warns_of_leads_who_will_wait(
    api: httpx.AsyncClient, company: Company, draft: Campaign
) -> None:
    await company.make_recipient(draft)

    answer = await api.post(f"/api/campaigns/{draft.id}/activate")

    assert answer.status_code == 200
    [warning] = answer.json()["warnings"]
    assert warning.startswith("1 of 1 leads have no lead.city, which step 2 needs")


@pytest.mark.parametrize("variable", ["lead.nickname", "product.name", "company.website"])
async def test_what_no_lead_can_have_is_missing(
    api: httpx.AsyncClient, company: Company, draft: Campaign, variable: str
) -> None:
    async with company.session() as session:
        step = await session.get_one(StepRow, draft.step_ids[2])
        step.message_template = f"{{{{ {variable} }}}}"

    answer = await api.post(f"/api/campaigns/{draft.id}/activate")

    assert answer.status_code == 409
    [missing] = answer.json()["missing"]
    assert missing.startswith(f"Step 3 asks for {variable}: ")


async def test_a_company_says_in_its_own_words_how_to_stop(
    api: httpx.AsyncClient, company: Company, draft: Campaign
) -> None:
    words = "Keine Mails mehr? Hier abmelden"
    answer = await api.put(
        f"/api/companies/{company.id}", json={"opt_out_text": words, "postal_address": "Weg 1"}
    )
    assert answer.json()["opt_out_text"] == words

    lead_id = await company.make_lead()
    shown = await api.post(f"/api/campaigns/{draft.id}/preview", json={"lead_id": str(lead_id)})

    text = shown.json()["steps"][0]["text"]
    assert f"\n\nWeg 1\n{words}: http://gateway.test/u/" in text


async def test_a_test_mail_is_asked_for(
    api: httpx.AsyncClient, company: Company, draft: Campaign, conductor: RecordingConductor
) -> None:
    lead_id = await company.make_lead()
    url = f"/api/campaigns/{draft.id}"

    answer = await api.post(
        f"{url}/sequences/1/test-send", json={"to": "kim@acme.test", "lead_id": str(lead_id)}
    )

    sample = answer.json()
    assert (answer.status_code, sample["status"]) == (202, "pending")
    assert [str(order.sample_id) for order in conductor.samples] == [sample["id"]]
    assert (await api.get(f"{url}/test-mails/{sample['id']}")).json() == sample


async def test_a_test_mail_does_not_go_to_the_lead(
    api: httpx.AsyncClient, company: Company, draft: Campaign, conductor: RecordingConductor
) -> None:
    lead_id = await company.make_lead(email="lea@example.com")

    answer = await api.post(
        f"/api/campaigns/{draft.id}/sequences/1/test-send",
        json={"to": "LEA@example.com", "lead_id": str(lead_id)},
    )

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "to"
    assert conductor.samples == []


async def test_a_test_mail_needs_every_value(
    api: httpx.AsyncClient, company: Company, draft: Campaign
) -> None:
    await company.make_lead()
    url = f"/api/campaigns/{draft.id}/sequences"

    lacking = await api.post(f"{url}/2/test-send", json={"to": "kim@acme.test"})
    unknown = await api.post(f"{url}/9/test-send", json={"to": "kim@acme.test"})

    assert (lacking.status_code, unknown.status_code) == (422, 404)
    assert "lead.city" in lacking.json()["errors"][0]["message"]


async def test_an_outage_is_said_at_once(
    api: httpx.AsyncClient, company: Company, draft: Campaign, conductor: RecordingConductor
) -> None:
    await company.make_lead()
    conductor.is_down = True

    answer = await api.post(
        f"/api/campaigns/{draft.id}/sequences/1/test-send", json={"to": "kim@acme.test"}
    )

    assert answer.status_code == 503
