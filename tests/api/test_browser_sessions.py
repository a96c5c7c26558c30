"""Pages of ours log in with a cookie; what another site makes a browser send is refused."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI

from api.cookies import CSRF, SESSION, Cookies
from shared.db.models import MembershipRow, Role, UserRow
from shared.db.session import Database
from tests.api.conftest import FRONTEND, GATEWAY
from tests.api.google import GOOGLE
from tests.factories import Company

PASSWORD = "correct horse battery"
CAMPAIGN = {"name": "Spring", "type": "email"}


@pytest.fixture
async def credentials(company: Company, database: Database) -> dict[str, Any]:
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    async with database.outside_session() as session:
        user = await session.get_one(UserRow, company.user_id)
        user.password_hash = hasher.hash(PASSWORD)
    async with company.session() as session:
        session.add(MembershipRow(user_id=company.user_id, role=Role.ADMIN))
    return {"email": user.email, "password": PASSWORD, "cookie": True}


@pytest.fixture
async def browser(app: FastAPI, credentials: dict[str, Any]) -> AsyncIterator[httpx.AsyncClient]:
    """Keeps its cookies, and sends nothing but them."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=GATEWAY) as client:
        answer = await client.post("/api/auth/login", json=credentials)
        assert answer.status_code == 200, answer.text
        yield client


def from_page(browser: httpx.AsyncClient) -> dict[str, str]:
    return {"X-CSRF-Token": browser.cookies[CSRF]}


async def test_a_page_reads_and_writes_with_the_cookie(browser: httpx.AsyncClient) -> None:
    read = await browser.get("/api/campaigns")
    written = await browser.post("/api/campaigns", json=CAMPAIGN, headers=from_page(browser))

    assert (read.status_code, written.status_code) == (200, 201)


@pytest.mark.parametrize("token", [None, "", "guessed", "é"])
async def test_another_site_cannot_write_with_the_cookie(
    browser: httpx.AsyncClient, token: str | None
) -> None:
    headers = {} if token is None else {b"X-CSRF-Token": token.encode("latin-1")}

    answer = await browser.post("/api/campaigns", json=CAMPAIGN, headers=headers)

    assert answer.status_code == 403
    assert "X-CSRF-Token" in answer.json()["detail"]


async def test_a_token_of_another_session_is_refused(
    browser: httpx.AsyncClient, credentials: dict[str, Any]
) -> None:
    """Nor can one be planted: the cookie that pages read is never looked at."""
    old = from_page(browser)
    await browser.post("/api/auth/login", json=credentials)
    browser.cookies.set(CSRF, old["X-CSRF-Token"])

    assert (await browser.post("/api/campaigns", json=CAMPAIGN, headers=old)).status_code == 403


async def test_a_bearer_token_needs_no_page(
    browser: httpx.AsyncClient, credentials: dict[str, Any]
) -> None:
    tokens = (await browser.post("/api/auth/login", json=credentials)).json()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}

    assert (await browser.post("/api/campaigns", json=CAMPAIGN, headers=bearer)).status_code == 201


async def test_the_cookie_is_hidden_from_scripts(
    anybody: httpx.AsyncClient, credentials: dict[str, Any]
) -> None:
    answer = await anybody.post("/api/auth/login", json=credentials)

    cookies = dict(it.split("=", 1) for it in answer.headers.get_list("set-cookie"))
    assert "HttpOnly" in cookies[SESSION]
    assert "HttpOnly" not in cookies[CSRF]
    for cookie in cookies.values():
        assert "SameSite=lax" in cookie
        assert "Path=/" in cookie
        assert "Secure" not in cookie  # this gateway is reached over plain HTTP
    assert Cookies(is_secure=True).is_secure


async def test_without_asking_there_is_no_cookie(
    anybody: httpx.AsyncClient, credentials: dict[str, Any]
) -> None:
    answer = await anybody.post("/api/auth/login", json=credentials | {"cookie": False})

    assert "set-cookie" not in answer.headers


async def test_after_logout_the_cookie_is_worth_nothing(browser: httpx.AsyncClient) -> None:
    stolen = browser.cookies[SESSION]
    refused = await browser.post("/api/auth/logout")
    answer = await browser.post("/api/auth/logout", headers=from_page(browser))

    assert (refused.status_code, answer.status_code) == (403, 204)
    assert SESSION not in browser.cookies
    browser.cookies.set(SESSION, stolen)
    assert (await browser.get("/api/campaigns")).status_code == 401


async def test_a_refresh_token_is_no_cookie_and_a_cookie_is_none(
    browser: httpx.AsyncClient, anybody: httpx.AsyncClient, credentials: dict[str, Any]
) -> None:
    tokens = (await anybody.post("/api/auth/login", json=credentials)).json()
    as_refresh = await anybody.post(
        "/api/auth/refresh", json={"refresh_token": browser.cookies[SESSION]}
    )
    browser.cookies.set(SESSION, tokens["refresh_token"])

    assert as_refresh.status_code == 401
    assert (await browser.get("/api/campaigns")).status_code == 401


async def test_a_session_switches_its_company(
    browser: httpx.AsyncClient, stranger: Company, company: Company
) -> None:
    async with stranger.session() as session:
        session.add(MembershipRow(user_id=company.user_id, role=Role.MEMBER))
    undecided = await browser.get("/api/campaigns")

    switched = await browser.post(
        "/api/auth/switch-company",
        json={"company_id": str(stranger.id)},
        headers=from_page(browser),
    )

    assert (undecided.status_code, switched.status_code) == (409, 200)
    me = await browser.get("/api/auth/me")
    assert me.json()["active_company_id"] == str(stranger.id)


async def test_a_browser_connects_its_mailbox_without_a_ticket(
    browser: httpx.AsyncClient, anybody: httpx.AsyncClient
) -> None:
    asked = "/email/connect/?login_hint=ada@gmail.test"

    sent_on = await browser.get(asked)
    nobody = await anybody.get(asked)

    assert (sent_on.status_code, nobody.status_code) == (302, 401)
    assert sent_on.headers["Location"].startswith(f"{GOOGLE}/auth?")


@pytest.mark.parametrize(("origin", "is_known"), [(FRONTEND, True), ("http://evil.test", False)])
async def test_only_known_origins_may_read_what_the_cookie_opens(
    browser: httpx.AsyncClient, origin: str, is_known: bool
) -> None:
    asks = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,idempotency-key,if-match,x-csrf-token",
    }
    preflight = await browser.options("/api/campaigns", headers=asks)
    read = await browser.get("/api/campaigns", headers={"Origin": origin})

    assert preflight.is_success == is_known
    for answer in (preflight, read):
        allowed = answer.headers.get("Access-Control-Allow-Origin")
        assert (allowed == origin) == is_known
        assert allowed != "*"
    assert "ETag" in read.headers["Access-Control-Expose-Headers"]
