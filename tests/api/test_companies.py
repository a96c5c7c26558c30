"""Companies: the first thing that somebody makes here."""

import httpx

from shared.db.models import Role
from tests.api.conftest import Login
from tests.api.test_auth import bearer, register
from tests.factories import Company


async def test_who_makes_a_company_is_its_admin(anybody: httpx.AsyncClient) -> None:
    _, tokens = await register(anybody)
    fields = {"name": "Acme", "time_zone": "Europe/Paris", "brand_tone": "calm"}

    made = await anybody.post("/api/companies", json=fields, headers=bearer(tokens))

    company = made.json()
    read = await anybody.get(f"/api/companies/{company['id']}", headers=bearer(tokens))
    assert made.status_code == 201
    assert {name: company[name] for name in fields} == fields
    assert company["role"] == "admin"
    assert read.json() == company


async def test_a_company_that_was_read_may_be_sent_back(
    api: httpx.AsyncClient, company: Company
) -> None:
    url = f"/api/companies/{company.id}"
    read = (await api.get(url)).json()

    changed = await api.put(url, json=read | {"brand_primary_color": "#1f6feb"})

    assert changed.status_code == 200, changed.text
    assert changed.json()["brand_primary_color"] == "#1f6feb"
    assert changed.json()["name"] == read["name"]


async def test_what_is_wrong_in_its_form_is_told_in_words(
    api: httpx.AsyncClient, company: Company
) -> None:
    changed = await api.put(f"/api/companies/{company.id}", json={"brand_primary_color": "#12345"})

    [error] = changed.json()["errors"]
    assert changed.status_code == 422
    assert error["message"] == ("Give a colour as # and six hexadecimal digits, such as #1f6feb")


async def test_a_time_zone_that_does_not_exist_is_named(
    api: httpx.AsyncClient, company: Company
) -> None:
    answer = await api.put(f"/api/companies/{company.id}", json={"time_zone": "Mars/Base"})

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["time_zone"]


async def test_a_member_does_not_change_the_company(login: Login, company: Company) -> None:
    member = await login(company, Role.MEMBER)

    answer = await member.put(f"/api/companies/{company.id}", json={"name": "Mine"})

    assert answer.status_code == 403


async def test_a_company_says_for_how_long_its_invitations_wait(
    api: httpx.AsyncClient, company: Company
) -> None:
    url = f"/api/companies/{company.id}"
    days = {"withdraw_invitations_after_days": 14}

    changed = await api.put(url, json=days)
    refused = await api.put(url, json={"withdraw_invitations_after_days": 0})
    usual = await api.put(url, json={"withdraw_invitations_after_days": None})

    assert changed.json()["withdraw_invitations_after_days"] == 14
    assert refused.status_code == 422
    assert usual.json()["withdraw_invitations_after_days"] is None
