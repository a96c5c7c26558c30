"""The people to reach."""

import json
from typing import Any

import httpx
import pytest

from shared.db.models import LeadRow
from shared.keyring import Keyring
from shared.suppression import lead_keys
from tests.factories import Company

Json = dict[str, Any]


@pytest.fixture
def url(company: Company) -> str:
    return f"/api/companies/{company.id}/leads"


async def test_a_lead_is_kept_in_one_spelling(
    api: httpx.AsyncClient, url: str, company: Company, keyring: Keyring
) -> None:
    made = await api.post(
        url,
        json={
            "email": "Ada.Lovelace@Example.COM",
            "phone": "0049 (30) 123-456",
            "linkedin_url": "https://uk.linkedin.com/in/Ada/?trk=x",
            "custom": {"looms": [1, 2]},
        },
    )

    lead = made.json()
    assert made.status_code == 201, made.text
    assert lead["email"] == "ada.lovelace@example.com"
    assert lead["phone"] == "+4930123456"
    assert lead["linkedin_url"] == "https://www.linkedin.com/in/ada"
    assert lead["status"] == "new"
    async with company.session() as session:
        row = await session.get_one(LeadRow, lead["id"])
    names = ("email", "phone", "linkedin_url")
    assert row.suppression_keys == lead_keys(keyring, **{name: lead[name] for name in names})


@pytest.mark.parametrize(
    ("time_zone", "country", "phone"),
    [
        pytest.param("UTC", "Deutschland", "+493012345678", id="by its country"),
        pytest.param("Europe/Berlin", None, "+493012345678", id="by the company's zone"),
        pytest.param("UTC", None, "03012345678", id="nothing is guessed"),
    ],
)
async def test_a_national_number_is_made_one_that_can_be_called(
    *,
    api: httpx.AsyncClient,
    company: Company,
    url: str,
    time_zone: str,
    country: str | None,
    phone: str,
) -> None:
    """By the rule of an import, so that both find the same person."""
    await api.put(f"/api/companies/{company.id}", json={"time_zone": time_zone})

    made = await api.post(url, json={"phone": "030 12345678", "country": country})
    later = await api.post(url, json={"name": "Kim", "country": country})
    changed = await api.put(f"{url}/{later.json()['id']}", json={"phone": "030 12345678"})

    assert (made.status_code, changed.status_code) == (201, 200), made.text
    assert (made.json()["phone"], changed.json()["phone"]) == (phone, phone)


async def test_a_number_that_its_country_does_not_have_is_refused(
    api: httpx.AsyncClient, url: str
) -> None:
    answer = await api.post(url, json={"phone": "12345", "country": "US"})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "phone"


async def test_a_second_lead_with_the_address_names_the_first(
    api: httpx.AsyncClient, url: str
) -> None:
    first = await api.post(url, json={"email": "ada@example.com"})

    second = await api.post(url, json={"email": "ADA@example.com"})

    assert second.status_code == 409
    assert first.json()["id"] in second.json()["detail"]


async def test_two_leads_without_an_address_are_two(api: httpx.AsyncClient, url: str) -> None:
    made = [await api.post(url, json={"name": "Ada"}) for _ in range(2)]

    assert [answer.status_code for answer in made] == [201, 201]


async def test_a_lead_that_was_read_may_be_sent_back(api: httpx.AsyncClient, url: str) -> None:
    lead = (await api.post(url, json={"email": "ada@example.com", "city": "London"})).json()
    one = f"{url}/{lead['id']}"

    changed = await api.put(one, json=lead | {"city": "Paris"})
    partly = await api.put(one, json={"first_name": "Ada"})

    assert changed.status_code == 200, changed.text
    assert changed.json() == lead | {"city": "Paris", "updated_at": changed.json()["updated_at"]}
    assert (partly.json()["city"], partly.json()["first_name"]) == ("Paris", "Ada")


async def test_a_change_to_a_taken_address_names_its_lead(api: httpx.AsyncClient, url: str) -> None:
    ada = (await api.post(url, json={"email": "ada@example.com"})).json()
    eve = (await api.post(url, json={"email": "eve@example.com"})).json()

    answer = await api.put(f"{url}/{eve['id']}", json={"email": "ada@example.com"})

    assert answer.status_code == 409
    assert ada["id"] in answer.json()["detail"]


async def test_the_list_goes_page_by_page_without_gap_or_repeat(
    api: httpx.AsyncClient, url: str
) -> None:
    made = [(await api.post(url, json={"name": f"Lead {n}"})).json()["id"] for n in range(5)]

    seen: list[str] = []
    cursor: str | None = None
    sizes = []
    while True:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await api.get(url, params=query)).json()
        seen += [lead["id"] for lead in page["items"]]
        sizes.append(len(page["items"]))
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert seen == made[::-1]
    assert sizes == [2, 2, 1]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param({"q": "ADA"}, ["Ada"], id="part of a name"),
        pytest.param({"q": "100%"}, ["Hundred"], id="a percent sign means itself"),
        pytest.param({"q": "a_a"}, [], id="an underscore means itself"),
        pytest.param({"city": "Paris"}, ["Eve"], id="a city"),
        pytest.param({"status": "replied"}, ["Hundred"], id="a status"),
        pytest.param({"fit_score_min": "50"}, ["Eve"], id="a good fit"),
        pytest.param({"budget_min": "500"}, ["Ada"], id="can spend as much"),
    ],
)
async def test_filters_find(
    api: httpx.AsyncClient, url: str, query: dict[str, str], expected: list[str]
) -> None:
    leads: list[Json] = [
        {"name": "Ada", "email": "ada@example.com", "budget_max": 900},
        {"name": "Eve", "city": "Paris", "fit_score": 80},
        {"name": "Hundred", "company_name": "100% Ltd", "status": "replied"},
    ]
    for lead in leads:
        assert (await api.post(url, json=lead)).status_code == 201

    found = await api.get(url, params=query)

    assert [lead["name"] for lead in found.json()["items"]] == expected


async def test_leads_outside_a_campaign_are_found(
    api: httpx.AsyncClient, url: str, company: Company
) -> None:
    campaign = await company.make_campaign()
    inside, outside = await company.make_lead(), await company.make_lead()
    await company.make_recipient(campaign, lead_id=inside)

    found = await api.get(url, params={"not_in_campaign": str(campaign.id)})

    assert [lead["id"] for lead in found.json()["items"]] == [str(outside)]


async def test_a_lead_goes_unless_a_campaign_names_it(
    api: httpx.AsyncClient, url: str, company: Company
) -> None:
    free, taken = await company.make_lead(), await company.make_lead()
    await company.make_recipient(await company.make_campaign(), lead_id=taken)

    gone = await api.delete(f"{url}/{free}")
    kept = await api.delete(f"{url}/{taken}")
    again = await api.delete(f"{url}/{free}")

    assert [answer.status_code for answer in (gone, kept, again)] == [204, 409, 404]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({"email": "nobody"}, "email", id="no address"),
        pytest.param({"email": "a@b.com", "fit_score": 101}, "fit_score", id="a score over 100"),
        pytest.param({"email": "a@b.com", "emial": "x"}, "emial", id="a typing error"),
        pytest.param({"name": "A\x00da"}, "name", id="a NUL"),
        pytest.param({"name": "A", "custom": {"a": ["\x00"]}}, "custom", id="a NUL deep inside"),
        pytest.param({"name": "A", "custom": {"a": "\ud800"}}, "custom", id="half a character"),
        pytest.param({"name": "Ada\nBcc: x"}, "name", id="two lines"),
        pytest.param({"name": "Ada", "areas": ["Soho", 7]}, "areas.1", id="a number in a list"),
        pytest.param({"name": "Ada", "status": None}, "status", id="an emptied status"),
        pytest.param({"phone": "call me"}, "phone", id="no number"),
        pytest.param({"linkedin_url": "https://evil.test/in/ada"}, "linkedin_url", id="elsewhere"),
        pytest.param({"city": "Paris"}, "body", id="nobody at all"),
    ],
)
async def test_wrong_input_names_the_field(
    api: httpx.AsyncClient, url: str, body: Json, field: str
) -> None:
    # As ASCII, because httpx itself would stumble over half a character.
    text, headers = json.dumps(body), {"Content-Type": "application/json"}
    answer = await api.post(url, content=text, headers=headers)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_a_cursor_of_somebody_elses_making_is_refused(
    api: httpx.AsyncClient, url: str
) -> None:
    answer = await api.get(url, params={"cursor": "made-up"})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "cursor"
