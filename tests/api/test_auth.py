"""Who somebody is: registration, login, and families of refresh tokens."""

import asyncio
from typing import Any

import httpx
import pytest
from uuid_utils.compat import uuid7

from shared.db.models import Role
from tests.api.conftest import Login
from tests.factories import Company

Json = dict[str, Any]
PASSWORD = "correct horse battery"


async def register(anybody: httpx.AsyncClient) -> tuple[Json, Json]:
    """A new user's credentials and first tokens."""
    credentials = {"email": f"ada-{uuid7()}@example.com", "password": PASSWORD}
    answer = await anybody.post("/api/auth/register", json=credentials | {"name": "Ada"})
    assert answer.status_code == 201, answer.text
    return credentials, answer.json()


def bearer(tokens: Json) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


async def test_a_person_registers_and_is_known(anybody: httpx.AsyncClient) -> None:
    credentials, tokens = await register(anybody)

    me = await anybody.get("/api/auth/me", headers=bearer(tokens))

    assert tokens["token_type"] == "bearer"
    assert tokens["expires_in"] == 900
    assert me.json()["user"]["email"] == credentials["email"]
    assert me.json()["companies"] == []
    assert me.json()["active_company_id"] is None


async def test_an_address_registers_once_in_whatever_case(anybody: httpx.AsyncClient) -> None:
    credentials, _ = await register(anybody)

    again = await anybody.post(
        "/api/auth/register",
        json={**credentials, "email": credentials["email"].upper(), "name": "Eve"},
    )

    assert again.status_code == 409


async def test_login_gives_tokens_and_a_wrong_password_does_not(anybody: httpx.AsyncClient) -> None:
    credentials, _ = await register(anybody)

    right = await anybody.post("/api/auth/login", json=credentials)
    wrong = await anybody.post("/api/auth/login", json=credentials | {"password": "guessed it"})
    nobody = await anybody.post(
        "/api/auth/login", json={"email": "no@example.com", "password": "x"}
    )

    assert (right.status_code, wrong.status_code, nobody.status_code) == (200, 401, 401)
    assert wrong.json()["detail"] == nobody.json()["detail"]
    assert PASSWORD not in wrong.text


async def test_guessing_a_password_has_to_wait(anybody: httpx.AsyncClient) -> None:
    credentials, _ = await register(anybody)
    wrong = credentials | {"password": "guessed it"}

    answers = [await anybody.post("/api/auth/login", json=wrong) for _ in range(11)]
    right = await anybody.post("/api/auth/login", json=credentials)

    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert right.status_code == 429
    assert int(right.headers["Retry-After"]) > 800


async def test_a_refresh_token_works_once_and_its_reuse_ends_the_family(
    anybody: httpx.AsyncClient,
) -> None:
    _, first = await register(anybody)

    async def refresh(tokens: Json) -> httpx.Response:
        body = {"refresh_token": tokens["refresh_token"]}
        return await anybody.post("/api/auth/refresh", json=body)

    second = await refresh(first)
    stolen = await refresh(first)
    third = await refresh(second.json())

    assert second.status_code == 200
    assert second.json()["refresh_token"] != first["refresh_token"]
    assert (stolen.status_code, third.status_code) == (401, 401)


async def test_of_two_who_use_a_refresh_token_at_once_one_is_the_second(
    anybody: httpx.AsyncClient,
) -> None:
    _, tokens = await register(anybody)
    body = {"refresh_token": tokens["refresh_token"]}

    both = await asyncio.gather(*(anybody.post("/api/auth/refresh", json=body) for _ in range(2)))

    assert sorted(answer.status_code for answer in both) == [200, 401]


async def test_logout_ends_the_login(anybody: httpx.AsyncClient) -> None:
    _, tokens = await register(anybody)
    body = {"refresh_token": tokens["refresh_token"]}

    out = await anybody.post("/api/auth/logout", json=body)
    after = await anybody.post("/api/auth/refresh", json=body)

    assert (out.status_code, after.status_code) == (204, 401)


async def test_switching_makes_a_company_active(anybody: httpx.AsyncClient) -> None:
    _, tokens = await register(anybody)
    names = ("Acme", "Zenith")
    made = [
        await anybody.post("/api/companies", json={"name": name}, headers=bearer(tokens))
        for name in names
    ]
    undecided = await anybody.get("/api/campaigns", headers=bearer(tokens))
    chosen = made[1].json()["id"]

    switched = await anybody.post(
        "/api/auth/switch-company", json={"company_id": chosen}, headers=bearer(tokens)
    )

    me = await anybody.get("/api/auth/me", headers=bearer(switched.json()))
    campaigns = await anybody.get("/api/campaigns", headers=bearer(switched.json()))
    assert undecided.status_code == 409
    assert me.json()["active_company_id"] == chosen
    assert {company["name"] for company in me.json()["companies"]} == set(names)
    assert campaigns.json() == []


async def test_nobody_switches_into_another_company(
    anybody: httpx.AsyncClient, stranger: Company
) -> None:
    _, tokens = await register(anybody)
    body = {"company_id": str(stranger.id)}

    answer = await anybody.post("/api/auth/switch-company", json=body, headers=bearer(tokens))

    assert answer.status_code == 404


async def test_somebody_without_a_company_is_told_to_make_one(anybody: httpx.AsyncClient) -> None:
    _, tokens = await register(anybody)

    answer = await anybody.get("/api/campaigns", headers=bearer(tokens))

    assert answer.status_code == 409
    assert "POST /api/companies" in answer.json()["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="none"),
        pytest.param({"Authorization": "Bearer made.up.token"}, id="a made-up token"),
        pytest.param({"X-Api-Key": "drb_made-up"}, id="a made-up key"),
    ],
)
async def test_without_good_credentials_nothing_is_shown(
    anybody: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await anybody.get("/api/campaigns", headers=headers)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_member_reads_and_does_not_write(login: Login, company: Company) -> None:
    member = await login(company, Role.MEMBER)

    read = await member.get("/api/campaigns")
    written = await member.post("/api/campaigns", json={"name": "Spring", "type": "email"})

    assert (read.status_code, written.status_code) == (200, 403)
    assert "director" in written.json()["detail"]


async def test_a_key_does_what_its_scopes_say(
    api: httpx.AsyncClient, anybody: httpx.AsyncClient, company: Company
) -> None:
    keys = f"/api/companies/{company.id}/api-keys"
    made = await api.post(keys, json={"name": "reports", "scopes": ["read"]})
    headers = {"X-Api-Key": made.json()["key"]}
    campaign = {"name": "Spring", "type": "email"}

    read = await anybody.get("/api/campaigns", headers=headers)
    written = await anybody.post("/api/campaigns", json=campaign, headers=headers)
    listed = await api.get(keys)
    deleted = await api.delete(f"{keys}/{made.json()['id']}")
    after = await anybody.get("/api/campaigns", headers=headers)

    assert (read.status_code, written.status_code) == (200, 403)
    assert [key["name"] for key in listed.json()["items"]] == ["reports"]
    assert made.json()["key"] not in listed.text
    assert (deleted.status_code, after.status_code) == (204, 401)


async def test_only_an_admin_makes_keys(login: Login, company: Company) -> None:
    director = await login(company, Role.DIRECTOR)

    answer = await director.post(
        f"/api/companies/{company.id}/api-keys", json={"name": "mine", "scopes": ["write"]}
    )

    assert answer.status_code == 403
