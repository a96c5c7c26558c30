"""The real client when Gmail refuses, fails or falls silent."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import httpx
import pytest

from shared.errors import Ambiguous, AuthExpired, ProviderError, RateLimited, Refused, Unavailable
from shared.providers.gmail import GmailClient, InThread
from tests.fakes.gmail import FakeGmail, FakeTokens
from tests.providers.samples import LEAD, NOON, make_raw

Call = Callable[[GmailClient], Awaitable[object]]

READS: dict[str, Call] = {
    "drafts.get": lambda client: client.has_draft("draft-1"),
    "drafts.list": lambda client: client.list_drafts(),
    "messages.get": lambda client: client.get_mail("mail-1"),
    "messages.list": lambda client: client.list_mail("in:inbox"),
    "history.list": lambda client: client.new_since("1"),
    "getProfile": lambda client: client.latest_history_id(),
    "threads.get": lambda client: client.find_sent(
        key="k", thread_id="thread-1", to=LEAD, since=NOON
    ),
}
ACTS: dict[str, Call] = {
    "drafts.create": lambda client: client.create_draft(make_raw()),
    "drafts.send": lambda client: client.send_draft("draft-1"),
    "drafts.delete": lambda client: client.delete_draft("draft-1"),
}
CALLS = READS | ACTS


async def test_a_rejected_token_is_renewed_once(client: GmailClient, gmail: FakeGmail) -> None:
    draft = await client.create_draft(make_raw())
    gmail.expired_tokens = {"token-1"}

    await client.send_draft(draft.id)

    assert gmail.requests["drafts.send"] == 2
    assert len(gmail.sent) == 1


async def test_a_token_rejected_twice_needs_a_person(client: GmailClient, gmail: FakeGmail) -> None:
    gmail.expired_tokens = {"token-1", "token-2", "token-3"}

    with pytest.raises(AuthExpired):
        await client.list_drafts()
    assert gmail.requests["drafts.list"] == 2


async def test_the_time_to_wait_is_read_on_gmails_clock(
    client: GmailClient, gmail: FakeGmail
) -> None:
    gmail.rate_limit(NOON + timedelta(minutes=5))

    with pytest.raises(RateLimited) as raised:
        await client.create_draft(make_raw())
    assert raised.value.retry_after == timedelta(minutes=5)


@pytest.mark.parametrize("operation", CALLS)
async def test_when_nothing_left_it_did_not_happen(
    client: GmailClient, gmail: FakeGmail, operation: str
) -> None:
    gmail.be_down()

    with pytest.raises(Unavailable) as raised:
        await CALLS[operation](client)
    assert type(raised.value) is Unavailable


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize("fault", ["a lost request", "a server error"])
async def test_only_what_acts_can_be_ambiguous(
    client: GmailClient, gmail: FakeGmail, operation: str, fault: str
) -> None:
    if fault == "a server error":
        gmail.fail(503)
    else:
        gmail.lose_request()

    with pytest.raises(Unavailable) as raised:
        await CALLS[operation](client)
    assert type(raised.value) is (Ambiguous if operation in ACTS else Unavailable)
    assert sum(gmail.requests.values()) == 1


@pytest.mark.parametrize("fault", ["the answer is lost", "Gmail fails after sending"])
async def test_a_mail_whose_answer_is_lost_has_left_once_and_is_found(
    client: GmailClient, gmail: FakeGmail, fault: str
) -> None:
    draft = await client.create_draft(make_raw())
    if fault == "the answer is lost":
        gmail.lose_answer(on="drafts.send")
    else:
        gmail.fail(500, on="drafts.send", after_acting=True)

    with pytest.raises(Ambiguous):
        await client.send_draft(draft.id)

    [mail] = gmail.sent
    found = await client.find_sent(key="key-1", thread_id=draft.thread_id, to=LEAD, since=NOON)
    assert found == InThread(mail.id, mail.thread_id)


async def test_a_refused_mail_stays_a_draft(client: GmailClient, gmail: FakeGmail) -> None:
    draft = await client.create_draft(make_raw())
    gmail.fail(400, f"Invalid To header {LEAD}", reason="invalidArgument", on="drafts.send")

    with pytest.raises(Refused) as raised:
        await client.send_draft(draft.id)
    assert LEAD not in str(raised.value)
    assert await client.has_draft(draft.id)


@pytest.mark.parametrize("answer", [b"<html>a proxy's page</html>", b""])
async def test_an_answer_that_is_none_of_gmails_proves_nothing(answer: bytes) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=answer))
    async with httpx.AsyncClient(transport=transport) as http:
        client = GmailClient(http, endpoint="http://gmail.test", tokens=FakeTokens())

        with pytest.raises(Ambiguous):
            await client.send_draft("draft-1")
        with pytest.raises(Unavailable):
            await client.list_drafts()


async def test_a_broken_body_after_the_headers_is_ambiguous_too() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=b"cut", headers={"content-encoding": "gzip"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        client = GmailClient(http, endpoint="http://gmail.test", tokens=FakeTokens())

        with pytest.raises(Ambiguous):
            await client.send_draft("draft-1")


async def test_errors_are_all_of_one_tree(client: GmailClient, gmail: FakeGmail) -> None:
    for status in range(300, 600):
        gmail.fail(status, on="drafts.list")
        if status == 401:
            gmail.fail(status, on="drafts.list")
        with pytest.raises(ProviderError):
            await client.list_drafts()
