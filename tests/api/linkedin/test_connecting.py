"""Connecting LinkedIn through Unipile's page."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy import select
from starlette.routing import BaseRoute

from api.container import assemble
from api.main import create_app
from api.parts import Parts
from shared.db.models import AccountRow, LinkedInAccountRow, Role
from shared.db.models.accounts import AccountStatus
from shared.domain.channels import AccountKind
from tests.api.conftest import FRONTEND, GATEWAY, Login
from tests.api.linkedin.conftest import NEWS
from tests.factories import Company
from tests.fakes.conductor import RecordingConductor
from tests.fakes.unipile import FakeUnipile
from tests.networking import Clock, connect_network


async def _link(api: httpx.AsyncClient, unipile: FakeUnipile, **body: Any) -> dict[str, Any]:
    answer = await api.post("/api/accounts/linkedin/connect", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["authorize_url"].startswith("https://account.unipile.test/")
    return unipile.answers.links[-1]


async def _connected(
    gateway: httpx.AsyncClient, link: dict[str, Any], account_id: str
) -> httpx.Response:
    told = {"status": "CREATION_SUCCESS", "account_id": account_id, "name": link["name"]}
    return await gateway.post(link["notify_url"], json=told)


async def _accounts(company: Company) -> list[AccountRow]:
    async with company.session() as session:
        where = AccountRow.kind == AccountKind.LINKEDIN
        return list(await session.scalars(select(AccountRow).where(where)))


async def test_a_person_connects_an_account_on_unipiles_page(
    api: httpx.AsyncClient, gateway: httpx.AsyncClient, unipile: FakeUnipile, company: Company
) -> None:
    link = await _link(api, unipile, return_to=f"{FRONTEND}/settings")
    me = unipile.world.add_account("Sam-Sender")

    answer = await _connected(gateway, link, me.id)

    assert answer.status_code == 200, answer.text
    [account] = await _accounts(company)
    assert answer.json() == {"account_id": str(account.id)}
    assert (account.user_id, account.email) == (company.user_id, "linkedin.com/in/sam-sender")
    assert (account.daily_limit, account.limits["per_week"]) == (20, 100)
    assert account.limits["messages_per_day"] == 50
    assert not account.is_primary
    assert link["success_redirect_url"] == f"{FRONTEND}/settings"
    assert link["failure_redirect_url"] == f"{FRONTEND}/settings?error=linkedin"
    assert {it["request_url"] for it in unipile.news.subscriptions} == {NEWS}
    shown = (await api.get(f"/api/accounts/{account.id}")).json()
    assert (shown["kind"], shown["status"]) == ("linkedin", "active")


async def test_a_link_works_once(
    api: httpx.AsyncClient, gateway: httpx.AsyncClient, unipile: FakeUnipile
) -> None:
    link = await _link(api, unipile)
    me = unipile.world.add_account("sam-once")
    await _connected(gateway, link, me.id)

    assert (await _connected(gateway, link, me.id)).status_code == 401
    assert (await _connected(gateway, {**link, "name": "made up"}, me.id)).status_code == 401


async def test_nobody_takes_an_account_that_was_there_before_the_link(
    *,
    api: httpx.AsyncClient,
    gateway: httpx.AsyncClient,
    unipile: FakeUnipile,
    company: Company,
    stranger: Company,
    clock: Clock,
) -> None:
    theirs = await connect_network(stranger, unipile, clock)
    old = unipile.world.add_account("sam-old")
    old.created_at -= timedelta(days=1)
    link = await _link(api, unipile)

    assert (await _connected(gateway, link, theirs.me.id)).status_code == 409
    assert (await _connected(gateway, link, old.id)).status_code == 403
    assert await _accounts(company) == []


async def test_an_outage_while_unipile_tells_us_leaves_the_link_good(
    api: httpx.AsyncClient, gateway: httpx.AsyncClient, unipile: FakeUnipile, company: Company
) -> None:
    link = await _link(api, unipile)
    me = unipile.world.add_account("sam-again")
    unipile.be_down(on="getAccount")

    assert (await _connected(gateway, link, me.id)).status_code == 503
    assert (await _connected(gateway, link, me.id)).status_code == 200
    assert len(await _accounts(company)) == 1


async def test_an_account_is_connected_again_and_its_parked_go_on(
    *,
    api: httpx.AsyncClient,
    gateway: httpx.AsyncClient,
    unipile: FakeUnipile,
    company: Company,
    clock: Clock,
    conductor: RecordingConductor,
) -> None:
    network = await connect_network(company, unipile, clock)
    await network.set_account(
        status=AccountStatus.NEEDS_ATTENTION,
        status_reason="its login has expired",
        daily_limit=7,
        email=f"linkedin.com/in/{network.me.public_id}",
    )
    link = await _link(api, unipile, account_id=str(network.account_id))
    assert (link["type"], link["reconnect_account"]) == ("reconnect", network.me.id)

    answer = await _connected(gateway, link, network.me.id)

    assert answer.json() == {"account_id": str(network.account_id)}
    account = await network.account()
    assert (account.status, account.status_reason) == (AccountStatus.ACTIVE, None)
    assert account.daily_limit == 7
    assert len(conductor.wakings) == 1


async def test_a_second_session_of_the_same_member_replaces_the_first(
    api: httpx.AsyncClient, gateway: httpx.AsyncClient, unipile: FakeUnipile, company: Company
) -> None:
    first = unipile.world.add_account("sam-twice")
    await _connected(gateway, await _link(api, unipile), first.id)
    second = unipile.world.add_account("sam-twice")

    await _connected(gateway, await _link(api, unipile), second.id)

    [account] = await _accounts(company)
    async with company.session() as session:
        [details] = list(await session.scalars(select(LinkedInAccountRow)))
    assert (details.account_id, details.provider_id) == (account.id, second.id)
    assert first.id not in unipile.world.accounts


async def test_who_has_left_the_company_connects_nothing(
    gateway: httpx.AsyncClient, unipile: FakeUnipile, company: Company, login: Login
) -> None:
    director, admin = await login(company, Role.DIRECTOR), await login(company, Role.ADMIN)
    link = await _link(director, unipile)
    members = (await admin.get(f"/api/companies/{company.id}/members")).json()["items"]
    leaving = next(it["user_id"] for it in members if it["role"] == "director")
    await admin.delete(f"/api/companies/{company.id}/members/{leaving}")
    me = unipile.world.add_account("sam-left")

    assert (await _connected(gateway, link, me.id)).status_code == 403


async def test_another_companys_account_cannot_be_connected_again(
    api: httpx.AsyncClient, unipile: FakeUnipile, stranger: Company, clock: Clock
) -> None:
    theirs = await connect_network(stranger, unipile, clock)

    body = {"account_id": str(theirs.account_id)}
    answer = await api.post("/api/accounts/linkedin/connect", json=body)

    assert answer.status_code == 404
    assert "no account" in answer.json()["detail"]


async def test_disconnecting_ends_the_session_at_unipile(
    api: httpx.AsyncClient, unipile: FakeUnipile, company: Company, clock: Clock
) -> None:
    network = await connect_network(company, unipile, clock)
    unipile.be_down(on="deleteAccount")

    first = await api.delete(f"/api/accounts/{network.account_id}")
    again = await api.delete(f"/api/accounts/{network.account_id}")

    assert (first.status_code, again.status_code) == (503, 204)
    assert unipile.world.accounts == {}
    assert (await network.account()).status is AccountStatus.DISCONNECTED


async def test_only_a_mailbox_is_primary(
    api: httpx.AsyncClient, unipile: FakeUnipile, company: Company, clock: Clock
) -> None:
    network = await connect_network(company, unipile, clock)

    answer = await api.put(f"/api/accounts/{network.account_id}", json={"is_primary": True})
    await api.delete(f"/api/accounts/{company.account_id}")

    assert answer.status_code == 409
    assert not (await network.account()).is_primary


async def test_a_check_asks_no_dns_about_a_member(
    api: httpx.AsyncClient, unipile: FakeUnipile, company: Company, clock: Clock
) -> None:
    network = await connect_network(company, unipile, clock)
    await network.set_account(last_polled_at=clock.at)

    found = (await api.get(f"/api/accounts/{network.account_id}/check")).json()

    assert (found["is_ok"], found["domain"]) == (True, "linkedin.com")


async def test_limits_of_linkedin_can_be_set(
    api: httpx.AsyncClient, unipile: FakeUnipile, company: Company, clock: Clock
) -> None:
    network = await connect_network(company, unipile, clock)
    limits = {"per_week": 80, "messages_per_day": 30, "withdraw_after_days": 14}

    answer = await api.put(
        f"/api/accounts/{network.account_id}", json={"daily_limit": 15, "limits": limits}
    )

    assert answer.status_code == 200, answer.text
    assert answer.json()["limits"] == limits


async def test_without_a_key_the_setting_is_named(
    parts: Parts, company: Company, routes: list[BaseRoute], api: httpx.AsyncClient
) -> None:
    app = create_app(assemble(replace(parts, unipile=None, unipile_secret=None)))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url=GATEWAY, headers=api.headers
    ) as bare:
        connect = await bare.post("/api/accounts/linkedin/connect")
        news = await bare.post("/webhooks/unipile", content=b"{}")

    assert (connect.status_code, news.status_code) == (503, 503)
    assert "DRUMBEAT_UNIPILE_API_KEY" in connect.json()["detail"]
    assert "DRUMBEAT_UNIPILE_WEBHOOK_SECRET" in news.json()["detail"]
