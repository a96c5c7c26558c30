"""Webhooks as their owners see them: made, watched, tested, sent again."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, update
from uuid_utils.compat import uuid7

from api.container import Container
from shared.db.models import DeliveryStatus, Role, WebhookDeliveryRow, WebhookRow
from shared.keyring import Keyring
from shared.webhooks import SECRET
from tests.api.conftest import Login
from tests.factories import NOON, Company

Json = dict[str, Any]
WEBHOOKS = "/api/webhooks"
# Nobody is there, if it should ever be called.
URL = "https://127.0.0.1:1/hook"


async def make(api: httpx.AsyncClient, **fields: Any) -> Json:
    answer = await api.post(WEBHOOKS, json={"url": URL, **fields})
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    return made


async def make_delivery(company: Company, webhook: Json, **fields: Any) -> UUID:
    row = WebhookDeliveryRow(
        webhook_id=UUID(webhook["id"]),
        event_id=uuid7(),
        event="action.sent",
        occurred_at=NOON,
        **{
            "status": DeliveryStatus.FAILED,
            "attempts": 11,
            "next_at": None,
            "response_status": 500,
            "response_body": "oh no",
            **fields,
        },
    )
    async with company.session() as session:
        session.add(row)
    return row.id


async def test_a_secret_is_shown_once_and_kept_sealed(
    api: httpx.AsyncClient, company: Company, keyring: Keyring
) -> None:
    made = await make(api, events=["campaign.*", "action.sent"], description="our CRM")
    read = await api.get(f"{WEBHOOKS}/{made['id']}")
    listed = (await api.get(WEBHOOKS)).json()["items"]

    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    assert read.json() == made == listed[0]
    assert (made["url"], made["events"]) == (URL, ["campaign.*", "action.sent"])
    assert (made["is_enabled"], made["failures"]) == (True, 0)
    async with company.session() as session:
        sealed = await session.scalar(select(WebhookRow.secret))
    assert sealed is not None
    assert secret.encode() not in sealed
    row_id = UUID(made["id"])
    opened = keyring.open(sealed, place=SECRET, company_id=company.id, row_id=row_id)
    assert opened == secret


async def test_without_a_choice_every_event_is_sent(api: httpx.AsyncClient) -> None:
    made = [await make(api) for _ in range(2)]
    first = (await api.get(WEBHOOKS, params={"limit": 1})).json()
    second = (await api.get(WEBHOOKS, params={"cursor": first["next_cursor"]})).json()

    listed = [*first["items"], *second["items"]]
    assert [it["events"] for it in listed] == [["*"], ["*"]]
    assert [it["id"] for it in listed] == [made[1]["id"], made[0]["id"]]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"events": []}, "events"),
        ({"events": ["action"]}, "events.0"),
        ({"events": ["*", "lead.made"]}, "events.1"),
        ({"events": ["action.Sent"]}, "events.0"),
        ({"url": ""}, "url"),
        ({"url": "nowhere"}, "url"),
        ({"url": "https://a\u0000b"}, "url"),
        ({"url": None}, "url"),
        ({"secret": "mine"}, "secret"),
    ],
    ids=lambda value: str(value),
)
async def test_a_wrong_webhook_is_refused(api: httpx.AsyncClient, fields: Json, field: str) -> None:
    answer = await api.post(WEBHOOKS, json={"url": URL, **fields})

    assert answer.status_code == 422, answer.text
    assert [it["field"] for it in answer.json()["errors"]] == [field]


async def test_a_place_inside_is_refused(
    api: httpx.AsyncClient, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless the installation allows it, as the other tests' one does."""
    made = await make(api, url="http://127.0.0.1:9000/hook")
    monkeypatch.setattr(container.webhooks._destinations, "_is_private_allowed", False)

    added = await api.post(WEBHOOKS, json={"url": "https://127.0.0.1/hook"})
    changed = await api.put(f"{WEBHOOKS}/{made['id']}", json={"url": "https://10.0.0.1/"})

    for answer in (added, changed):
        assert answer.status_code == 422
        assert "private network" in answer.json()["detail"]


async def test_a_webhook_is_changed_and_deleted(api: httpx.AsyncClient) -> None:
    made = await make(api)
    made.pop("secret")
    url = f"{WEBHOOKS}/{made['id']}"

    changed = await api.put(url, json={**made, "events": ["reply.*"], "is_enabled": False})
    stale = await api.put(url, json={"events": ["*"]}, headers={"If-Match": '"old"'})
    deleted = await api.delete(url)

    assert changed.status_code == 200, changed.text
    assert (changed.json()["events"], changed.json()["is_enabled"]) == (["reply.*"], False)
    assert stale.status_code == 412
    assert deleted.status_code == 204
    assert (await api.get(url)).status_code == 404


async def test_switching_on_again_forgets_the_failures(
    api: httpx.AsyncClient, company: Company
) -> None:
    made = await make(api)
    failing = {"is_enabled": False, "disabled_reason": "It answered 410 Gone", "failures": 9}
    async with company.session() as session:
        await session.execute(update(WebhookRow).values(failing_since=NOON, **failing))

    shown = (await api.get(f"{WEBHOOKS}/{made['id']}")).json()
    again = (await api.put(f"{WEBHOOKS}/{made['id']}", json={"is_enabled": True})).json()

    assert {name: shown[name] for name in failing} == failing
    assert again["is_enabled"]
    assert (again["failures"], again["failing_since"], again["disabled_reason"]) == (0, None, None)


async def test_fifty_webhooks_are_enough(api: httpx.AsyncClient, company: Company) -> None:
    async with company.session() as session:
        session.add_all(WebhookRow(url=URL, events=["*"], secret=b"-") for _ in range(50))

    answer = await api.post(WEBHOOKS, json={"url": URL})

    assert answer.status_code == 409
    assert "delete one first" in answer.json()["detail"]


async def test_the_log_tells_what_the_receiver_said(
    api: httpx.AsyncClient, company: Company
) -> None:
    webhook = await make(api)
    failed = await make_delivery(company, webhook)
    waiting = await make_delivery(company, webhook, status=DeliveryStatus.PENDING)
    await make_delivery(company, await make(api))
    url = f"{WEBHOOKS}/{webhook['id']}/deliveries"

    everything = (await api.get(url)).json()["items"]
    only_failed = (await api.get(url, params={"status": "failed"})).json()["items"]
    first = (await api.get(url, params={"limit": 1})).json()
    second = (await api.get(url, params={"limit": 1, "cursor": first["next_cursor"]})).json()

    assert [it["id"] for it in everything] == [str(waiting), str(failed)]
    assert [it["id"] for it in only_failed] == [str(failed)]
    assert [it["id"] for it in (*first["items"], *second["items"])] == [str(waiting), str(failed)]
    told = only_failed[0]
    assert (told["response_status"], told["response_body"], told["attempts"]) == (500, "oh no", 11)


async def test_a_message_is_sent_again_under_its_old_id(
    api: httpx.AsyncClient, company: Company
) -> None:
    webhook = await make(api)
    delivery_id = await make_delivery(company, webhook)
    url = f"{WEBHOOKS}/{webhook['id']}/deliveries"
    before = (await api.get(url)).json()["items"][0]

    answer = await api.post(f"{url}/{delivery_id}/redeliver")

    assert answer.status_code == 202, answer.text
    again = answer.json()
    assert (again["status"], again["attempts"]) == ("pending", 0)
    assert again["next_at"] is not None
    assert again["event_id"] == before["event_id"]


async def test_a_test_is_a_message_of_its_own(api: httpx.AsyncClient, company: Company) -> None:
    webhook = await make(api, events=["reply.*"])

    answer = await api.post(f"{WEBHOOKS}/{webhook['id']}/test")

    assert answer.status_code == 202, answer.text
    assert (answer.json()["event"], answer.json()["status"]) == ("webhook.test", "pending")
    assert answer.json()["data"] == {"company_id": str(company.id)}


async def test_a_webhook_that_is_off_is_switched_on_first(
    api: httpx.AsyncClient, company: Company
) -> None:
    webhook = await make(api, is_enabled=False)
    delivery_id = await make_delivery(company, webhook)

    tested = await api.post(f"{WEBHOOKS}/{webhook['id']}/test")
    again = await api.post(f"{WEBHOOKS}/{webhook['id']}/deliveries/{delivery_id}/redeliver")

    assert (tested.status_code, again.status_code) == (409, 409)


async def test_a_delivery_belongs_to_its_webhook(api: httpx.AsyncClient, company: Company) -> None:
    webhook, other = await make(api), await make(api)
    delivery_id = await make_delivery(company, other)

    answer = await api.post(f"{WEBHOOKS}/{webhook['id']}/deliveries/{delivery_id}/redeliver")

    assert answer.status_code == 404


async def test_a_member_reads_and_does_not_write(
    api: httpx.AsyncClient, login: Login, company: Company
) -> None:
    webhook = await make(api)
    member = await login(company, Role.MEMBER)

    assert (await member.get(f"{WEBHOOKS}/{webhook['id']}/deliveries")).status_code == 200
    assert (await member.post(WEBHOOKS, json={"url": URL})).status_code == 403
    assert (await member.post(f"{WEBHOOKS}/{webhook['id']}/test")).status_code == 403


async def test_a_body_that_is_no_utf_8_is_a_problem_of_the_body(api: httpx.AsyncClient) -> None:
    answer = await api.post(
        WEBHOOKS, content=b'{"url": "\xff"}', headers={"content-type": "application/json"}
    )

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "body"


async def test_a_new_secret_is_shown_once_and_the_old_one_is_kept_for_a_day(
    api: httpx.AsyncClient, company: Company, keyring: Keyring
) -> None:
    made = await make(api)
    url = f"{WEBHOOKS}/{made['id']}"
    etag = (await api.get(url)).headers["ETag"]
    key = {"Idempotency-Key": "rotate"}

    answer = await api.post(f"{url}/rotate-secret", headers=key)
    again = await api.post(f"{url}/rotate-secret", headers=key)
    read = await api.get(url)

    assert answer.status_code == 200, answer.text
    rotated = answer.json()
    assert rotated["secret"].startswith("whsec_")
    assert rotated["secret"] != made["secret"]
    assert "secret" not in read.json()
    until = datetime.fromisoformat(read.json()["old_secret_until"])
    assert timedelta(hours=23) < until - datetime.now(UTC) <= timedelta(hours=24)
    assert again.status_code == 409
    assert (await api.put(url, json={}, headers={"If-Match": etag})).status_code == 412
    async with company.session() as session:
        row = await session.get_one(WebhookRow, UUID(made["id"]))
    assert row.old_secret is not None
    opened = [
        keyring.open(sealed, place=SECRET, company_id=company.id, row_id=row.id)
        for sealed in (row.secret, row.old_secret)
    ]
    assert opened == [rotated["secret"], made["secret"]]
