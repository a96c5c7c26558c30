"""`drumbeat explain` asks the gateway and prints what it says, for people and for programs."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from deploy.cli import run

RECIPIENT: dict[str, Any] = {
    "kind": "recipient",
    "id": "01939b7e-0000-7000-8000-000000000001",
    "name": "ada@example.com in Spring",
    "state": "planned",
    "next": {"activity": "gmail.send", "step": 2, "at": "2026-03-05T12:00:00Z", "lead": None},
    "because": ["step 2 waits 3 days, 0:00:00 after the last action"],
    "blocked_by": ["campaign is paused"],
}
CAMPAIGN: dict[str, Any] = RECIPIENT | {
    "kind": "campaign",
    "name": "Spring",
    "next": RECIPIENT["next"] | {"lead": "ada@example.com", "because": ["sam: 40 of 40 are used"]},
}


class Gateway(BaseHTTPRequestHandler):
    answer: ClassVar[dict[str, Any]] = {}
    asked: ClassVar[list[tuple[str, str | None]]] = []

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers["X-Api-Key"]))
        body = json.dumps(self.answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def gateway() -> Iterator[str]:
    Gateway.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Gateway) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def explain(gateway: str, *more: str) -> int:
    return run(["explain", "ada@example.com", "--url", gateway, "--api-key", "k", *more])


def test_people_read_what_comes_next_and_what_holds_it(
    gateway: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Gateway.answer = {"explained": [RECIPIENT, CAMPAIGN]}

    assert explain(gateway) == 0

    assert Gateway.asked == [("/api/explain?of=ada%40example.com", "k")]
    assert capsys.readouterr().out.splitlines() == [
        "recipient ada@example.com in Spring (01939b7e-0000-7000-8000-000000000001): planned",
        "  next: gmail.send of step 2 at 2026-03-05T12:00:00Z",
        "  because step 2 waits 3 days, 0:00:00 after the last action",
        "  blocked by: campaign is paused",
        "campaign Spring (01939b7e-0000-7000-8000-000000000001): planned",
        "  next: gmail.send of step 2 for ada@example.com at 2026-03-05T12:00:00Z",
        "    sam: 40 of 40 are used",
        "  because step 2 waits 3 days, 0:00:00 after the last action",
        "  blocked by: campaign is paused",
    ]


def test_programs_get_the_answer_as_it_is(gateway: str, capsys: pytest.CaptureFixture[str]) -> None:
    Gateway.answer = {"explained": [RECIPIENT]}

    assert explain(gateway, "--json") == 0

    assert json.loads(capsys.readouterr().out) == {"explained": [RECIPIENT]}


def test_what_nobody_knows_is_said_to_be_unknown(
    gateway: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Gateway.answer = {"explained": []}

    assert explain(gateway) == 1

    assert "Nothing is called ada@example.com" in capsys.readouterr().err
