"""Who must never be contacted: added, found, removed, and what that does to those who wait."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from shared.contracts.recipient import RecipientRef
from shared.db.models import LeadRow, RecipientRow, Role
from shared.domain.recipient import EndReason
from tests.api.conftest import Login
from tests.factories import NOON, Company
from tests.fakes.conductor import RecordingConductor

Json = dict[str, Any]
URL = "/api/suppressions"


async def wait_for_mail(company: Company, email: str, *, is_running: bool = True) -> RecipientRef:
    campaign = await company.make_campaign()
    ref = await company.make_recipient(campaign, lead_id=await company.make_lead(email=email))
    async with company.session() as session:
        row = await session.get_one(RecipientRow, ref.recipient_id)
        row.started_at = row.launched_at = NOON if is_running else None
    return ref


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        ("email", " Ada@Example.com ", "ada@example.com"),
        ("domain", "@Example.COM", "example.com"),
        ("phone", "+49 (30) 123456", "+4930123456"),
        ("linkedin", "linkedin.com/in/Ada/", "https://www.linkedin.com/in/ada"),
    ],
)
async def test_each_kind_is_kept_in_one_spelling(
    api: httpx.AsyncClient, kind: str, value: str, stored: str
) -> None:
    made = await api.post(URL, json={"kind": kind, "value": value})
    again = await api.post(URL, json={"kind": kind, "value": stored})

    assert (made.status_code, again.status_code) == (201, 200), made.text
    assert made.json()["value"] == stored
    assert (made.json()["is_new"], again.json()["is_new"]) == (True, False)
    assert (made.json()["reason"], made.json()["source"]) == ("manual", "person")
    assert again.json()["id"] == made.json()["id"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "email", "value": "ada"}, "value"),
        ({"kind": "domain", "value": "not a domain"}, "value"),
        ({"kind": "phone", "value": "call me"}, "value"),
        ({"kind": "linkedin", "value": "https://example.com/in/ada"}, "value"),
        ({"kind": "fax", "value": "1"}, "kind"),
        ({"kind": "email", "value": "ada@example.com", "reason": "erased"}, "reason"),
    ],
)
async def test_what_is_no_address_is_refused_by_name(
    api: httpx.AsyncClient, body: Json, field: str
) -> None:
    answer = await api.post(URL, json=body)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize(
    ("kind", "value"), [("email", "ada@example.com"), ("domain", "example.com")]
)
async def test_whoever_waits_there_is_ended_and_told(
    *,
    api: httpx.AsyncClient,
    company: Company,
    conductor: RecordingConductor,
    kind: str,
    value: str,
) -> None:
    running = await wait_for_mail(company, "ada@example.com")
    other = await wait_for_mail(company, "ada@mail.example.com")

    answer = await api.post(URL, json={"kind": kind, "value": value})

    assert answer.json()["ended"] == 1
    row = await company.recipient(running.recipient_id)
    assert (row.end_reason, row.closed_at) == (EndReason.SUPPRESSED, None)
    assert row.ended_at is not None
    assert row.next_at == row.ended_at
    assert (await company.recipient(other.recipient_id)).ended_at is None
    assert [(ref, signal.reason) for ref, signal in conductor.stops] == [
        (running, EndReason.SUPPRESSED)
    ]


@pytest.mark.parametrize(
    ("kind", "value", "more"),
    [
        ("phone", "+4930123456", {"phone": "+4930123456"}),
        (
            "linkedin",
            "https://www.linkedin.com/in/ada",
            {"linkedin_url": "https://www.linkedin.com/in/ada"},
        ),
    ],
)
async def test_a_telephone_or_profile_ends_who_has_it(
    api: httpx.AsyncClient, company: Company, kind: str, value: str, more: Json
) -> None:
    ref = await wait_for_mail(company, "ada@example.com", is_running=False)
    row = await company.recipient(ref.recipient_id)
    lead = f"/api/companies/{company.id}/leads/{row.lead_id}"
    assert (await api.put(lead, json=more)).status_code == 200

    await api.post(URL, json={"kind": kind, "value": value})

    row = await company.recipient(ref.recipient_id)
    assert row.end_reason == EndReason.SUPPRESSED
    # It never started, so nobody has to be told.
    assert row.closed_at == row.ended_at


async def test_what_is_suppressed_is_enrolled_in_nothing(
    api: httpx.AsyncClient, company: Company
) -> None:
    await api.post(URL, json={"kind": "domain", "value": "example.com"})
    lead_id = await company.make_lead(email="eve@example.com")
    campaign = await company.make_campaign()

    url = f"/api/campaigns/{campaign.id}/recipients"
    added = (await api.post(url, json={"contact_ids": [str(lead_id)]})).json()

    assert added["added"] == 0
    assert "suppressed" in added["refused"][0]["reason"]


async def test_a_hash_alone_suffices(api: httpx.AsyncClient, company: Company) -> None:
    body = {"kind": "email", "value": "ada@example.com", "is_value_kept": False}
    made = (await api.post(URL, json=body)).json()

    found = (await api.get(URL, params={"value": "ADA@example.com"})).json()["items"]
    log = (await api.get(f"/api/companies/{company.id}/audit")).text

    assert (made["value"], found[0]["id"], found[0]["value"]) == (None, made["id"], None)
    assert "ada@example.com" not in log


async def test_the_list_is_read_in_pages_and_by_kind(api: httpx.AsyncClient) -> None:
    for name in ("a", "b", "c"):
        await api.post(URL, json={"kind": "email", "value": f"{name}@example.com"})
    await api.post(URL, json={"kind": "domain", "value": "example.com", "reason": "complaint"})

    first = (await api.get(URL, params={"limit": 3})).json()
    rest = (await api.get(URL, params={"limit": 3, "cursor": first["next_cursor"]})).json()
    domains = (await api.get(URL, params={"kind": "domain"})).json()["items"]
    complaints = (await api.get(URL, params={"reason": "complaint"})).json()["items"]
    nobody = (await api.get(URL, params={"value": "eve@example.com"})).json()["items"]

    values = [it["value"] for it in first["items"] + rest["items"]]
    assert values == ["example.com", "c@example.com", "b@example.com", "a@example.com"]
    assert rest["next_cursor"] is None
    assert [it["value"] for it in domains] == ["example.com"]
    assert domains == complaints
    assert nobody == []


async def test_what_can_be_no_address_is_not_searched(api: httpx.AsyncClient) -> None:
    answer = await api.get(URL, params={"value": "?"})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "value"


async def test_a_removed_one_forbids_nothing_any_more(
    api: httpx.AsyncClient, company: Company
) -> None:
    ref = await wait_for_mail(company, "ada@example.com")
    made = (await api.post(URL, json={"kind": "email", "value": "ada@example.com"})).json()

    gone = await api.delete(f"{URL}/{made['id']}")
    again = await api.delete(f"{URL}/{made['id']}")

    assert (gone.status_code, again.status_code) == (204, 404)
    assert (await api.get(URL)).json()["items"] == []
    assert (await company.recipient(ref.recipient_id)).end_reason == EndReason.SUPPRESSED


async def test_members_add_and_read_but_neither_import_nor_remove(
    login: Login, company: Company
) -> None:
    member = await login(company, Role.MEMBER)

    made = await member.post(URL, json={"kind": "email", "value": "ada@example.com"})
    removed = await member.delete(f"{URL}/{made.json()['id']}")
    exported = await member.get(f"{URL}/export")
    taken = await member.post(f"{URL}/import", files={"file": ("l.csv", b"a@example.com")})

    assert made.status_code == 201
    assert (await member.get(URL)).status_code == 200
    assert {removed.status_code, exported.status_code, taken.status_code} == {403}


async def test_an_erased_address_stays_a_hash_when_it_is_added_again(
    api: httpx.AsyncClient, company: Company
) -> None:
    lead_id = await company.make_lead(email="ada@example.com")
    await api.post(URL, json={"kind": "email", "value": "ada@example.com"})
    await api.post(f"/api/companies/{company.id}/leads/{lead_id}/erase")

    again = (await api.post(URL, json={"kind": "email", "value": "ada@example.com"})).json()

    assert (again["is_new"], again["value"]) == (False, None)
    async with company.session() as session:
        assert await session.scalar(select(LeadRow.id)) is None
