"""A write with an Idempotency-Key is done once, and answered as often as it is asked for."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI, Request
from sqlalchemy import func, select, text

from api.container import Container
from api.dependencies import CompanyWriter, Services
from shared.db.models import IdempotencyKeyRow, LeadRow, Role
from shared.db.session import Database
from tests.api.conftest import Login
from tests.factories import Company

LATER = timedelta(seconds=61)
ADA = {"email": "ada@example.com", "first_name": "Ada"}


def keyed(key: str | None = None) -> dict[str, str]:
    return {"Idempotency-Key": key or str(uuid4())}


@pytest.fixture
def leads(company: Company) -> str:
    return f"/api/companies/{company.id}/leads"


async def count_leads(company: Company) -> int | None:
    async with company.session() as session:
        return await session.scalar(select(func.count()).select_from(LeadRow))


async def test_a_repetition_gets_the_first_answer(
    api: httpx.AsyncClient, company: Company, leads: str
) -> None:
    headers = keyed()

    first = await api.post(leads, json=ADA, headers=headers)
    again = await api.post(leads, json=ADA, headers=headers)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Content-Type"] == first.headers["Content-Type"]
    assert await count_leads(company) == 1


async def test_without_a_key_a_repetition_is_another_write(
    api: httpx.AsyncClient, leads: str
) -> None:
    await api.post(leads, json=ADA)

    assert (await api.post(leads, json=ADA)).status_code == 409


async def test_the_same_key_with_another_body_is_refused(
    api: httpx.AsyncClient, company: Company, leads: str
) -> None:
    headers = keyed()
    await api.post(leads, json=ADA, headers=headers)

    answer = await api.post(leads, json=ADA | {"first_name": "Eve"}, headers=headers)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"
    assert await count_leads(company) == 1


async def test_a_key_is_its_callers_and_its_address_s_own(
    api: httpx.AsyncClient, login: Login, company: Company, leads: str
) -> None:
    headers = keyed()
    other = await login(company, Role.DIRECTOR)
    await api.post(leads, json=ADA, headers=headers)

    assert (await other.post(leads, json=ADA, headers=headers)).status_code == 409
    made = await api.post("/api/campaigns", json={"name": "A", "type": "email"}, headers=headers)
    assert made.status_code == 201


async def test_of_many_at_once_one_does_it(
    api: httpx.AsyncClient, company: Company, leads: str
) -> None:
    headers = keyed()

    answers = await asyncio.gather(*(api.post(leads, json=ADA, headers=headers) for _ in range(8)))

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert await count_leads(company) == 1
    for answer in answers:
        if answer.status_code == 409:
            assert int(answer.headers["Retry-After"]) >= 1
            assert "under way" in answer.json()["detail"]


async def test_a_refusal_is_forgotten_because_it_did_nothing(
    api: httpx.AsyncClient, leads: str
) -> None:
    headers = keyed()
    wrong = await api.post(leads, json={"email": "no address"}, headers=headers)

    right = await api.post(leads, json=ADA, headers=headers)

    assert (wrong.status_code, right.status_code) == (422, 201)


@pytest.mark.parametrize("key", ["", "k" * 201])
async def test_a_key_of_an_impossible_length_is_refused(
    api: httpx.AsyncClient, leads: str, key: str
) -> None:
    answer = await api.post(leads, json=ADA, headers={"Idempotency-Key": key})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"


async def test_an_answer_with_a_secret_is_not_kept(
    api: httpx.AsyncClient, company: Company, database: Database
) -> None:
    url, headers = f"/api/companies/{company.id}/api-keys", keyed()
    body = {"name": "nightly", "scopes": ["read"]}
    first = await api.post(url, json=body, headers=headers)

    again = await api.post(url, json=body, headers=headers)

    assert (first.status_code, again.status_code) == (201, 409)
    assert "secret" in again.json()["detail"]
    assert len((await api.get(url)).json()["items"]) == 1
    async with database.outside_session() as session:
        kept = select(IdempotencyKeyRow.answer).where(IdempotencyKeyRow.company_id == company.id)
        assert (await session.scalars(kept)).all() == [None]


async def test_a_login_is_not_kept_either(anybody: httpx.AsyncClient) -> None:
    person = {"email": f"{uuid4()}@example.com", "password": "long enough", "name": "Ada"}
    headers = keyed()
    await anybody.post("/api/auth/register", json=person, headers=headers)

    again = await anybody.post("/api/auth/register", json=person, headers=headers)

    assert again.status_code == 409
    assert "carried out already" in again.json()["detail"]


async def test_answers_are_kept_sealed(
    api: httpx.AsyncClient, company: Company, leads: str, database: Database
) -> None:
    await api.post(leads, json=ADA, headers=keyed())

    async with database.outside_session() as session:
        row = await session.scalar(
            select(IdempotencyKeyRow).where(IdempotencyKeyRow.company_id == company.id)
        )
    assert row is not None
    assert row.answer
    assert b"ada@" not in row.answer
    assert row.effect_at is not None


async def age(database: Database, company: Company, by: timedelta) -> None:
    async with database.outside_session() as session:
        await session.execute(
            text(
                "update idempotency_keys set claimed_at = claimed_at - :by,"
                " expires_at = expires_at - :by where company_id = :company_id"
            ),
            {"by": by, "company_id": company.id},
        )


async def test_a_day_later_it_is_a_new_write(
    api: httpx.AsyncClient, company: Company, database: Database
) -> None:
    headers, body = keyed(), {"name": "A", "type": "email"}
    first = await api.post("/api/campaigns", json=body, headers=headers)
    await age(database, company, timedelta(hours=24))

    second = await api.post("/api/campaigns", json=body, headers=headers)

    assert second.status_code == 201
    assert second.json()["id"] != first.json()["id"]


class Slow:
    """A route that writes a lead when it is let, and counts how often."""

    def __init__(self, app: FastAPI) -> None:
        self.entered, self.go = asyncio.Event(), asyncio.Event()
        self.fails = False
        self.dies = False

        @app.post("/api/companies/{company_id}/slow")
        async def slow(caller: CompanyWriter, services: Services, request: Request) -> Any:
            self.entered.set()
            await self.go.wait()
            if self.fails:
                raise RuntimeError
            lead = await services.leads.create(caller, {"email": f"{uuid4()}@example.com"})
            if self.dies:
                raise RuntimeError
            return {"id": str(lead.id)}


@pytest.fixture
def slow(app: FastAPI) -> Slow:
    return Slow(app)


async def test_what_takes_too_long_loses_its_claim_and_does_nothing(
    api: httpx.AsyncClient, company: Company, database: Database, slow: Slow
) -> None:
    """The dead gateway that was not dead: its repetition has begun, so it must not write."""
    url, headers = f"/api/companies/{company.id}/slow", keyed()
    first = asyncio.create_task(api.post(url, headers=headers))
    await slow.entered.wait()
    early = await api.post(url, headers=headers)
    await age(database, company, LATER)
    slow.entered.clear()
    second = asyncio.create_task(api.post(url, headers=headers))
    await slow.entered.wait()
    slow.go.set()

    assert early.status_code == 409
    assert 1 <= int(early.headers["Retry-After"]) <= 60
    assert sorted([(await first).status_code, (await second).status_code]) == [200, 409]
    assert await count_leads(company) == 1


async def test_what_failed_without_an_effect_is_done_by_its_repetition(
    api: httpx.AsyncClient, company: Company, slow: Slow
) -> None:
    url, headers = f"/api/companies/{company.id}/slow", keyed()
    slow.go.set()
    slow.fails = True
    first = await api.post(url, headers=headers)
    slow.fails = False

    second = await api.post(url, headers=headers)

    assert (first.status_code, second.status_code) == (500, 200)
    assert await count_leads(company) == 1


async def test_what_failed_after_its_effect_is_never_done_again(
    api: httpx.AsyncClient, company: Company, slow: Slow, database: Database
) -> None:
    url, headers = f"/api/companies/{company.id}/slow", keyed()
    slow.go.set()
    slow.dies = True
    await api.post(url, headers=headers)
    await age(database, company, LATER)

    again = await api.post(url, headers=headers)

    assert again.status_code == 409
    assert "carried out already" in again.json()["detail"]
    assert await count_leads(company) == 1


async def test_an_answer_that_cannot_be_kept_is_given_all_the_same(
    api: httpx.AsyncClient, container: Container, leads: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(container.idempotency, "keep", away)

    assert (await api.post(leads, json=ADA, headers=keyed())).status_code == 201


async def test_old_keys_go_with_new_ones(
    api: httpx.AsyncClient, company: Company, leads: str, database: Database
) -> None:
    await api.post(leads, json=ADA, headers=keyed())
    await age(database, company, timedelta(days=2))
    await api.post("/api/campaigns", json={"name": "A", "type": "email"}, headers=keyed())

    async with database.outside_session() as session:
        old = select(func.count()).where(IdempotencyKeyRow.expires_at < datetime.now(UTC))
        assert await session.scalar(old) == 0
