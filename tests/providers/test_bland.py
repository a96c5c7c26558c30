"""The client of Bland against a stand-in that is held to the spec."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from shared.errors import (
    AccountRefused,
    Ambiguous,
    AuthExpired,
    DoNotCall,
    Gone,
    Misdefined,
    ProviderError,
    RateLimited,
    Refused,
    Unavailable,
)
from shared.providers.bland import MOST_CANDIDATES, BlandClient, CallOrder
from shared.providers.bland_errors import translate
from shared.providers.bland_reports import is_signed, read_report, read_webhook, sign
from tests.fakes.bland import FakeBland, Pickup
from tests.phone_line import MORNING

PHONE = "+49301234567"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def bland() -> FakeBland:
    return FakeBland(clock=lambda: MORNING)


@pytest.fixture
async def http(bland: FakeBland) -> AsyncIterator[httpx.AsyncClient]:
    async with bland.http() as http:
        yield http


@pytest.fixture
def client(bland: FakeBland, http: httpx.AsyncClient) -> BlandClient:
    return BlandClient(http, endpoint=bland.endpoint, api_key=bland.api_key)


def order(key: str = "k", to: str = PHONE) -> CallOrder:
    return CallOrder(to=to, key=key, details={"task": "Say hello."})


async def test_a_call_is_found_by_its_mark_among_others(
    client: BlandClient, bland: FakeBland
) -> None:
    placed = [await client.place(order(key)) for key in ("a", "b", "c")]

    found = await client.find(key="b", to=PHONE, since=MORNING)

    assert found is not None
    assert (found.call_id, found.key) == (placed[1], "b")
    assert await client.find(key="d", to=PHONE, since=MORNING) is None
    assert await client.find(key="a", to="+49301234568", since=MORNING) is None
    assert bland.contract.breaches == []


async def test_an_older_call_is_not_read_again(client: BlandClient, bland: FakeBland) -> None:
    await client.place(order("a"))

    assert await client.find(key="a", to=PHONE, since=MORNING + 5 * MINUTE) is None
    assert bland.requests["callDetails"] == 0


async def test_too_many_calls_are_no_proof_of_absence(client: BlandClient) -> None:
    for number in range(MOST_CANDIDATES):
        await client.place(order(f"other {number}"))

    with pytest.raises(Unavailable, match="behind them"):
        await client.find(key="ours", to=PHONE, since=MORNING)


async def test_what_was_said_is_read_in_order(client: BlandClient, bland: FakeBland) -> None:
    call_id = await client.place(order())
    assert not (await client.read(call_id)).is_over
    bland.end(bland.placed[0], Pickup.TALKS)

    report = await client.read(call_id)

    assert report.is_over
    assert report.said == ("Yes, go ahead.", "Sounds good, send me something.")
    assert (report.duration_seconds, report.price) == (95, 0.1425)
    assert report.ended_at == MORNING


async def test_stopping_is_harmless_when_it_is_over(client: BlandClient, bland: FakeBland) -> None:
    call_id = await client.place(order())

    await client.stop(call_id)
    await client.stop(call_id)
    await client.stop("never-placed")

    assert (await client.read(call_id)).status == "canceled"


async def test_nothing_is_repeated_by_itself(client: BlandClient, bland: FakeBland) -> None:
    bland.fail(500, "Error in creating Twilio connection.", on="sendCall", after_acting=True)

    with pytest.raises(Ambiguous):
        await client.place(order())

    assert bland.requests["sendCall"] == 1


@pytest.mark.parametrize(
    ("fault", "placing", "reading"),
    [
        ("lose_answer", Ambiguous, Unavailable),
        ("lose_request", Ambiguous, Unavailable),
        ("be_down", Unavailable, Unavailable),
    ],
)
async def test_without_an_answer_only_a_placed_call_is_in_doubt(
    *,
    client: BlandClient,
    bland: FakeBland,
    fault: str,
    placing: type[ProviderError],
    reading: type[ProviderError],
) -> None:
    getattr(bland, fault)()
    with pytest.raises(ProviderError) as placed:
        await client.place(order())
    getattr(bland, fault)()
    with pytest.raises(ProviderError) as read:
        await client.check()

    assert (type(placed.value), type(read.value)) == (placing, reading)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, b'{"status": "DNC Error", "message": "Number found in DNC list."}', DoNotCall),
        (400, b'{"message": "You cannot dial sensitive numbers."}', DoNotCall),
        (400, b'{"message": "Invalid phone number format"}', Refused),
        (400, b'{"message": "Invalid parameters", "errors": ["phone_number is wrong"]}', Refused),
        (400, b'{"message": "Invalid parameters", "errors": ["voice is wrong"]}', Misdefined),
        (400, b"", Misdefined),
        (401, b'{"data": null, "errors": [{"error": "AUTH_FAILURE"}]}', AuthExpired),
        (402, b'{"message": "Insufficient balance."}', AccountRefused),
        (403, b"<html>", AccountRefused),
        (404, b"{}", Misdefined),
        (408, b"", Ambiguous),
        (418, b"{}", Misdefined),
        (429, b'{"message": "This number is blacklisted."}', DoNotCall),
        (429, b'{"message": "Rate limit exceeded"}', RateLimited),
        (429, b"", RateLimited),
        (451, b"", Misdefined),
        (500, b"[]", Ambiguous),
        (302, b"", Unavailable),
        (599, b"\xff\xfe", Ambiguous),
    ],
)
def test_every_answer_of_a_placing_means_something(
    status: int, body: bytes, error: type[ProviderError]
) -> None:
    assert type(translate(status, body, acts=True)) is error


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, Unavailable),
        (401, AuthExpired),
        (403, AccountRefused),
        (404, Gone),
        (429, RateLimited),
        (500, Unavailable),
    ],
)
def test_a_question_that_is_turned_down_never_refuses_the_call(
    status: int, error: type[ProviderError]
) -> None:
    assert type(translate(status, b"{}", acts=False)) is error


def test_waits_are_split_by_their_words() -> None:
    waits = {
        words: translate(429, f'{{"message": "{words}"}}'.encode(), acts=True).retry_after
        for words in ("every 10 seconds to the same number", "Rate limit exceeded", "New account")
    }

    assert list(waits.values()) == [timedelta(seconds=15), MINUTE, timedelta(days=1)]


def test_no_number_is_quoted() -> None:
    error = translate(400, b'{"message": "Invalid phone number: +49301234567"}', acts=True)

    assert "49301234567" not in str(error)
    assert "Invalid phone number" in str(error)


@pytest.mark.parametrize("content", [b"", b"[]", b'{"status": "success"}', b"not json"])
async def test_a_success_that_names_no_call_is_in_doubt(content: bytes) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=content))
    async with httpx.AsyncClient(transport=transport) as http:
        client = BlandClient(http, endpoint="http://bland.test", api_key="k")
        with pytest.raises(Ambiguous):
            await client.place(order())
        with pytest.raises(Unavailable):
            await client.find(key="k", to=PHONE, since=MORNING)


def test_a_signature_is_of_the_raw_body() -> None:
    body = b'{"call_id": "c"}'

    assert is_signed("secret", body, sign("secret", body).upper())
    assert not is_signed("secret", body + b" ", sign("secret", body))
    assert not is_signed("secret", body, sign("other", body))
    assert not is_signed("secret", body, None)
    assert not is_signed("secret", body, "\u00e4")


def test_strange_values_say_nothing() -> None:
    """Whatever a provider changes, a call can still be read."""
    report = read_report(
        {
            "call_id": "c",
            "completed": "yes",
            "price": "nan",
            "corrected_duration": "soon",
            "call_length": -1,
            "transcripts": [{"user": "cat", "text": "miau"}, "x", {"user": "user", "text": ""}],
            "metadata": ["k"],
            "summary": "a\x00b\ud800",
            "end_at": "yesterday",
            "created_at": "2026-11-23T10:00:00",
        }
    )

    assert not report.is_over
    assert (report.key, report.price, report.duration_seconds) == (None, None, None)
    assert (report.transcript, report.ended_at, report.summary) == ((), None, "ab?")
    assert report.created_at == MORNING


@pytest.mark.parametrize(
    ("body", "is_about_an_end"),
    [
        (b'{"call_id": "c", "completed": true}', True),
        (b'{"c_id": "c", "completed": true}', True),
        (b'{"call_id": "c", "completed": true, "event_type": "evals"}', False),
        (b'{"call_id": "c", "category": "call", "message": "m"}', False),
        (b'{"call_id": 7, "completed": true}', False),
        (b"[" * 100_000, False),
        (b"\xff", False),
    ],
)
def test_a_webhook_is_about_a_call_s_end_or_about_nothing(
    body: bytes, is_about_an_end: bool
) -> None:
    assert (read_webhook(body) is not None) is is_about_an_end
