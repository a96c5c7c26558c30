"""The sandbox's Bland: true to its spec, with people who pick up and webhooks that are late."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest
import yaml

from deploy.sandbox.bland import FakeBland, Pace
from deploy.sandbox.contract import SPECS, BrokenContract, Contract
from deploy.sandbox.phone_people import SCENES, Pickup, Scene, cast_phones
from shared.providers.bland import BlandClient, CallOrder
from shared.providers.bland_reports import SIGNATURE_HEADER, is_signed

SPEC = SPECS / "bland.openapi.yaml"
HOOK = "https://gateway.test/webhooks/bland?t=x"


def documented() -> Iterator[tuple[str, int, str, str]]:
    """Operation, status, word and message of each error that the spec has an example of."""
    spec = yaml.safe_load(SPEC.read_text(encoding="utf-8"))
    for operations in spec["paths"].values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                found = answer
                if "$ref" in answer:
                    found = spec["components"]["responses"][answer["$ref"].rpartition("/")[2]]
                for example in found["content"]["application/json"].get("examples", {}).values():
                    told = example["value"]
                    if status != "200":
                        word, message = told.get("status", "error"), told.get("message", "")
                        yield operation["operationId"], int(status), word, message


def order(number: int = 1, hook: str | None = HOOK) -> CallOrder:
    return CallOrder(
        to=f"+4930123{number:04}", key=f"k{number}", webhook=hook, details={"task": "Say hello."}
    )


@pytest.mark.parametrize(("operation", "status", "word", "message"), list(documented()))
async def test_it_fails_in_every_documented_way(
    operation: str, status: int, word: str, message: str
) -> None:
    """An answer that the spec does not have would break the contract, and the test."""
    bland = FakeBland()
    bland.fail(status, message, word=word, on=operation)
    requests = {
        "sendCall": ("POST", "/v1/calls", {"phone_number": "+49301234567", "task": "x"}),
        "listCalls": ("GET", "/v1/calls", None),
        "callDetails": ("GET", "/v1/calls/c", None),
        "stopCall": ("POST", "/v1/calls/c/stop", None),
    }
    method, path, body = requests[operation]
    async with bland.http() as http:
        answer = await http.request(
            method, f"{bland.endpoint}{path}", json=body, headers={"authorization": bland.api_key}
        )

    assert answer.status_code == status
    assert answer.json().get("message", "") == message


async def test_an_answer_that_bland_would_never_give_is_a_mistake_of_ours() -> None:
    bland = FakeBland()
    bland.fail(507, "No", on="sendCall")
    async with bland.http() as http:
        client = BlandClient(http, endpoint=bland.endpoint, api_key=bland.api_key)
        with pytest.raises(BrokenContract, match="507"):
            await client.place(order())


@pytest.mark.parametrize("pickup", Pickup)
async def test_what_is_told_of_every_call_fits_the_spec(pickup: Pickup) -> None:
    bland = FakeBland()
    async with bland.http() as http:
        client = BlandClient(http, endpoint=bland.endpoint, api_key=bland.api_key)
        call_id = await client.place(order())
        bland.end(bland.placed[0], pickup)
        assert (await client.read(call_id)).is_over

    [news] = bland.board.waiting
    assert json.loads(news.body)["call_id"] == call_id


def test_a_scene_that_bland_would_never_tell_is_noticed() -> None:
    bland = FakeBland()
    call = bland.board.add({"phone_number": "+49301234567", "task": "x"})
    odd = Scene(status="fell asleep", answered_by=None, disposition=None, seconds=1)

    with pytest.raises(BrokenContract, match="fell asleep"):
        bland.end(call, Pickup.TALKS, scene=odd)


async def test_people_pick_up_and_bland_tells_of_it_signed_late_and_twice() -> None:
    numbers = [order(number).to for number in range(6)]
    people = cast_phones(numbers, seed=3, shares={Pickup.TALKS: 0.5, Pickup.VOICEMAIL: 0.3})
    bland, heard = FakeBland(people=people), []

    async def hear(request: httpx.Request) -> httpx.Response:
        signature = request.headers[SIGNATURE_HEADER]
        assert is_signed(FakeBland.secret, request.content, signature)
        heard.append(json.loads(request.content)["call_id"])
        return httpx.Response(200)

    gateway = httpx.AsyncClient(transport=httpx.MockTransport(hear))
    async with bland.http() as http, gateway:
        client = BlandClient(http, endpoint=bland.endpoint, api_key=bland.api_key)
        for number in range(6):
            await client.place(order(number))
        playing = asyncio.create_task(
            bland.play(gateway, Pace(talks=(0, 0.01), late=(0, 0.05), twice=1, seed=1))
        )
        async with asyncio.timeout(30):
            while len(heard) < 12:  # noqa: ASYNC110 - nothing else tells
                await asyncio.sleep(0.01)
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)

    assert set(Counter(heard).values()) == {2}
    found = Counter(call.scene for call in bland.placed)
    assert found[SCENES[Pickup.TALKS]] == 3


async def test_what_nobody_takes_is_told_again() -> None:
    bland, statuses = FakeBland(), iter([500, 200])
    bland.end(bland.board.add({"phone_number": "+4930", "webhook": HOOK}), Pickup.BUSY)
    transport = httpx.MockTransport(lambda _: httpx.Response(next(statuses)))

    async with httpx.AsyncClient(transport=transport) as gateway:
        assert await bland.board.deliver(gateway) == [500]
        assert await bland.board.deliver(gateway) == [200]
        assert await bland.board.deliver(gateway) == []


def test_the_same_seed_casts_the_same_people() -> None:
    numbers = [order(number).to for number in range(20)]

    assert cast_phones(numbers, seed=7) == cast_phones(numbers, seed=7)
    assert cast_phones(numbers, seed=7) != cast_phones(numbers, seed=8)
    assert set(cast_phones(numbers, seed=7).values()) == set(Pickup)
    with pytest.raises(ValueError, match="more than everybody"):
        cast_phones(numbers, seed=1, shares={Pickup.TALKS: 1.1})


async def test_a_request_that_does_not_fit_is_refused_and_noted() -> None:
    bland = FakeBland()
    async with bland.http() as http:
        headers = {"authorization": bland.api_key}
        url = f"{bland.endpoint}/v1/calls"
        wrong = await http.post(url, json={"phone_number": "030"}, headers=headers)
        nowhere = await http.get(f"{bland.endpoint}/v2/calls", headers=headers)
        keyless = await http.get(url)

    assert [it.status_code for it in (wrong, nowhere, keyless)] == [400, 404, 401]
    assert "phone_number" in wrong.json()["message"]
    assert [breach.status for breach in bland.contract.breaches] == [400, 404, 401]


def test_a_contract_knows_its_messages() -> None:
    contract = Contract(SPEC)

    contract.check_message("CallEnded", {"call_id": "c", "completed": True})
    with pytest.raises(BrokenContract, match="completed"):
        contract.check_message("CallEnded", {"call_id": "c"})
