"""Prism in front of the spec accepts every request that our client makes.

The stand-in is held against the same spec, so what tests make of it is known to fit as well.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from deploy.sandbox.contract import SPECS
from shared.errors import ProviderError
from shared.providers.unipile import HostedLink, UnipileClient
from tests.fakes.prism import VIOLATIONS, prism_server
from tests.providers.samples import NOON

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
LINK = HostedLink(
    name="token",
    notify_url="https://drumbeat.test/webhooks/unipile/connected",
    success_url="https://app.test/done",
    failure_url="https://app.test/done?error=linkedin",
    expires_at=NOON,
)
AGAIN = HostedLink(
    name="token",
    notify_url=LINK.notify_url,
    success_url=LINK.success_url,
    failure_url=LINK.failure_url,
    expires_at=NOON,
    account_id="acc",
)
CALLS: dict[str, Callable[[UnipileClient], Awaitable[Any]]] = {
    "a hosted link": lambda c: c.hosted_link(LINK),
    "a hosted link to reconnect": lambda c: c.hosted_link(AGAIN),
    "an account": lambda c: c.account("acc"),
    "deleting an account": lambda c: c.delete_account("acc"),
    "a profile": lambda c: c.member("acc", "ada-lovelace"),
    "a profile with other letters": lambda c: c.member("acc", "jürgen müller/1"),
    "an invitation": lambda c: c.invite("acc", "ACoAA", "x" * 300),
    "an invitation without a note": lambda c: c.invite("acc", "ACoAA", ""),
    "sent invitations": lambda c: c.find_invitation("acc", "ACoAA002"),
    "withdrawing an invitation": lambda c: c.withdraw("acc", "70001"),
    "connections": lambda c: c.connections("acc", LONG_AGO),
    "a chat with somebody": lambda c: c.find_chat("acc", "ACoAA002"),
    "a new chat": lambda c: c.start_chat("acc", "ACoAA002", "Hello\n\nAda"),
    "an InMail": lambda c: c.start_chat("acc", "ACoAA002", "Hello", inmail_subject="A question"),
    "an InMail without a subject": lambda c: c.start_chat("acc", "A", "Hi", inmail_subject=""),
    "a message": lambda c: c.send("chat-1", "Grüße, 世界"),
    "messages of a chat": lambda c: c.messages_of("chat-1", NOON),
    "messages of an account": lambda c: c.messages("acc", NOON),
    "webhooks": lambda c: c.register_webhooks("https://drumbeat.test/webhooks/unipile", "secret"),
}


@pytest.fixture(scope="module")
async def prism() -> AsyncIterator[str]:
    async with prism_server(SPECS / "unipile.openapi.yaml") as url:
        yield url


@pytest.fixture
def violations() -> list[str]:
    """What Prism has to say against requests, and against its own answers."""
    return []


@pytest.fixture
async def http(violations: list[str]) -> AsyncIterator[httpx.AsyncClient]:
    async def note(response: httpx.Response) -> None:
        violations.extend(filter(None, [response.headers.get(VIOLATIONS)]))

    async with httpx.AsyncClient(event_hooks={"response": [note]}) as http:
        yield http


@pytest.mark.parametrize("name", CALLS)
async def test_prism_accepts_what_our_client_asks(
    prism: str, http: httpx.AsyncClient, violations: list[str], name: str
) -> None:
    await CALLS[name](UnipileClient(http, endpoint=prism, api_key="key"))

    assert violations == []


async def test_every_method_of_the_client_is_asked_once(
    prism: str, http: httpx.AsyncClient
) -> None:
    methods = {name for name in vars(UnipileClient) if not name.startswith("_")}
    asked: set[str] = set()

    class Noting(UnipileClient):
        def __getattribute__(self, name: str) -> Any:
            asked.add(name)
            return super().__getattribute__(name)

    client = Noting(http, endpoint=prism, api_key="key")
    for call in CALLS.values():
        await call(client)

    assert methods <= asked


@pytest.mark.parametrize(
    "spoil",
    [
        lambda c: c.invite("acc", "ACoAA", "x" * 301),
        lambda c: c.invite("", "ACoAA", ""),
        lambda c: c.start_chat("", "ACoAA", "Hello"),
        lambda c: c.register_webhooks("no address", "secret"),
    ],
    ids=["a note too long", "no account", "no account for a chat", "no address"],
)
async def test_prism_refuses_what_does_not_fit(
    prism: str,
    http: httpx.AsyncClient,
    violations: list[str],
    spoil: Callable[[UnipileClient], Awaitable[Any]],
) -> None:
    with suppress(ProviderError):
        await spoil(UnipileClient(http, endpoint=prism, api_key="key"))

    assert violations
