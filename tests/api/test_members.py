"""Who belongs to a company, and that somebody always answers for it."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared.db.models import Role
from tests.api.conftest import Login
from tests.factories import Company

Json = dict[str, Any]
PASSWORD = "correct horse battery"


@pytest.fixture
def members(company: Company) -> str:
    return f"/api/companies/{company.id}/members"


@pytest.fixture
def email() -> str:
    return f"eve-{uuid4()}@example.com"


async def user_id_of(client: httpx.AsyncClient) -> str:
    found: str = (await client.get("/api/auth/me")).json()["user"]["id"]
    return found


def bearer(tokens: Json) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


async def test_a_new_person_is_invited_and_sets_a_password(
    *,
    api: httpx.AsyncClient,
    anybody: httpx.AsyncClient,
    company: Company,
    members: str,
    email: str,
) -> None:
    invited = await api.post(members, json={"email": email, "role": "director"})
    assert invited.status_code == 201, invited.text
    assert invited.json()["is_invited"]
    token = invited.json()["invitation_token"]

    accepted = await anybody.post(
        "/api/auth/accept-invitation",
        json={"invitation_token": token, "password": PASSWORD, "name": "Eve"},
    )
    again = await anybody.post(
        "/api/auth/accept-invitation", json={"invitation_token": token, "password": PASSWORD}
    )
    login = await anybody.post("/api/auth/login", json={"email": email, "password": PASSWORD})

    me = await anybody.get("/api/auth/me", headers=bearer(accepted.json()))
    assert me.json()["active_company_id"] == str(company.id)
    assert me.json()["companies"][0]["role"] == "director"
    assert (again.status_code, login.status_code) == (401, 200)
    listed = (await api.get(members)).json()["items"]
    assert [it["name"] for it in listed if it["email"] == email] == ["Eve"]


async def test_nobody_logs_in_before_the_password_is_set(
    api: httpx.AsyncClient, anybody: httpx.AsyncClient, members: str, email: str
) -> None:
    await api.post(members, json={"email": email, "role": "member"})

    for password in ("", "-", "!"):
        answer = await anybody.post("/api/auth/login", json={"email": email, "password": password})
        assert answer.status_code == 401


async def test_of_two_invitations_one_sets_the_password(
    *,
    api: httpx.AsyncClient,
    login: Login,
    stranger: Company,
    anybody: httpx.AsyncClient,
    members: str,
    email: str,
) -> None:
    theirs = await login(stranger, Role.ADMIN)
    first = await api.post(members, json={"email": email, "role": "member"})
    second = await theirs.post(
        f"/api/companies/{stranger.id}/members", json={"email": email, "role": "member"}
    )

    answers = [
        await anybody.post(
            "/api/auth/accept-invitation",
            json={"invitation_token": it.json()["invitation_token"], "password": PASSWORD},
        )
        for it in (first, second)
    ]

    assert [answer.status_code for answer in answers] == [200, 409]


async def test_somebody_with_a_password_is_in_at_once(
    api: httpx.AsyncClient, anybody: httpx.AsyncClient, members: str, email: str
) -> None:
    person = {"email": email, "password": PASSWORD, "name": "Eve"}
    tokens = (await anybody.post("/api/auth/register", json=person)).json()

    invited = await api.post(members, json={"email": email.upper(), "role": "member"})
    twice = await api.post(members, json={"email": email, "role": "member"})

    assert invited.json()["invitation_token"] is None
    assert twice.status_code == 409
    seen = await anybody.get("/api/campaigns", headers=bearer(tokens))
    assert seen.status_code == 200


async def test_another_role_counts_from_the_next_request_on(
    api: httpx.AsyncClient, login: Login, company: Company, members: str
) -> None:
    kim = await login(company, Role.DIRECTOR)
    made = await kim.post("/api/campaigns", json={"name": "A", "type": "email"})

    changed = await api.put(f"{members}/{await user_id_of(kim)}", json={"role": "member"})
    refused = await kim.post("/api/campaigns", json={"name": "B", "type": "email"})

    assert (made.status_code, changed.json()["role"]) == (201, "member")
    assert refused.status_code == 403


async def test_who_was_taken_out_finds_nothing(
    api: httpx.AsyncClient, login: Login, company: Company, members: str
) -> None:
    kim = await login(company, Role.MEMBER)

    gone = await api.delete(f"{members}/{await user_id_of(kim)}")

    assert gone.status_code == 204
    assert (await kim.get(f"/api/companies/{company.id}")).status_code == 404


async def test_everybody_may_leave_but_takes_nobody_along(
    api: httpx.AsyncClient, login: Login, company: Company, members: str
) -> None:
    kim = await login(company, Role.MEMBER)

    other = await kim.delete(f"{members}/{company.user_id}")
    left = await kim.delete(f"{members}/{await user_id_of(kim)}")

    assert (other.status_code, left.status_code) == (403, 204)


async def test_the_last_admin_stays(
    api: httpx.AsyncClient, login: Login, company: Company, members: str
) -> None:
    own = f"{members}/{company.user_id}"
    await login(company, Role.DIRECTOR)

    left = await api.delete(own)
    demoted = await api.put(own, json={"role": "director"})
    same = await api.put(own, json={"role": "admin"})

    assert (left.status_code, demoted.status_code, same.status_code) == (409, 409, 200)
    assert "last admin" in left.json()["detail"]


async def test_two_admins_cannot_leave_at_once(
    api: httpx.AsyncClient, login: Login, company: Company, members: str
) -> None:
    kim = await login(company, Role.ADMIN)

    answers = await asyncio.gather(
        api.delete(f"{members}/{company.user_id}"), kim.delete(f"{members}/{await user_id_of(kim)}")
    )

    assert sorted(answer.status_code for answer in answers) == [204, 409]


async def test_members_come_in_pages(
    api: httpx.AsyncClient, login: Login, company: Company, members: str
) -> None:
    for _ in range(3):
        await login(company, Role.MEMBER)

    first = (await api.get(members, params={"limit": 3})).json()
    rest = (await api.get(members, params={"limit": 3, "cursor": first["next_cursor"]})).json()

    assert (len(first["items"]), len(rest["items"]), rest["next_cursor"]) == (3, 1, None)
