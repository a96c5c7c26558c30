"""Connecting a mailbox by SMTP and IMAP: real servers, and what people get wrong."""

from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from api.container import assemble
from api.main import create_app
from api.parts import Parts
from shared.db.models import AccountRow, MailLoginRow, RecipientRow
from shared.db.models.accounts import AccountStatus
from shared.db.session import Database
from shared.domain.channels import AccountKind
from shared.domain.recipient import HoldReason
from shared.keyring import Keyring
from shared.mail_logins import PASSWORD as CELL
from shared.providers.mail_hosts import find_host
from shared.webhooks import Destinations
from tests.factories import NOON, Company
from tests.fakes.conductor import RecordingConductor
from tests.fakes.mail_server import PASSWORD, FakeSmtp, ImapServer
from tests.wakings import tell_everybody

Json = dict[str, Any]
URL = "/api/accounts/smtp"
# The servers know this one.
NAME = "sam@acme.test"


@pytest.fixture
def body(smtp: FakeSmtp, imap: ImapServer) -> Json:
    return {
        "account_email": "kim@acme.test",
        "account_password": PASSWORD,
        "username": NAME,
        "host": "127.0.0.1",
        "port": smtp.port,
        "security": "none",
        "imap_host": "127.0.0.1",
        "imap_port": imap.port,
        "imap_security": "none",
        "display_name": "Kim",
    }


async def test_a_mailbox_is_connected_and_its_password_is_sealed(
    api: httpx.AsyncClient, body: Json, company: Company, database: Database, keyring: Keyring
) -> None:
    answer = await api.post(URL, json=body)

    account = answer.json()
    assert answer.status_code == 201, answer.text
    assert (account["kind"], account["email"], account["status"]) == (
        "smtp",
        "kim@acme.test",
        "active",
    )
    assert (account["display_name"], account["daily_limit"]) == ("Kim", 40)
    assert PASSWORD not in answer.text
    async with database.company_session(company.id, user_id=company.user_id) as session:
        [row] = (await session.scalars(select(MailLoginRow))).all()
    assert PASSWORD.encode() not in row.password
    opened = keyring.open(row.password, place=CELL, company_id=company.id, row_id=row.account_id)
    assert opened == PASSWORD
    async with company.session() as session:
        assert (await session.scalars(select(MailLoginRow))).all() == []


async def test_connecting_again_is_the_same_account_and_wakes_who_waits_for_it(
    api: httpx.AsyncClient,
    body: Json,
    company: Company,
    conductor: RecordingConductor,
    database: Database,
) -> None:
    account = (await api.post(URL, json=body)).json()
    campaign = await company.make_campaign()
    parked, without = [await company.make_recipient(campaign) for _ in range(2)]
    async with company.session() as session:
        row = await session.get_one(AccountRow, account["id"])
        row.status, row.status_reason = AccountStatus.NEEDS_ATTENTION, "the password changed"
        for ref, account_id in ((parked, row.id), (without, None)):
            recipient = await session.get_one(RecipientRow, ref.recipient_id)
            recipient.launched_at = recipient.parked_at = NOON
            recipient.account_id = account_id
            recipient.hold_reason = HoldReason.ACCOUNT_DOWN if account_id else HoldReason.NO_ACCOUNT

    again = (await api.post(URL, json=body)).json()

    assert (again["id"], again["status"], again["status_reason"]) == (account["id"], "active", None)
    await tell_everybody(database, conductor)
    assert {ref for ref, _ in conductor.wakes} == {parked, without}


@pytest.mark.parametrize(
    ("change", "status", "field", "words"),
    [
        ({"account_password": "wrong"}, 422, "account_password", "does not accept"),
        ({"account_password": "wröng"}, 422, "account_password", "does not accept"),
        ({"username": "sam\u2028"}, 422, "account_password", "does not accept"),
        ({"account_password": "a\r\nNOOP"}, 422, "account_password", "one line"),
        ({"port": 1}, 422, "host", "could not be reached"),
        ({"imap_port": 1}, 422, "imap_host", "could not be reached"),
        ({"security": "starttls"}, 409, None, "STARTTLS"),
        ({"host": "no-such.invalid", "security": "tls"}, 422, "host", "no server"),
        ({"host": "10.0.0.1"}, 422, "security", "everybody on the way"),
        ({"account_type": "nobody"}, 422, "account_type", "Use one of"),
        ({"host": None}, 422, "host", "acme.test"),
        ({"imap_host": None}, 422, "imap_host", "acme.test"),
    ],
    ids=lambda it: "-".join(it) if isinstance(it, dict) else "",
)
async def test_what_is_wrong_is_named(
    *, api: httpx.AsyncClient, body: Json, change: Json, status: int, field: str | None, words: str
) -> None:
    answer = await api.post(URL, json=body | change)

    problem = answer.json()
    assert answer.status_code == status, answer.text
    assert words in problem["detail"]
    if field:
        assert [error["field"] for error in problem["errors"]] == [field]
    assert [one["kind"] for one in (await api.get("/api/accounts")).json()["items"]] == ["gmail"]


async def test_a_blocked_account_is_told_so(
    api: httpx.AsyncClient, body: Json, smtp: FakeSmtp
) -> None:
    smtp.answers["AUTH"] = "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication"

    answer = await api.post(URL, json=body)

    assert answer.status_code == 409
    assert "blocked" in answer.json()["detail"]


async def test_an_address_that_google_has_is_not_taken_over(
    api: httpx.AsyncClient, body: Json, company: Company
) -> None:
    theirs = body | {"account_email": NAME}
    refused = await api.post(URL, json=theirs)
    async with company.session() as session:
        row = await session.get_one(AccountRow, company.account_id)
        row.status, row.history_id = AccountStatus.DISCONNECTED, "77"

    taken = await api.post(URL, json=theirs)

    assert (refused.status_code, taken.status_code) == (409, 201)
    async with company.session() as session:
        row = await session.get_one(AccountRow, company.account_id)
        assert (row.kind, row.history_id) == (AccountKind.SMTP, None)


async def test_disconnecting_forgets_the_password(
    api: httpx.AsyncClient, body: Json, company: Company, database: Database
) -> None:
    account = (await api.post(URL, json=body)).json()

    answer = await api.delete(f"/api/accounts/{account['id']}")

    assert answer.status_code == 204
    async with database.company_session(company.id, user_id=company.user_id) as session:
        assert (await session.scalars(select(MailLoginRow))).all() == []


async def test_servers_inside_are_not_called_for_strangers(
    parts: Parts, body: Json, api: httpx.AsyncClient, smtp: FakeSmtp
) -> None:
    guarded = create_app(assemble(replace(parts, mail_places=Destinations())))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(guarded), base_url="http://g.test", headers=api.headers
    ) as client:
        answer = await client.post(URL, json=body)

    assert answer.status_code == 422
    assert "private network" in answer.json()["detail"]
    assert smtp.logins == 0


@pytest.mark.parametrize(
    ("account_type", "email", "hosts"),
    [
        (None, "kim@gmail.com", ("smtp.gmail.com", 465, "imap.gmail.com", 993)),
        ("office365", "kim@acme.test", ("smtp.office365.com", 587, "outlook.office365.com", 993)),
        (None, "kim@icloud.com", ("smtp.mail.me.com", 587, "imap.mail.me.com", 993)),
    ],
)
def test_the_hosts_of_a_known_provider_are_filled_in(
    account_type: str | None, email: str, hosts: tuple[str, int, str, int]
) -> None:
    host = find_host(account_type=account_type, email=email)

    assert host is not None
    assert (host.smtp.host, host.smtp.port, host.imap.host, host.imap.port) == hosts
    assert find_host(account_type=None, email="kim@acme.test") is None
