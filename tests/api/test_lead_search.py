"""Leads are found by index, whoever else has how many, and each has its timeline."""

import httpx
import pytest
from sqlalchemy import text

from shared.db.models import InboundEventRow
from shared.domain.inbound import InboundKind
from tests.api.conftest import make_action
from tests.api.test_enlisting import make_leads
from tests.factories import NOON, Company


@pytest.fixture
def url(company: Company) -> str:
    return f"/api/companies/{company.id}/leads"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "love ADA"}, ["Ada Lovelace"]),
        ({"q": "ada@exam"}, ["Ada Lovelace"]),
        ({"q": "łuk"}, ["Łukasz"]),
        ({"q": "%"}, []),
        ({"q": "':* | a"}, []),
        ({"city": "BERLIN"}, ["Ada Lovelace"]),
        ({"company_name": "engines", "city": "berlin"}, ["Ada Lovelace"]),
        ({"city": "Berl"}, []),
    ],
)
async def test_words_and_places_are_found_in_any_case(
    api: httpx.AsyncClient, url: str, query: dict[str, str], found: list[str]
) -> None:
    ada = {"name": "Ada Lovelace", "email": "ada@example.com", "city": "Berlin"}
    for lead in (ada | {"company_name": "Engines"}, {"name": "Łukasz", "city": "Łódź"}):
        assert (await api.post(url, json=lead)).status_code == 201

    answer = await api.get(url, params=query)

    assert [lead["name"] for lead in answer.json()["items"]] == found


async def test_another_companys_words_are_not_found(
    api: httpx.AsyncClient, url: str, stranger: Company
) -> None:
    await stranger.make_lead(email="ada@example.com")

    assert (await api.get(url, params={"q": "ada"})).json()["items"] == []


async def test_filters_use_an_index_behind_the_fence(company: Company) -> None:
    await make_leads(company, 2000)
    await company.make_lead(city="Berlin")
    async with company.session() as session:
        plan = await session.scalars(
            text(
                "explain select id from leads where city_folded = lower('Berlin')"
                " order by id desc limit 51"
            )
        )
        assert "city_folded = 'berlin'" in next(it for it in plan if "Index Cond" in it)


async def test_a_timeline_has_what_was_done_and_what_came_back(
    api: httpx.AsyncClient, url: str, company: Company
) -> None:
    campaign = await company.make_campaign()
    lead_id = await company.make_lead()
    recipient = await company.make_recipient(campaign, lead_id=lead_id)
    reply = InboundEventRow(
        provider="gmail",
        provider_event_id="1",
        kind=InboundKind.REPLY,
        recipient_id=recipient.recipient_id,
        text="Yes",
        occurred_at=NOON.replace(hour=13),
    )
    async with company.session() as session:
        session.add_all([make_action(campaign, company, recipient.recipient_id), reply])

    first = (await api.get(f"{url}/{lead_id}/timeline", params={"limit": 1})).json()
    after = {"limit": 1, "cursor": first["next_cursor"]}
    second = (await api.get(f"{url}/{lead_id}/timeline", params=after)).json()

    assert [(it["direction"], it["what"], it["text"]) for it in first["items"]] == [
        ("in", "reply", "Yes")
    ]
    assert [(it["direction"], it["what"]) for it in second["items"]] == [("out", "email sent")]
    assert second["next_cursor"] is None
