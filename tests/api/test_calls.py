"""Phone lines are connected, and Bland tells of calls: signed, late, twice, in any order."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from api.call_parts import bland_door
from api.parts import Parts
from shared.calls import webhook_url
from shared.contracts.recipient import ActionOrder
from shared.db.models import ActionRow, ActionStatus, InboundEventRow, RecipientRow, Role
from shared.db.repositories.calls import EndedCall, PlacedCall, store_ended
from shared.db.session import Database
from shared.domain.calls import outcome_of
from shared.domain.recipient import ActivityName, EndReason
from shared.keyring import Keyring
from shared.providers.bland_reports import SIGNATURE_HEADER, read_report, sign
from tests.api.conftest import GATEWAY, Login
from tests.factories import Company
from tests.fakes.bland import FakeBland, Pickup
from tests.fakes.conductor import RecordingConductor
from tests.phone_line import MORNING, PhoneLine

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


@pytest.fixture
async def line(company: Company, database: Database, keyring: Keyring) -> PhoneLine:
    return await PhoneLine.connect(company, database, keyring, api_key=FakeBland.api_key)


@pytest.fixture
def hook(line: PhoneLine, keyring: Keyring) -> str:
    """Where Bland tells of this account's calls."""
    url = webhook_url(
        keyring,
        public_url="https://gateway.test",
        endpoint=FakeBland.endpoint,
        company_id=line.company.id,
        account_id=line.account_id,
    )
    assert url is not None
    return url.replace("https://gateway.test", GATEWAY)


async def test_the_end_of_a_call_wakes_its_recipient_once(
    *,
    anybody: httpx.AsyncClient,
    line: PhoneLine,
    bland: FakeBland,
    hook: str,
    conductor: RecordingConductor,
) -> None:
    order = await _under_way(line, bland, hook)
    bland.end(bland.placed[0], Pickup.TALKS)

    statuses = await bland.board.deliver(anybody, times=3)

    assert statuses == [200, 200, 200]
    assert [ref.recipient_id for ref, _ in conductor.wakes] == [order.recipient_id]
    async with line.company.session() as session:
        action = (await session.scalars(select(ActionRow))).one()
        events = (await session.scalars(select(InboundEventRow))).all()
    assert action.check_at == MORNING
    assert [event.kind for event in events] == ["call_ended"]


async def test_never_again_on_the_phone_stops_every_channel_before_anybody_asks(
    *,
    anybody: httpx.AsyncClient,
    line: PhoneLine,
    bland: FakeBland,
    hook: str,
    conductor: RecordingConductor,
) -> None:
    order = await _under_way(line, bland, hook)
    lead = await line.lead_of(order)
    mails = await line.company.make_campaign()
    other = await line.company.make_recipient(mails, lead_id=lead.id)
    bland.end(bland.placed[0], Pickup.DO_NOT_CALL)

    await bland.board.deliver(anybody, times=2, seed=3)

    async with line.company.session() as session:
        rows = (await session.scalars(select(RecipientRow))).all()
    assert {row.end_reason for row in rows} == {EndReason.UNSUBSCRIBED}
    assert other.recipient_id in {row.id for row in rows}
    assert [ref.recipient_id for ref, _ in conductor.stops] == [order.recipient_id]


async def test_what_was_told_without_our_mark_is_found_by_the_call(
    *,
    anybody: httpx.AsyncClient,
    line: PhoneLine,
    bland: FakeBland,
    hook: str,
    conductor: RecordingConductor,
) -> None:
    await _under_way(line, bland, hook)
    told = bland.placed[0].whole() | {"completed": True, "status": "completed", "metadata": {}}
    body = json.dumps(told).encode()

    answer = await anybody.post(hook, content=body, headers=_signed(body))

    assert answer.json() == {"is_new": True}
    assert len(conductor.wakes) == 1


@pytest.mark.parametrize(
    "told",
    [
        {"call_id": "c", "event_type": "citations", "completed": True},
        {"call_id": "c", "category": "call", "message": "They said hello", "log_level": "info"},
        {"call_id": "c", "completed": False, "queue_status": "started"},
        {"completed": True},
        [],
    ],
)
async def test_what_says_nothing_to_us_is_thanked_for(
    anybody: httpx.AsyncClient, hook: str, told: Any
) -> None:
    body = json.dumps(told).encode()

    answer = await anybody.post(hook, content=body, headers=_signed(body))

    assert (answer.status_code, answer.json()) == (200, {"is_new": False})


async def test_a_stranger_s_call_is_nobody_s(
    anybody: httpx.AsyncClient, hook: str, line: PhoneLine
) -> None:
    body = json.dumps({"call_id": "c", "completed": True, "status": "completed"}).encode()

    answer = await anybody.post(hook, content=body, headers=_signed(body))

    assert answer.json() == {"is_new": False}
    async with line.company.session() as session:
        assert (await session.scalars(select(InboundEventRow))).all() == []


async def test_only_bland_may_tell(anybody: httpx.AsyncClient, hook: str) -> None:
    body = b'{"call_id": "c", "completed": true}'
    right = _signed(body)

    answers = [
        await anybody.post(hook, content=body),
        await anybody.post(hook, content=body, headers={SIGNATURE_HEADER: sign("wrong", body)}),
        await anybody.post(hook, content=body + b" ", headers=right),
        await anybody.post(f"{hook}x", content=body, headers=right),
        await anybody.post("/webhooks/bland?t=made-up", content=body, headers=right),
    ]

    assert [answer.status_code for answer in answers] == [401] * 5
    assert (await anybody.post("/webhooks/bland", content=body)).status_code == 422


async def test_calls_are_listed_and_shown_with_what_was_said(
    *, login: Login, line: PhoneLine, bland: FakeBland, hook: str, stranger: Company
) -> None:
    order = await _under_way(line, bland, hook)
    bland.end(bland.placed[0], Pickup.TALKS)
    await _store(line, bland, order)
    reader = await login(line.company, Role.MEMBER)
    row = await line.company.recipient(order.recipient_id)

    listed = (await reader.get(f"/api/campaigns/{row.campaign_id}/calls")).json()
    shown = (await reader.get(f"/api/calls/{listed[0]['id']}")).json()

    assert [call["outcome"] for call in listed] == ["answered"]
    assert "transcript" not in listed[0]
    assert shown["transcript"][1] == {
        "speaker": "user",
        "text": "Yes, go ahead.",
        "said_at": MORNING.isoformat().replace("+00:00", "Z"),
    }
    theirs = await login(stranger, Role.ADMIN)
    assert (await theirs.get(f"/api/calls/{listed[0]['id']}")).status_code == 404


def _signed(body: bytes, secret: str = FakeBland.secret) -> dict[str, str]:
    return {SIGNATURE_HEADER: sign(secret, body), "content-type": "application/json"}


async def _under_way(line: PhoneLine, bland: FakeBland, hook: str) -> ActionOrder:
    """A call that was placed and goes on, as the activity leaves it."""
    order = await line.make_order()
    lead = await line.lead_of(order)
    metadata = {"drumbeat_key": f"key of {order.recipient_id}"}
    placed = bland.board.add({"phone_number": lead.phone, "metadata": metadata, "webhook": hook})
    row = await line.company.recipient(order.recipient_id)
    async with line.company.session() as session:
        session.add(
            ActionRow(
                recipient_id=order.recipient_id,
                campaign_id=row.campaign_id,
                step_id=order.step_id,
                account_id=line.account_id,
                version_id=line.account_id,
                activity=ActivityName.BLAND_CALL,
                status=ActionStatus.PLACED,
                provider_id=placed.id,
                thread_id=metadata["drumbeat_key"],
                planned_at=MORNING,
                attempted_at=MORNING,
                check_at=MORNING.replace(hour=11),
            )
        )
    return order


async def _store(line: PhoneLine, bland: FakeBland, order: ActionOrder) -> None:
    """What the activity keeps of the call."""
    told = read_report(bland.placed[0].whole())
    [action] = await line.company.actions()
    placed = PlacedCall(
        recipient_id=order.recipient_id,
        action_id=action.id,
        step_id=action.step_id,
        account_id=line.account_id,
        provider_id=told.call_id,
        phone=told.to,
        placed_at=MORNING,
    )
    ended = EndedCall(
        report=told, outcome=outcome_of(told), says_never_again=False, collected_at=MORNING
    )
    async with line.company.session() as session:
        await store_ended(await session.connection(), placed, ended)


async def test_a_step_that_calls_is_written_and_read_again(api: httpx.AsyncClient) -> None:
    campaign = (await api.post("/api/campaigns", json={"name": "Calls", "type": "call"})).json()
    options = {
        "voice": "June",
        "max_duration": 5,
        "voicemail": {"action": "leave_message", "message": "This is Sam."},
        "lets_opt_out": True,
    }
    new = {"channel": "call", "message_template": "Be brief.", "call": options}

    answer = await api.post(f"/api/campaigns/{campaign['id']}/sequences", json=new)

    assert answer.status_code == 201, answer.text
    [step] = (await api.get(f"/api/campaigns/{campaign['id']}/sequences")).json()
    assert {name: step["call"][name] for name in options} == options


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"voicemail": {"action": "leave_message"}}, "call.voicemail"),
        ({"first_sentence": "Hello {{ lead.first_name"}, "call.first_sentence"),
        ({"max_duration": 721}, "call.max_duration"),
        ({"from_number": "030 123"}, "call.from_number"),
        ({"colour": "red"}, "call.colour"),
        ({"language": "klingon!"}, "call.language"),
    ],
)
async def test_wrong_options_of_a_call_are_named(
    api: httpx.AsyncClient, options: dict[str, Any], field: str
) -> None:
    campaign = (await api.post("/api/campaigns", json={"name": "Calls", "type": "call"})).json()
    new = {"channel": "call", "message_template": "Be brief.", "call": options}

    answer = await api.post(f"/api/campaigns/{campaign['id']}/sequences", json=new)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
