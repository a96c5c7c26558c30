"""The example job: reports each answer once, however often it runs."""

import asyncio
import json
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from deploy.sandbox.behaviour import Answer, Manner, Person
from deploy.sandbox.emulator import GoogleEmulator, GoogleUser, OAuthClient, Seed
from deploy.sandbox.mailbox import Mailbox, access_token
from deploy.sandbox.people import People
from shared.config import Settings

SCRIPT = Path(__file__).parents[2] / "deploy" / "examples" / "poll_gmail.py"
SAM = "sam@us.test"
SEED = Seed(
    users=(GoogleUser(email=SAM, name="Sam"),),
    client=OAuthClient(client_id="a", client_secret="b", redirect_uris=("http://127.0.0.1:9/",)),
)


class Inbound(HTTPServer):
    """Takes reports like the gateway: 202 for a new event, 200 for one seen before."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), InboundHandler)
        self.events: list[dict[str, Any]] = []
        self.keys: set[str | None] = set()
        self.is_down = False


class InboundHandler(BaseHTTPRequestHandler):
    server: Inbound

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.keys.add(self.headers["X-Api-Key"])
        if not self.server.is_down:
            self.server.events.append(json.loads(body))
        self.send_response(503 if self.server.is_down else 202)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


@pytest.fixture
def inbound() -> Iterator[Inbound]:
    with Inbound() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


async def poll(google: GoogleEmulator, inbound: Inbound, state: Path) -> int:
    """Run the script once, as its owner would; its exit code."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(SCRIPT),
        env={
            "GMAIL_ACCESS_TOKEN": await access_token(google, SAM),
            "GMAIL_ENDPOINT": google.url,
            "DRUMBEAT_URL": f"http://127.0.0.1:{inbound.server_port}",
            "DRUMBEAT_API_KEY": "key-1",
            "POLL_STATE": str(state),
        },
    )
    return await asyncio.wait_for(process.wait(), 180)


async def send(google: GoogleEmulator, to: str) -> str:
    """Send a mail from the mailbox; its thread."""
    bearer = {"Authorization": f"Bearer {await access_token(google, SAM)}"}
    async with httpx.AsyncClient(base_url=google.url, headers=bearer) as http:
        mail = {"from": SAM, "to": to, "subject": "Hello", "text": "Shall we talk?"}
        sent = await http.post("/gmail/v1/users/me/messages/send", json=mail)
    return str(sent.json()["threadId"])


def person(address: str, answer: Answer) -> Person:
    return Person(
        address=address,
        answer=answer,
        after_mail=1,
        thinks_seconds=0,
        away_seconds=10,
        manner=Manner.GERMAN,
    )


async def test_each_answer_is_reported_once(tmp_path: Path, inbound: Inbound) -> None:
    roles = {"anna": Answer.REPLY, "ben": Answer.OUT_OF_OFFICE, "cleo": Answer.BOUNCE}
    cast = {f"{n}@lead.test": person(f"{n}@lead.test", role) for n, role in roles.items()}
    async with GoogleEmulator(
        SEED, log=tmp_path / "google.log", cache=Settings().cache_dir
    ) as google:
        threads = {address: await send(google, address) for address in cast}
        async with await Mailbox.open(google, SAM) as mailbox:
            await People(mailbox, cast).take_turn()

        inbound.is_down = True
        assert await poll(google, inbound, tmp_path / "state.json") == 1
        inbound.is_down = False
        for _ in range(2):
            assert await poll(google, inbound, tmp_path / "state.json") == 0

    assert inbound.keys == {"key-1"}
    reported = {event["address"]: event for event in inbound.events}
    assert len(inbound.events) == 2
    assert {address: event["kind"] for address, event in reported.items()} == {
        "anna@lead.test": "reply",
        "ben@lead.test": "auto_reply",
    }
    anna = reported["anna@lead.test"]
    assert anna["thread_id"] == threads["anna@lead.test"]
    assert "nächste Woche" in anna["text"]
    assert anna["provider_event_id"]
    assert anna["in_reply_to"].startswith("<")
