"""An account at Bland is connected by its key, which is tried first and kept sealed."""

from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from api.call_parts import bland_door
from api.parts import Parts
from shared.calls import webhook_url
from shared.db.session import Database
from shared.keyring import Keyring
from shared.providers.bland_reports import SIGNATURE_HEADER, sign
from tests.api.conftest import GATEWAY
from tests.factories import Company
from tests.fakes.bland import FakeBland
from tests.phone_line import MORNING

NEW = {"api_key": FakeBland.api_key}


@pytest.fixture
def bland() -> FakeBland:
    return FakeBland(clock=lambda: MORNING)


@pytest.fixture
async def http(bland: FakeBland) -> AsyncIterator[httpx.AsyncClient]:
    async with bland.http() as http:
        yield http


@pytest.fixture
def parts(parts: Parts, bland: FakeBland, http: httpx.AsyncClient) -> Parts:
    return replace(parts, bland=bland_door(http, bland.endpoint, FakeBland.secret))


async def test_a_key_is_tried_and_kept_sealed(
    api: httpx.AsyncClient, company: Company, database: Database, bland: FakeBland
) -> None:
    answer = await api.post("/api/accounts/bland", json=NEW | {"plan": "build", "name": "Sales"})

    assert answer.status_code == 201, answer.text
    account = answer.json()
    assert (account["kind"], account["email"], account["status"]) == ("bland", "Sales", "active")
    assert (account["daily_limit"], account["limits"]) == (2_000, {"at_once": 50, "per_hour": 1000})
    assert not account["is_primary"]
    assert bland.requests == {"listCalls": 1}
    assert account["id"] in {it["id"] for it in (await api.get("/api/accounts")).json()["items"]}
    async with database.company_session(company.id, user_id=company.user_id) as session:
        sealed = await session.scalar(text("select api_key from bland_logins"))
    assert FakeBland.api_key.encode() not in bytes(sealed)
    assert FakeBland.api_key not in answer.text


async def test_the_same_name_again_is_the_same_account(api: httpx.AsyncClient) -> None:
    first = (await api.post("/api/accounts/bland", json=NEW)).json()
    second = (await api.post("/api/accounts/bland", json=NEW | {"daily_limit": 5})).json()

    assert second["id"] == first["id"]
    assert second["daily_limit"] == 5


@pytest.mark.parametrize(("status", "answered"), [(401, 422), (429, 503), (503, 503)])
async def test_a_key_that_does_not_work_is_not_kept(
    api: httpx.AsyncClient, bland: FakeBland, status: int, answered: int
) -> None:
    bland.fail(status, "No.", on="listCalls")

    answer = await api.post("/api/accounts/bland", json=NEW)

    assert answer.status_code == answered, answer.text
    kinds = [it["kind"] for it in (await api.get("/api/accounts")).json()["items"]]
    assert "bland" not in kinds


async def test_a_line_is_checked_like_any_account(api: httpx.AsyncClient) -> None:
    account_id = (await api.post("/api/accounts/bland", json=NEW)).json()["id"]

    check = (await api.get(f"/api/accounts/{account_id}/check")).json()

    assert check["is_ok"]
    assert check["quota"]["ceiling"] == 100


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"api_key": "key\u00e4"}, "api_key"), ({"api_key": " "}, "api_key"), ({"plan": "x"}, "plan")],
)
async def test_what_cannot_be_a_key_is_not_tried(
    api: httpx.AsyncClient, bland: FakeBland, wrong: dict[str, str], field: str
) -> None:
    answer = await api.post("/api/accounts/bland", json=NEW | wrong)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert not bland.requests


async def test_a_disconnected_line_forgets_its_key(
    api: httpx.AsyncClient, company: Company, database: Database
) -> None:
    account_id = (await api.post("/api/accounts/bland", json=NEW)).json()["id"]

    assert (await api.delete(f"/api/accounts/{account_id}")).status_code == 204

    async with database.company_session(company.id, user_id=company.user_id) as session:
        assert await session.scalar(text("select count(*) from bland_logins")) == 0


async def test_an_account_s_own_secret_counts_instead(
    *, anybody: httpx.AsyncClient, api: httpx.AsyncClient, keyring: Keyring, company: Company
) -> None:
    new = NEW | {"webhook_secret": "our own"}
    account = (await api.post("/api/accounts/bland", json=new)).json()
    url = webhook_url(
        keyring,
        public_url="https://gateway.test",
        endpoint=FakeBland.endpoint,
        company_id=company.id,
        account_id=UUID(account["id"]),
    )
    assert url is not None
    hook, body = url.replace("https://gateway.test", GATEWAY), b'{"call_id": "c"}'

    theirs = await anybody.post(hook, content=body, headers=_signed(body))
    own = await anybody.post(hook, content=body, headers=_signed(body, "our own"))

    assert (theirs.status_code, own.status_code) == (401, 200)


def _signed(body: bytes, secret: str = FakeBland.secret) -> dict[str, str]:
    return {SIGNATURE_HEADER: sign(secret, body), "content-type": "application/json"}


async def test_a_company_names_the_countries_that_ask_for_no_consent(
    api: httpx.AsyncClient, company: Company
) -> None:
    url = f"/api/companies/{company.id}"

    kept = await api.put(url, json={"calls_without_consent_in": ["NZ"]})
    wrong = await api.put(url, json={"calls_without_consent_in": ["New Zealand"]})

    assert kept.json()["calls_without_consent_in"] == ["NZ"]
    assert (await api.get(url)).json()["calls_without_consent_in"] == ["NZ"]
    assert wrong.status_code == 422
