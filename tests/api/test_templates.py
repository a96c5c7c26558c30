"""Texts that people keep, and how they come out."""

from uuid import uuid4

import httpx
import pytest

from shared.db.models import LeadRow, Role
from tests.api.conftest import Login
from tests.factories import Company

TEXT = "Hello {{ lead.first_name }}"


async def test_a_template_is_kept_changed_and_deleted(api: httpx.AsyncClient) -> None:
    body = {"name": "First", "subject": "Hi {{ lead.name }}", "message_template": TEXT}
    made = (await api.post("/api/templates", json=body)).json()
    url = f"/api/templates/{made['id']}"

    changed = await api.put(url, json={**made, "message_template": "<p>New</p>"})
    listed = (await api.get("/api/templates")).json()["items"]

    assert changed.json() == {
        **made,
        "message_template": "<p>New</p>",
        "updated_at": changed.json()["updated_at"],
    }
    assert [one["id"] for one in listed] == [made["id"]]
    assert (await api.delete(url)).status_code == 204
    assert (await api.get(url)).status_code == 404


async def test_two_people_do_not_overwrite_each_other(api: httpx.AsyncClient) -> None:
    made = await api.post("/api/templates", json={"name": "First", "message_template": TEXT})
    url = f"/api/templates/{made.json()['id']}"
    tag = (await api.get(url)).headers["etag"]
    await api.put(url, json={"name": "Second"})

    late = await api.put(url, json={"name": "Third"}, headers={"If-Match": tag})

    assert late.status_code == 412


@pytest.mark.parametrize("field", ["message_template", "subject"])
async def test_a_mistake_is_shown_with_its_place(api: httpx.AsyncClient, field: str) -> None:
    body = {"name": "First", "message_template": TEXT, field: "Hello {{ lead. }}"}

    answer = await api.post("/api/templates", json=body)

    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert error["field"] == field
    assert error["message"].startswith("line 1, column 16")


async def test_variables_are_listed_by_group(api: httpx.AsyncClient) -> None:
    listed = (await api.get("/api/templates/variables")).json()

    assert {"name", "email", "phone", "budget_max", "beds", "areas"} <= set(listed["lead"])
    assert {"name", "brand_primary_color", "brand_tone"} <= set(listed["company"])
    assert listed["property"] == ["title", "price_amount", "city", "area", "beds", "baths"]
    assert {"name", "type", "created_at"} <= set(listed["campaign"])
    assert {"floatformat", "intcomma", "default", "title"} <= set(listed["filters"])


async def test_everything_that_is_listed_can_be_rendered(api: httpx.AsyncClient) -> None:
    listed = (await api.get("/api/templates/variables")).json()
    for group in ("lead", "company", "product", "property", "campaign", "sender"):
        names = " ".join(f"{{{{ {group}.{name}|default:'-' }}}}" for name in listed[group])
        names = names.replace("{{ lead.custom|default:'-' }}", "")

        answer = await api.post("/api/templates/render", json={"template": names})

        assert answer.json()["error"] is None
        assert answer.json()["unknown_variables"] == []


async def test_a_template_is_rendered_for_a_lead(api: httpx.AsyncClient, company: Company) -> None:
    lead_id = await company.make_lead()
    async with company.session() as session:
        (await session.get_one(LeadRow, lead_id)).budget_max = 1_250_000
    template = "<p>{{ lead.first_name }}: {{ lead.budget_max|floatformat:'0g' }}</p>"

    answer = await api.post(
        "/api/templates/render",
        json={
            "template": template,
            "subject": "For {{ lead.first_name }}",
            "lead_id": str(lead_id),
        },
    )

    assert answer.json() == {
        "subject": "For Ada",
        "text": "Ada: 1,250,000",
        "html": "<p>Ada: 1,250,000</p>",
        "missing_variables": [],
        "unknown_variables": [],
        "error": None,
    }


async def test_what_a_lead_lacks_is_named(api: httpx.AsyncClient, company: Company) -> None:
    lead_id = await company.make_lead()
    template = "{{ lead.city }} {{ lead.phone }} {{ lead.nick|default:'x' }} {{ lead.title or 1 }}"

    answer = await api.post(
        "/api/templates/render", json={"template": template, "lead_id": str(lead_id)}
    )

    shown = answer.json()
    assert shown["missing_variables"] == ["lead.city", "lead.phone"]
    assert shown["unknown_variables"] == ["lead.nick"]
    assert shown["text"] is None
    assert "lead.city" in shown["error"]


async def test_without_a_lead_an_example_is_taken(api: httpx.AsyncClient) -> None:
    template = "{{ lead.name }}, {{ property.price_amount|intcomma }}, {{ campaign.type }}"

    answer = await api.post("/api/templates/render", json={"template": template})

    assert answer.json()["text"] == "Ada Lovelace, 595,000, email"


async def test_a_lead_who_is_not_there_is_a_404(api: httpx.AsyncClient) -> None:
    body = {"template": TEXT, "lead_id": str(uuid4())}

    assert (await api.post("/api/templates/render", json=body)).status_code == 404


async def test_a_member_reads_and_renders_but_does_not_write(
    login: Login, company: Company
) -> None:
    member = await login(company, Role.MEMBER)

    assert (await member.get("/api/templates")).status_code == 200
    rendered = await member.post("/api/templates/render", json={"template": TEXT})
    assert rendered.status_code == 200
    written = await member.post("/api/templates", json={"name": "x", "message_template": TEXT})
    assert written.status_code == 403
