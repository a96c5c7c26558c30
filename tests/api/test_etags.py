"""Two people who change the same thing do not overwrite each other."""

import asyncio
from typing import Any

import httpx
import pytest

from api.main import openapi_document
from shared.db.models import AccountRow, Role
from tests.api.conftest import Login
from tests.factories import NOON, Company

Json = dict[str, Any]
# The field and two contents of it.
CHANGES: dict[str, tuple[str, Any, Any]] = {
    "/api/companies/{company_id}": ("name", "One", "Two"),
    "/api/companies/{company_id}/leads/{lead_id}": ("city", "Paris", "Rome"),
    "/api/companies/{company_id}/members/{user_id}": ("role", "director", "admin"),
    "/api/campaigns/{campaign_id}": ("name", "One", "Two"),
    "/api/campaigns/{campaign_id}/sequences/{step_number}": ("subject", "One", "Two"),
    "/api/accounts/{account_id}": ("display_name", "One", "Two"),
    "/api/todos/{todo_id}": ("title", "One", "Two"),
}
every_resource = pytest.mark.parametrize("template", CHANGES)


@pytest.fixture
async def ids(company: Company, login: Login) -> Json:
    campaign = await company.make_campaign()
    member = await login(company, Role.MEMBER)
    me = await member.get("/api/auth/me")
    todo = await member.post("/api/todos", json={"title": "Call back"})
    return {
        "company_id": company.id,
        "lead_id": await company.make_lead(),
        "campaign_id": campaign.id,
        "step_number": 1,
        "account_id": company.account_id,
        "todo_id": todo.json()["id"],
        "user_id": me.json()["user"]["id"],
    }


@every_resource
async def test_a_change_of_what_was_changed_since_is_refused(
    api: httpx.AsyncClient, ids: Json, template: str
) -> None:
    url, (field, one, two) = template.format(**ids), CHANGES[template]
    read = (await api.get(url)).headers["ETag"]

    first = await api.put(url, json={field: one}, headers={"If-Match": read})
    second = await api.put(url, json={field: two}, headers={"If-Match": read})
    third = await api.put(url, json={field: two}, headers={"If-Match": first.headers["ETag"]})

    assert (first.status_code, second.status_code, third.status_code) == (200, 412, 200)
    assert second.json()["type"] == "/problems/outdated"
    assert (await api.get(url)).headers["ETag"] == third.headers["ETag"]
    assert len({read, first.headers["ETag"], third.headers["ETag"]}) == 3


@every_resource
async def test_without_a_condition_the_last_one_wins(
    api: httpx.AsyncClient, ids: Json, template: str
) -> None:
    url, (field, one, two) = template.format(**ids), CHANGES[template]

    await api.put(url, json={field: one}, headers={"If-Match": "*"})
    answer = await api.put(url, json={field: two})

    assert answer.json()[field] == two


@every_resource
async def test_of_two_changes_at_once_one_is_refused(
    api: httpx.AsyncClient, ids: Json, template: str
) -> None:
    url, (field, one, two) = template.format(**ids), CHANGES[template]
    condition = {"If-Match": (await api.get(url)).headers["ETag"]}

    answers = await asyncio.gather(
        *(api.put(url, json={field: content}, headers=condition) for content in (one, two))
    )

    assert sorted(answer.status_code for answer in answers) == [200, 412]


async def test_what_a_worker_notes_about_a_mailbox_is_no_other_version(
    api: httpx.AsyncClient, company: Company
) -> None:
    url = f"/api/accounts/{company.account_id}"
    read = (await api.get(url)).headers["ETag"]
    async with company.session() as session:
        account = await session.get_one(AccountRow, company.account_id)
        account.last_polled_at, account.history_id = NOON, "17"

    answer = await api.put(url, json={"display_name": "Sam"}, headers={"If-Match": f'"x", {read}'})

    assert answer.status_code == 200


def test_every_change_takes_a_condition() -> None:
    for path, operations in openapi_document()["paths"].items():
        if "put" in operations:
            names = {it["name"] for it in operations["put"]["parameters"]}
            assert "If-Match" in names, path
