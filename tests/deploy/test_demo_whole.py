"""The demo as a stranger runs it, with a database and a Temporal server killed on the way."""

import asyncio
import json
import os
import re
import signal
import sys
from pathlib import Path

import pytest

FIGURES = {
    "recipients",
    "sent",
    "replied",
    "auto_replies",
    "bounced",
    "unsubscribed",
    "finished",
    "calls",
    "todos",
    "duplicates",
    "lost",
    "sent_after_stop",
    "seconds",
}


def kill(part: str, data: Path) -> None:
    record = json.loads((data / "demo" / "run" / f"{part}.json").read_text(encoding="utf-8"))
    os.kill(record["pid"], signal.SIGKILL)


@pytest.mark.timeout(900)
async def test_the_books_agree_with_the_mailbox_though_servers_are_killed(tmp_path: Path) -> None:
    demo = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "deploy",
        "demo",
        "--leads",
        "12",
        "--json",
        env=os.environ | {"DRUMBEAT_DATA_DIR": str(tmp_path), "DRUMBEAT_PORT": "0"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert demo.stdout is not None
    assert demo.stderr is not None
    said: list[str] = []
    async for line in demo.stderr:
        said.append(line.decode())
        if re.search(r"mail 1 to|[1-9]\d* mails sent", said[-1]):
            break
    else:
        pytest.fail("".join(said))
    kill("postgres", tmp_path)
    await asyncio.sleep(2)
    kill("temporal", tmp_path)
    output, rest = await demo.communicate()

    assert demo.returncode == 0, "".join(said) + rest.decode()
    figures = json.loads(output.decode().splitlines()[-1])
    assert figures.keys() == FIGURES
    assert (figures["duplicates"], figures["lost"], figures["sent_after_stop"]) == (0, 0, 0)
    assert figures["recipients"] == 12
    assert figures["sent"] >= 12
    # Whoever answers the first mail is neither called nor invited.
    assert figures["todos"] >= figures["calls"]
