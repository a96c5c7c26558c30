"""Nothing of another company is in a list, a count or a stream, or found by an id inside a call."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.main import openapi_document
from shared.db.models import Role
from tests.api.conftest import Login
from tests.api.test_isolation import ids_of, without_ids
from tests.factories import Company

Json = dict[str, Any]
# Nobody's company is concerned, or the answer does not end (test_events.py).
OTHERS = {
    "get_health",
    "get_readiness",
    "get_metrics",
    "get_campaign_schema",
    "begin_connecting",
    "finish_connecting",
    "stream_events",
}
LISTS = [
    (path, operations["get"]["operationId"])
    for path, operations in openapi_document()["paths"].items()
    if "get" in operations
    and not path.replace("{company_id}", "").count("{")
    and operations["get"]["operationId"] not in OTHERS
]


@pytest.mark.parametrize("path", [path for path, _ in LISTS], ids=[name for _, name in LISTS])
async def test_a_list_shows_nothing_of_another_company(
    login: Login, company: Company, stranger: Company, path: str
) -> None:
    admin = await login(company, Role.ADMIN)
    url = path.format(company_id=company.id)
    before = shown(await admin.get(url))

    theirs = await ids_of(stranger)
    answer = await admin.get(url)

    assert answer.status_code in {200, 422}, answer.text
    assert not [name for name, found in theirs.items() if len(found) > 1 and found in answer.text]
    if path != "/api/companies/{company_id}/audit":
        assert shown(answer) == before


def shown(answer: httpx.Response) -> Any:
    """What is the same whenever it is asked for: of a page, how many are on it."""
    if not answer.headers["content-type"].startswith("application/json"):
        return answer.text
    found = answer.json()
    return len(found["items"]) if "items" in found else found


BY_QUERY = [
    ("/api/companies/{company_id}/leads", "segment_id", "segment_id"),
    ("/api/companies/{company_id}/leads", "not_in_campaign", "campaign_id"),
    ("/api/companies/{company_id}/audit?subject=leads", "subject_id", "lead_id"),
    ("/api/messages", "campaign_id", "campaign_id"),
    ("/api/messages", "lead_id", "lead_id"),
    ("/api/todos", "campaign_id", "campaign_id"),
    ("/api/todos", "lead_id", "lead_id"),
    ("/api/todos", "assignee", "user_id"),
    *[
        (path, "cursor", f"{noun}_id")
        for path, noun in [
            ("/api/campaigns", "campaign"),
            ("/api/accounts", "account"),
            ("/api/todos", "todo"),
            ("/api/webhooks", "webhook"),
            ("/api/templates", "template"),
            ("/api/tasks", "task"),
        ]
    ],
]


@pytest.mark.parametrize(("path", "parameter", "name"), BY_QUERY)
async def test_another_companys_id_in_a_query_is_as_good_as_none(
    *, login: Login, company: Company, stranger: Company, path: str, parameter: str, name: str
) -> None:
    admin, theirs = await login(company, Role.ADMIN), await ids_of(stranger)
    nobodys = {name: str(uuid4())}
    url = path.format(company_id=company.id)

    by_theirs, by_nobodys = [
        await admin.get(url, params={parameter: ids[name]}) for ids in (theirs, nobodys)
    ]

    assert by_theirs.status_code == by_nobodys.status_code
    assert without_ids(by_theirs, theirs) == without_ids(by_nobodys, nobodys)


BY_BODY: list[tuple[str, str, Json]] = [
    ("product_id", "/api/campaigns", {"name": "S", "type": "email", "product_id": "{product_id}"}),
    (
        "account_id",
        "/api/campaigns",
        {"name": "S", "type": "email", "account_ids": ["{account_id}"]},
    ),
    ("lead_id", "/api/todos", {"title": "x", "lead_id": "{lead_id}"}),
    ("user_id", "/api/todos", {"title": "x", "assignee_id": "{user_id}"}),
    ("lead_id", "/api/templates/render", {"template": "x", "lead_id": "{lead_id}"}),
    ("lead_id", "/api/campaigns/{own}/recipients", {"contact_id": "{lead_id}"}),
    ("lead_id", "/api/campaigns/{own}/recipients", {"contact_ids": ["{lead_id}"]}),
    ("segment_id", "/api/campaigns/{own}/recipients", {"filter": {"segment_id": "{segment_id}"}}),
    ("lead_id", "/api/campaigns/{own}/preview", {"lead_id": "{lead_id}"}),
    ("company_id", "/api/auth/switch-company", {"company_id": "{company_id}"}),
]


@pytest.mark.parametrize(("name", "path", "body"), BY_BODY)
async def test_another_companys_id_in_a_body_is_as_good_as_none(
    *, login: Login, company: Company, stranger: Company, name: str, path: str, body: Json
) -> None:
    admin, theirs = await login(company, Role.ADMIN), await ids_of(stranger)
    nobodys = {name: str(uuid4())}
    own = await company.make_campaign()
    url = path.format(own=own.id)

    by_theirs, by_nobodys = [
        await admin.post(url, json=filled(body, ids)) for ids in (theirs, nobodys)
    ]

    assert by_theirs.status_code == by_nobodys.status_code
    assert without_ids(by_theirs, theirs) == without_ids(by_nobodys, nobodys)
    assert by_theirs.status_code in {404, 409, 422} or by_theirs.json().get("added") == 0


def filled(body: Json, ids: dict[str, str]) -> Json:
    def fill(content: Any) -> Any:
        if isinstance(content, dict):
            return {name: fill(inner) for name, inner in content.items()}
        if isinstance(content, list):
            return [fill(inner) for inner in content]
        return content.format(**ids)

    found: Json = fill(body)
    return found
