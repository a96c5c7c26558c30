"""To-dos that people note for each other, and lists of all of them."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared.db.models import Role
from tests.api.acting import Workers
from tests.api.conftest import Login
from tests.api.todos import URL, open_step, report, the_todo
from tests.factories import Company
from tests.fakes.conductor import RecordingConductor

Json = dict[str, Any]


async def test_people_note_todos_of_their_own(
    api: httpx.AsyncClient, company: Company, conductor: RecordingConductor
) -> None:
    lead_id = await company.make_lead()
    body = {
        "title": "Send the floor plan",
        "lead_id": str(lead_id),
        "due_at": "2026-03-02T10:00:00Z",
        "assignee_id": str(company.user_id),
    }
    made = await api.post(URL, json=body)
    assert made.status_code == 201, made.text
    assert made.json()["is_overdue"]
    assert (await report(api, made.json(), "done")).json()["status"] == "done"
    assert (await report(api, made.json(), "skip")).status_code == 409
    assert not conductor.wakes


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"title": "x", "lead_id": str(uuid4())}, 404),
        ({"title": "x", "assignee_id": str(uuid4())}, 422),
        ({"title": ""}, 422),
        ({}, 422),
    ],
    ids=["no such lead", "no member", "no words", "nothing"],
)
async def test_what_a_todo_cannot_be_is_refused(
    api: httpx.AsyncClient, body: Json, status: int
) -> None:
    assert (await api.post(URL, json=body)).status_code == status


async def test_the_soonest_due_comes_first_page_by_page(api: httpx.AsyncClient) -> None:
    dates = ["2026-03-04T10:00:00Z", None, "2026-03-02T10:00:00Z", None, "2026-03-02T10:00:00Z"]
    for number, due_at in enumerate(dates):
        await api.post(URL, json={"title": str(number), "due_at": due_at})
    found, cursor = [], None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await api.get(URL, params=params)).json()
        found += [todo["title"] for todo in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert found == ["2", "4", "0", "1", "3"]


async def test_lists_are_narrowed(
    api: httpx.AsyncClient, company: Company, workers: Workers
) -> None:
    order = await open_step(company, workers)
    lead_id = (await the_todo(api))["lead"]["id"]
    mine = {"title": "mine", "assignee_id": str(company.user_id), "due_at": "2026-03-02T10:00:00Z"}
    await api.post(URL, json=mine)
    await api.post(URL, json={"title": "later"})
    row = await company.recipient(order.recipient_id)

    async def titles(**params: Any) -> set[str]:
        items = (await api.get(URL, params=params)).json()["items"]
        return {todo["title"] for todo in items}

    assert await titles(overdue=True) == {"mine"}
    assert await titles(assignee="me") == {"Hello", "mine"}
    assert await titles(assignee=str(company.user_id)) == {"Hello", "mine"}
    assert await titles(assignee="nobody") == {"later"}
    assert await titles(campaign_id=str(row.campaign_id)) == {"Hello"}
    assert await titles(lead_id=lead_id) == {"Hello"}
    assert await titles(status="done") == set()


async def test_a_todo_is_handed_on_but_a_steps_words_stay(
    api: httpx.AsyncClient, company: Company, workers: Workers
) -> None:
    await open_step(company, workers)
    todo = await the_todo(api)
    url = f"{URL}/{todo['id']}"

    handed = await api.put(
        url, json={**todo, "due_at": "2030-01-01T00:00:00Z", "assignee_id": None}
    )
    reworded = await api.put(url, json={"title": "Something else"})
    await report(api, todo, "done")
    late = await api.put(url, json={"due_at": None})

    assert handed.status_code == 200, handed.text
    assert (handed.json()["assignee_id"], handed.json()["due_at"]) == (None, "2030-01-01T00:00:00Z")
    assert (reworded.status_code, late.status_code) == (409, 409)


async def test_a_todo_handed_to_a_stranger_stays_where_it_is(api: httpx.AsyncClient) -> None:
    todo = (await api.post(URL, json={"title": "x"})).json()
    url, nobody = f"{URL}/{todo['id']}", str(uuid4())

    answer = await api.put(url, json={"assignee_id": nobody})

    assert answer.status_code == 422, answer.text
    [wrong] = answer.json()["errors"]
    assert wrong["field"] == "assignee_id"
    assert nobody in wrong["message"]
    assert (await api.get(url)).json()["assignee_id"] is None


async def test_who_leaves_the_company_leaves_their_todos_to_others(
    api: httpx.AsyncClient, company: Company, login: Login
) -> None:
    await login(company, Role.MEMBER)
    members = (await api.get(f"/api/companies/{company.id}/members")).json()["items"]
    kim = next(it["user_id"] for it in members if it["user_id"] != str(company.user_id))
    todo = (await api.post(URL, json={"title": "x", "assignee_id": kim})).json()

    left = await api.delete(f"/api/companies/{company.id}/members/{kim}")

    assert left.status_code == 204, left.text
    assert (await api.get(f"{URL}/{todo['id']}")).json()["assignee_id"] is None
