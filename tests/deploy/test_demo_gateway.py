"""The demo's requests survive a gateway that dies, and say what was refused."""

import httpx
import pytest

from deploy.demo import gateway as module
from deploy.demo.gateway import Gateway
from shared.errors import Refused, Unavailable


class Double:
    """Answers from a list, in order, and remembers what was asked."""

    def __init__(self, *answers: httpx.Response | httpx.TransportError) -> None:
        self.asked: list[httpx.Request] = []
        self._answers = list(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, httpx.TransportError):
            raise answer
        return answer

    def gateway(self, *, patience_seconds: float = 60) -> Gateway:
        transport = httpx.MockTransport(self)
        return Gateway("http://us", patience_seconds=patience_seconds, transport=transport)


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0)


def ok(body: object, status: int = 200) -> httpx.Response:
    return httpx.Response(status, json=body)


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ConnectError("refused"),
        httpx.RemoteProtocolError("killed while answering"),
        httpx.Response(503),
        httpx.Response(409, headers={"Retry-After": "1"}),
    ],
    ids=["nobody listens", "the connection broke", "a part is down", "still at work"],
)
async def test_an_unanswered_write_is_repeated_under_the_same_key(
    trouble: httpx.Response | httpx.TransportError,
) -> None:
    double = Double(trouble, ok({"id": "c-1"}, 201))
    async with double.gateway() as gateway:
        assert await gateway.create_campaign("Hello") == "c-1"
    first, second = (request.headers["Idempotency-Key"] for request in double.asked)
    assert first == second


async def test_different_writes_have_different_keys() -> None:
    double = Double(ok({"id": "c-1"}, 201), ok({"id": "c-2"}, 201))
    async with double.gateway() as gateway:
        await gateway.create_campaign("One")
        await gateway.create_campaign("Two")
    assert len({request.headers["Idempotency-Key"] for request in double.asked}) == 2


async def test_patience_ends() -> None:
    double = Double(httpx.ConnectError("refused"))
    async with double.gateway(patience_seconds=-1) as gateway:
        with pytest.raises(Unavailable, match="/activate was not answered"):
            await gateway.activate("c-1")


async def test_a_refusal_says_what_was_asked_and_what_was_said() -> None:
    double = Double(httpx.Response(422, text="time_zone: unknown"))
    async with double.gateway() as gateway:
        with pytest.raises(Refused, match="POST /api/companies: 422 time_zone: unknown"):
            await gateway.create_company({"name": "Us"})


async def test_somebody_who_is_known_logs_in_and_carries_the_token() -> None:
    double = Double(httpx.Response(409), ok({"access_token": "t-1"}), ok({"id": "c-1"}, 201))
    async with double.gateway() as gateway:
        await gateway.sign_up(email="a@us.test", password="long enough", name="A")
        await gateway.create_campaign("Hello")
    assert [request.url.path for request in double.asked[:2]] == [
        "/api/auth/register",
        "/api/auth/login",
    ]
    assert double.asked[2].headers["Authorization"] == "Bearer t-1"


async def test_refused_leads_are_not_passed_over() -> None:
    double = Double(ok({"added": 1, "refused": [{"contact_id": "l-2", "reason": "no address"}]}))
    async with double.gateway() as gateway:
        with pytest.raises(Refused, match="1 leads were refused"):
            await gateway.add_recipients("c-1", ["l-1", "l-2"])


async def test_the_ledger_is_read_with_its_times() -> None:
    row = {"id": "r", "contact_id": "l", "status": "responded", "detail": "replied"}
    done = {"sequence_id": "s", "status": "sent", "executed_at": "2026-03-02T09:00:01Z"}
    double = Double(
        ok([{**row, "ended_at": "2026-03-02T09:00:02Z"}]),
        ok([{**done, "confirmed_at": "2026-03-02T09:00:00.5Z"}]),
    )
    async with double.gateway() as gateway:
        (recipient,) = await gateway.list_recipients("c-1")
        (action,) = await gateway.list_actions("c-1", recipient.id)
    assert recipient.has_ended
    assert action.is_sent
    assert recipient.ended_at is not None
    assert action.confirmed_at is not None
    assert (recipient.ended_at - action.confirmed_at).total_seconds() == 1.5
