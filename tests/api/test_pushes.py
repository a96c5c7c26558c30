"""Gmail tells, through Pub/Sub, that a mailbox has changed."""

import json
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from api.container import assemble
from api.main import create_app
from api.parts import Parts
from api.push_tokens import ISSUER, PushTokens, push_tokens
from shared.contracts.operations import MailboxOrder
from shared.db.models import AccountRow
from shared.db.models.accounts import AccountStatus
from shared.errors import Misconfigured
from tests.api.conftest import GATEWAY
from tests.api.test_openid import Provider
from tests.factories import Company
from tests.fakes.conductor import RecordingConductor

AUDIENCE, PUSHER = "https://gateway.test/webhooks/gmail", "push@acme.iam.test"
CLAIMS = {"iss": ISSUER, "aud": AUDIENCE, "email": PUSHER}


@pytest.fixture
def google_keys() -> Provider:
    made = Provider()
    made.add_key("one")
    return made


@pytest.fixture
async def pubsub(parts: Parts, google_keys: Provider) -> AsyncIterator[httpx.AsyncClient]:
    """Whoever calls, without a token."""
    async with httpx.AsyncClient(transport=httpx.MockTransport(google_keys.answer)) as http:
        tokens = PushTokens(http, certs_url=f"{ISSUER}/certs", audience=AUDIENCE, email=PUSHER)
        app = create_app(assemble(replace(parts, push_tokens=tokens)))
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url=GATEWAY
        ) as client:
            yield client


@pytest.fixture
async def mailbox(company: Company) -> str:
    """An address of this test alone, which has been read up to 100."""
    address = f"sam-{company.id}@acme.test"
    async with company.session() as session:
        account = await session.get_one(AccountRow, company.account_id)
        account.email, account.history_id = address, "100"
    return address


def push(address: object, history_id: object = "101") -> dict[str, Any]:
    told = json.dumps({"emailAddress": address, "historyId": history_id})
    message = {"data": b64encode(told.encode()).decode(), "messageId": "1", "publishTime": "now"}
    return {"message": message, "subscription": "projects/acme/subscriptions/mail"}


async def call(
    pubsub: httpx.AsyncClient, google_keys: Provider, body: Any, **claims: Any
) -> httpx.Response:
    token = google_keys.token(**{**CLAIMS, **claims})
    headers = {"Authorization": f"Bearer {token}"}
    return await pubsub.post("/webhooks/gmail", json=body, headers=headers)


async def test_a_mailbox_that_has_changed_is_read_at_once(
    pubsub: httpx.AsyncClient,
    google_keys: Provider,
    company: Company,
    mailbox: str,
    conductor: RecordingConductor,
) -> None:
    answer = await call(pubsub, google_keys, push(mailbox.upper(), 101))

    assert (answer.status_code, answer.json()) == (200, {"mailboxes": 1})
    assert conductor.looks == [MailboxOrder(company_id=company.id, account_id=company.account_id)]


async def test_what_was_read_already_is_acknowledged_and_nothing_else(
    pubsub: httpx.AsyncClient, google_keys: Provider, mailbox: str, conductor: RecordingConductor
) -> None:
    answers = [await call(pubsub, google_keys, push(mailbox, it)) for it in ("100", "7")]
    unknown = await call(pubsub, google_keys, push("nobody@acme.test"))

    assert [it.status_code for it in (*answers, unknown)] == [200, 200, 200]
    assert conductor.looks == []


async def test_a_mailbox_of_two_companies_is_read_for_both(
    pubsub: httpx.AsyncClient,
    google_keys: Provider,
    company: Company,
    stranger: Company,
    mailbox: str,
    conductor: RecordingConductor,
) -> None:
    async with stranger.session() as session:
        (await session.get_one(AccountRow, stranger.account_id)).email = mailbox

    await call(pubsub, google_keys, push(mailbox))

    assert {it.company_id for it in conductor.looks} == {company.id, stranger.id}


async def test_a_mailbox_that_is_not_connected_any_more_is_left_alone(
    pubsub: httpx.AsyncClient,
    google_keys: Provider,
    company: Company,
    mailbox: str,
    conductor: RecordingConductor,
) -> None:
    async with company.session() as session:
        account = await session.get_one(AccountRow, company.account_id)
        account.status = AccountStatus.DISCONNECTED

    answer = await call(pubsub, google_keys, push(mailbox))

    assert (answer.status_code, conductor.looks) == (200, [])


async def test_pubsub_calls_again_after_our_failure(
    pubsub: httpx.AsyncClient, google_keys: Provider, mailbox: str, conductor: RecordingConductor
) -> None:
    conductor.is_down = True

    answer = await call(pubsub, google_keys, push(mailbox))

    assert answer.status_code >= 500


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        pytest.param({"aud": "https://elsewhere.test"}, 401, id="for somebody else"),
        pytest.param({"iss": "https://login.test"}, 401, id="not from Google"),
        pytest.param({"exp": 1}, 401, id="expired"),
        pytest.param({"email_verified": False}, 401, id="an address that is not verified"),
        pytest.param({"email": None}, 401, id="without an address"),
        pytest.param({"email": "other@acme.iam.test"}, 403, id="another service account"),
    ],
)
async def test_a_token_that_is_not_the_subscriptions_is_turned_away(
    pubsub: httpx.AsyncClient,
    google_keys: Provider,
    mailbox: str,
    conductor: RecordingConductor,
    claims: dict[str, Any],
    status: int,
) -> None:
    answer = await call(pubsub, google_keys, push(mailbox), **claims)

    assert (answer.status_code, conductor.looks) == (status, [])


async def test_the_token_comes_before_the_body(pubsub: httpx.AsyncClient) -> None:
    answers = [
        await pubsub.post("/webhooks/gmail", content=b"{", headers=headers)
        for headers in ({}, {"Authorization": "Bearer no.token.atall"})
    ]

    assert [answer.status_code for answer in answers] == [401, 401]


async def test_a_token_signed_by_nobody_we_know_is_turned_away(
    pubsub: httpx.AsyncClient, google_keys: Provider, mailbox: str
) -> None:
    forger = Provider()
    forger.add_key("one")

    answer = await call(pubsub, forger, push(mailbox))

    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param([], "body", id="no object"),
        pytest.param({}, "body.message", id="no message"),
        pytest.param({"message": {"data": "%"}}, "message.data", id="no Base64"),
        pytest.param(push("a@b.test", -1), "message.data.historyId", id="an impossible position"),
        pytest.param(push(7), "message.data.emailAddress", id="no address"),
    ],
)
async def test_what_google_would_not_send_names_the_field(
    pubsub: httpx.AsyncClient, google_keys: Provider, body: Any, field: str
) -> None:
    answer = await call(pubsub, google_keys, body)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_nobody_may_push_where_nobody_is_expected(anybody: httpx.AsyncClient) -> None:
    answer = await anybody.post("/webhooks/gmail", json=push("a@b.test"))

    assert answer.status_code == 503
    assert "DRUMBEAT_PUBSUB_AUDIENCE" in answer.json()["detail"]


async def test_half_of_the_settings_is_refused_at_the_start() -> None:
    async with httpx.AsyncClient() as http:
        with pytest.raises(Misconfigured, match="DRUMBEAT_PUBSUB_SERVICE_ACCOUNT"):
            push_tokens(http, certs_url="https://certs.test", audience=AUDIENCE, email=None)
        assert push_tokens(http, certs_url="https://x.test", audience=None, email=None) is None
