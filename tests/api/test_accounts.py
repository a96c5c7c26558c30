"""Connecting a mailbox, and what may be changed about it."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from shared.db.models import AccountTokenRow, Role
from shared.keyring import Keyring
from shared.providers.google_oauth import NEEDED_SCOPES
from shared.tokens import REFRESH_TOKEN
from tests.api.conftest import FRONTEND, GATEWAY, Login
from tests.api.google import GOOGLE, FakeGoogle
from tests.factories import Company

Json = dict[str, Any]


async def connect(
    api: httpx.AsyncClient,
    anybody: httpx.AsyncClient,
    google: FakeGoogle,
    *,
    return_to: str | None = None,
) -> httpx.Response:
    """What a person does: ask for the link, follow it without any credentials, agree."""
    body = {"return_to": return_to} if return_to else {}
    asked = await api.post("/api/accounts/gmail/connect", json=body)
    assert asked.status_code == 200, asked.text
    sent_on = await anybody.get(asked.json()["authorize_url"])
    assert sent_on.status_code == 302, sent_on.text
    assert sent_on.headers["Location"].startswith(f"{GOOGLE}/auth?")
    back = google.consent(sent_on.headers["Location"])
    return await anybody.get("/email/callback/", params=back)


async def gmail_of(api: httpx.AsyncClient) -> Json:
    """The account that was connected, not the one that every company here begins with."""
    [found] = [one for one in await accounts(api) if one["email"] == "ada@gmail.test"]
    return found


async def accounts(api: httpx.AsyncClient) -> list[Json]:
    found: list[Json] = (await api.get("/api/accounts")).json()["items"]
    return found


async def test_a_mailbox_is_connected_and_its_tokens_are_sealed(
    *,
    api: httpx.AsyncClient,
    anybody: httpx.AsyncClient,
    google: FakeGoogle,
    company: Company,
    database: Any,
    keyring: Keyring,
) -> None:
    done = await connect(api, anybody, google)

    account = await gmail_of(api)
    assert (done.status_code, done.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "ada@gmail.test" in done.text
    assert (account["status"], account["is_primary"], account["sent_today"]) == ("active", False, 0)
    assert "token" not in "".join(account)
    async with database.company_session(company.id, user_id=company.user_id) as session:
        [row] = (await session.scalars(select(AccountTokenRow))).all()
    place = {"company_id": company.id, "row_id": row.account_id}
    assert keyring.open(row.refresh_token, place=REFRESH_TOKEN, **place) == "refresh-code-0"
    async with company.session() as session:
        assert (await session.scalars(select(AccountTokenRow))).all() == []


async def test_the_first_mailbox_becomes_primary(
    anybody: httpx.AsyncClient, google: FakeGoogle
) -> None:
    person = {"email": f"{google.email}.example.com", "password": "correct horse", "name": "Ada"}
    tokens = (await anybody.post("/api/auth/register", json=person)).json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    await anybody.post("/api/companies", json={"name": "Acme"}, headers=headers)
    asked = await anybody.post("/api/accounts/gmail/connect", headers=headers)
    sent_on = await anybody.get(asked.json()["authorize_url"])
    back = google.consent(sent_on.headers["Location"])

    await anybody.get("/email/callback/", params=back)

    [account] = (await anybody.get("/api/accounts", headers=headers)).json()["items"]
    assert account["is_primary"] is True


@pytest.mark.parametrize("place", [f"{FRONTEND}/settings?tab=mail", f"{GATEWAY}/done", "/done"])
async def test_the_person_goes_back_where_they_came_from(
    api: httpx.AsyncClient, anybody: httpx.AsyncClient, google: FakeGoogle, place: str
) -> None:
    done = await connect(api, anybody, google, return_to=place)

    assert done.status_code == 302
    assert done.headers["Location"] == (GATEWAY + place if place.startswith("/") else place)


@pytest.mark.parametrize(
    "place",
    [
        "https://evil.test/",
        "//evil.test/x",
        "http://frontend.test.evil.test/",
        "http://frontend.test@evil.test/",
        "http://frontend.test:81/",
        "https://frontend.test/",
        "javascript:alert(1)",
        "/\\evil.test",
        "http://[",
    ],
)
async def test_nobody_is_sent_to_a_strangers_page(api: httpx.AsyncClient, place: str) -> None:
    answer = await api.post("/api/accounts/gmail/connect", json={"return_to": place})

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["return_to"]


async def test_ticket_and_state_work_once(
    api: httpx.AsyncClient, anybody: httpx.AsyncClient, google: FakeGoogle
) -> None:
    link = (await api.post("/api/accounts/gmail/connect", json={})).json()["authorize_url"]
    first = await anybody.get(link)
    back = google.consent(first.headers["Location"])

    second = await anybody.get(link)
    done = await anybody.get("/email/callback/", params=back)
    again = await anybody.get("/email/callback/", params=back)
    made_up = await anybody.get("/email/callback/", params=back | {"state": "made-up"})

    assert [second.status_code, done.status_code] == [401, 200]
    assert [again.status_code, made_up.status_code] == [401, 401]


async def test_a_scope_that_was_not_ticked_is_said(
    api: httpx.AsyncClient, anybody: httpx.AsyncClient, google: FakeGoogle
) -> None:
    google.scopes = ("openid", "https://www.googleapis.com/auth/userinfo.email")

    done = await connect(api, anybody, google, return_to=f"{FRONTEND}/settings")

    account = await gmail_of(api)
    assert done.headers["Location"].startswith(f"{FRONTEND}/settings?error=")
    assert account["status"] == "needs_attention"
    assert "gmail.modify" in account["status_reason"]


async def test_who_has_allowed_only_sending_learns_what_to_tick(
    api: httpx.AsyncClient, anybody: httpx.AsyncClient, google: FakeGoogle
) -> None:
    *identity, _ = NEEDED_SCOPES
    google.scopes = (*identity, "https://www.googleapis.com/auth/gmail.send")

    await connect(api, anybody, google)

    account = await gmail_of(api)
    check = (await api.get(f"/api/accounts/{account['id']}/check")).json()["scopes"]
    assert account["status"] == "needs_attention"
    assert "Only sending was allowed" in account["status_reason"]
    assert "tick “Read, compose and send emails" in account["status_reason"]
    assert (check["is_ok"], check["remedy"]) == (False, account["status_reason"])


async def test_a_person_who_says_no_comes_back_without_an_account(
    api: httpx.AsyncClient, anybody: httpx.AsyncClient, google: FakeGoogle
) -> None:
    link = (await api.post("/api/accounts/gmail/connect", json={})).json()["authorize_url"]
    state = google.consent((await anybody.get(link)).headers["Location"])["state"]

    answer = await anybody.get("/email/callback/", params={"state": state, "error": "<b>"})

    assert answer.status_code == 409
    assert "&lt;b&gt;" in answer.text
    assert len(await accounts(api)) == 1


async def test_settings_of_an_account_change(
    api: httpx.AsyncClient, anybody: httpx.AsyncClient, google: FakeGoogle
) -> None:
    await connect(api, anybody, google)
    account = await gmail_of(api)
    change = {"is_primary": True, "daily_limit": None, "display_name": "Ada"}

    changed = await api.put(f"/api/accounts/{account['id']}", json=account | change)

    assert changed.status_code == 200, changed.text
    assert changed.json() == account | change
    primary = {one["email"]: one["is_primary"] for one in await accounts(api)}
    assert primary == {"ada@gmail.test": True, "sam@acme.test": False}


async def test_mails_come_from_a_verified_alias_only(
    api: httpx.AsyncClient, anybody: httpx.AsyncClient, google: FakeGoogle
) -> None:
    await connect(api, anybody, google)
    url = f"/api/accounts/{(await gmail_of(api))['id']}"

    aliases = (await api.get(f"{url}/aliases")).json()
    good = {"send_as": "sales@acme.test", "signature": aliases[1]["signature"]}
    changed = await api.put(url, json=good)
    refused = [
        await api.put(url, json={"send_as": address})
        for address in ("new@acme.test", "boss@acme.test")
    ]

    assert [(it["email"], it["is_usable"]) for it in aliases] == [
        ("ada@gmail.test", True),
        ("sales@acme.test", True),
        ("new@acme.test", False),
    ]
    assert {name: changed.json()[name] for name in good} == {
        "send_as": "sales@acme.test",
        "signature": "<b>Ada</b>",
    }
    assert [answer.status_code for answer in refused] == [422, 422]
    assert refused[0].json()["errors"][0]["field"] == "send_as"


async def test_disconnecting_revokes_and_forgets(
    api: httpx.AsyncClient,
    anybody: httpx.AsyncClient,
    google: FakeGoogle,
    company: Company,
    database: Any,
) -> None:
    await connect(api, anybody, google)
    account = await gmail_of(api)
    url = f"/api/accounts/{account['id']}"

    google.is_down = True
    failed = await api.delete(url)
    at_once = await gmail_of(api)
    google.is_down = False
    done = [await api.delete(url) for _ in range(2)]

    assert (failed.status_code, at_once["status"]) == (503, "disconnected")
    assert [answer.status_code for answer in done] == [204, 204]
    assert google.revoked == ["refresh-code-0"]
    async with database.company_session(company.id, user_id=company.user_id) as session:
        assert (await session.scalars(select(AccountTokenRow))).all() == []


async def test_without_its_primary_account_a_company_has_the_next(
    api: httpx.AsyncClient, anybody: httpx.AsyncClient, google: FakeGoogle, company: Company
) -> None:
    await connect(api, anybody, google)

    await api.delete(f"/api/accounts/{company.account_id}")

    assert (await gmail_of(api))["is_primary"] is True


async def test_a_member_touches_only_their_own_mailbox(login: Login, company: Company) -> None:
    member = await login(company, Role.MEMBER)

    answer = await member.delete(f"/api/accounts/{company.account_id}")

    assert answer.status_code == 403


async def test_a_machine_connects_no_mailbox(
    api: httpx.AsyncClient, anybody: httpx.AsyncClient, company: Company
) -> None:
    key = await api.post(
        f"/api/companies/{company.id}/api-keys", json={"name": "job", "scopes": ["write"]}
    )

    answer = await anybody.post(
        "/api/accounts/gmail/connect", json={}, headers={"X-Api-Key": key.json()["key"]}
    )

    assert answer.status_code == 403
