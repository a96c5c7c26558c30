"""A filter of leads with a name means the same wherever leads are chosen."""

from typing import Any

import httpx
import pytest

from shared.db.models import Role
from tests.api.conftest import Login
from tests.factories import Company

Json = dict[str, Any]


@pytest.fixture
def segments(company: Company) -> str:
    return f"/api/companies/{company.id}/segments"


@pytest.fixture
def leads(company: Company) -> str:
    return f"/api/companies/{company.id}/leads"


@pytest.fixture
async def ada(api: httpx.AsyncClient, leads: str) -> str:
    """The only director in Paris; Bob directs elsewhere, Eve works there."""
    people = (("ada", "director", "Paris"), ("bob", "director", "Rome"), ("eve", "clerk", "Paris"))
    made = [
        await api.post(leads, json={"email": f"{name}@example.com", "seniority": s, "city": city})
        for name, s, city in people
    ]
    found: str = made[0].json()["id"]
    return found


async def make(api: httpx.AsyncClient, segments: str, **fields: Any) -> Json:
    answer = await api.post(segments, json={"name": "Directors", **fields})
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    return made


async def test_a_segment_is_kept_changed_and_forgotten(
    api: httpx.AsyncClient, segments: str
) -> None:
    made = await make(api, segments, filter={"seniority": "director", "fit_score_min": 70})
    url = f"{segments}/{made['id']}"
    read = await api.get(url)
    changed = await api.put(
        url,
        json={**made, "name": "Paris", "filter": {"city": "Paris"}},
        headers={"If-Match": read.headers["ETag"]},
    )
    late = await api.put(url, json={"name": "x"}, headers={"If-Match": read.headers["ETag"]})

    assert read.json() == made
    assert made["filter"] == {"seniority": "director", "fit_score_min": 70}
    assert (changed.json()["name"], changed.json()["filter"]) == ("Paris", {"city": "Paris"})
    assert late.status_code == 412
    assert [it["id"] for it in (await api.get(segments)).json()["items"]] == [made["id"]]
    assert (await api.delete(url)).status_code == 204
    assert (await api.get(url)).status_code == 404


async def test_two_segments_have_two_names(api: httpx.AsyncClient, segments: str) -> None:
    await make(api, segments, filter={})
    other = await make(api, segments, name="Others", filter={})

    doubled = await api.post(segments, json={"name": "Directors", "filter": {}})
    renamed = await api.put(f"{segments}/{other['id']}", json={"name": "Directors"})

    assert [doubled.status_code, renamed.status_code] == [409, 409]
    assert "choose another name" in doubled.json()["detail"]


async def test_lists_and_recipients_take_a_segment(
    *, api: httpx.AsyncClient, company: Company, segments: str, leads: str, ada: str
) -> None:
    made = await make(api, segments, filter={"seniority": "DIRECTOR"})
    chosen = {"segment_id": made["id"], "city": "paris"}
    campaign = await company.make_campaign()

    both = await api.get(leads, params={"segment_id": made["id"]})
    listed = await api.get(leads, params=chosen)
    added = await api.post(f"/api/campaigns/{campaign.id}/recipients", json={"filter": chosen})

    assert len(both.json()["items"]) == 2
    assert [lead["id"] for lead in listed.json()["items"]] == [ada]
    assert [it["contact_id"] for it in added.json()["recipients"]] == [ada]


async def test_another_companys_segment_is_like_none(
    *, api: httpx.AsyncClient, login: Login, stranger: Company, leads: str, ada: str
) -> None:
    theirs = await login(stranger, Role.ADMIN)
    made = await make(theirs, f"/api/companies/{stranger.id}/segments", filter={})
    answers = [
        await api.get(leads, params={"segment_id": id_})
        for id_ in (made["id"], "01939b7e-0000-7000-8000-000000000001")
    ]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert [answer.json()["errors"][0]["field"] for answer in answers] == ["segment_id"] * 2


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"name": "x"}, id="no filter"),
        pytest.param({"name": "x", "filter": {"cities": "Paris"}}, id="an unknown field"),
        pytest.param({"name": "x", "filter": {"fit_score_min": 101}}, id="an impossible score"),
        pytest.param({"name": "", "filter": {}}, id="no name"),
    ],
)
async def test_a_filter_is_checked_when_it_is_kept(
    api: httpx.AsyncClient, segments: str, body: Json
) -> None:
    answer = await api.post(segments, json=body)

    assert answer.status_code == 422
    assert answer.json()["errors"]
