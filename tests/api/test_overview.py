"""The list of campaigns, which takes a short way of its own, says what the others say."""

from typing import Any

import httpx
import pytest

from api.schemas.campaigns import CampaignAnswer
from api.tokens import AccessTokens
from shared.db.models import MembershipRow, Role
from shared.db.models.campaigns import CampaignRow
from shared.keyring import Keyring
from tests.api.conftest import Login
from tests.factories import NOON, Campaign, Company

Json = dict[str, Any]
PLACES = ["/api/campaigns", "/api/companies/{company_id}/campaigns"]
places = pytest.mark.parametrize("place", PLACES, ids=["own", "by company"])


@places
async def test_the_list_says_of_each_campaign_what_asking_for_it_says(
    api: httpx.AsyncClient, company: Company, campaign: Campaign, place: str
) -> None:
    await company.make_recipient(campaign)
    draft = (await api.post("/api/campaigns", json={"name": 'É\u2028"x', "type": "call"})).json()
    async with company.session() as session:
        row = await session.get_one(CampaignRow, campaign.id)
        row.activated_at, row.created_by = NOON, company.user_id

    listed = (await api.get(place.format(company_id=company.id))).json()

    assert [one["id"] for one in listed] == [draft["id"], str(campaign.id)]
    for one in listed:
        assert one.keys() == CampaignAnswer.model_fields.keys()
        assert "Z" in one["created_at"]
        alone = (await api.get(f"/api/campaigns/{one['id']}")).json()
        same = CampaignAnswer.model_validate({name: alone[name] for name in one})
        assert CampaignAnswer.model_validate(one) == same
    assert listed[1]["stats"]["pending"] == listed[1]["stats"]["total_recipients"] == 1


@places
async def test_the_list_is_narrowed_and_goes_page_by_page(
    api: httpx.AsyncClient, company: Company, place: str
) -> None:
    url = place.format(company_id=company.id)
    made = [
        (await api.post("/api/campaigns", json={"name": str(n), "type": "email"})).json()["id"]
        for n in range(5)
    ]
    running = await company.make_campaign()

    pages = [await api.get(url, params={"limit": 2, "status": "draft"})]
    while "next" in pages[-1].links:
        pages.append(await api.get(pages[-1].links["next"]["url"]))
    active = await api.get(url, params={"status": "active", "type": "email"})
    nothing = await api.get(url, params={"status": "completed"})

    assert [len(page.json()) for page in pages] == [2, 2, 1]
    assert [one["id"] for page in pages for one in page.json()] == made[::-1]
    assert [one["id"] for one in active.json()] == [str(running.id)]
    assert nothing.json() == []


async def test_who_is_in_two_companies_has_to_say_which_one(
    login: Login, company: Company, stranger: Company, campaign: Campaign, keyring: Keyring
) -> None:
    member = await login(company, Role.MEMBER)
    alone = await member.get("/api/campaigns")
    user_id = AccessTokens(keyring).read(member.headers["Authorization"][7:]).user_id
    assert user_id is not None
    async with stranger.session() as session:
        session.add(MembershipRow(user_id=user_id, role=Role.MEMBER))

    unclear = await member.get("/api/campaigns")
    token = AccessTokens(keyring).issue(user_id, company.id)
    clear = await member.get("/api/campaigns", headers={"Authorization": f"Bearer {token}"})

    assert [one["id"] for one in alone.json()] == [str(campaign.id)]
    assert unclear.status_code == 409
    assert clear.json() == alone.json()


async def test_nobody_lists_another_companys_campaigns(
    api: httpx.AsyncClient, stranger: Company, anybody: httpx.AsyncClient, keyring: Keyring
) -> None:
    await stranger.make_campaign()
    theirs = f"/api/companies/{stranger.id}/campaigns"
    user_id = AccessTokens(keyring).read(api.headers["Authorization"][7:]).user_id
    assert user_id is not None
    forged = {"Authorization": f"Bearer {AccessTokens(keyring).issue(user_id, stranger.id)}"}

    assert (await api.get("/api/campaigns")).json() == []
    assert (await api.get(theirs)).status_code == 404
    assert (await api.get("/api/campaigns", headers=forged)).status_code == 403
    assert (await anybody.get("/api/campaigns")).status_code == 401
    assert (await anybody.get(theirs)).status_code == 401


async def test_a_machine_lists_as_people_do(
    api: httpx.AsyncClient, anybody: httpx.AsyncClient, company: Company, campaign: Campaign
) -> None:
    keys = {}
    for scope in ("read", "inbound"):
        body = {"name": scope, "scopes": [scope]}
        made = await api.post(f"/api/companies/{company.id}/api-keys", json=body)
        keys[scope] = {"X-Api-Key": made.json()["key"]}

    listed = await anybody.get("/api/campaigns", headers=keys["read"])
    refused = await anybody.get("/api/campaigns", headers=keys["inbound"])

    assert [one["id"] for one in listed.json()] == [str(campaign.id)]
    assert refused.status_code == 403
