"""`drumbeat campaign` against a gateway on a real port: by a key, and by this machine's secrets."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from deploy import cli
from deploy.local.postgres import Postgres
from shared.db.models import ApiKeyRow, UserRow
from shared.db.session import Database
from shared.keyring import Keyring
from tests.api.contract.conftest import Gateway
from tests.factories import Company

# The tests' own keyring.
SECRETS = {"DRUMBEAT_SECRET_KEY": "s" * 32, "DRUMBEAT_ENCRYPTION_KEYS": "k1:" + "A" * 43 + "="}
FOLDER = Path(__file__).parents[3] / "examples"
TEXT = """name: {name}
type: multi
steps:
  - key: hello
    channel: email
    subject: Hello
    message_template: Hello {{{{ lead.first_name }}}}
  - key: look
    channel: task
    message_template: Look
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    code: int
    out: str
    err: str


@pytest.fixture
async def key(company: Company, keyring: Keyring) -> str:
    secret = f"drb_{company.id}"
    async with company.session() as session:
        kept = keyring.token_hash(secret)
        session.add(ApiKeyRow(name="k", prefix="drb_", key_hash=kept, scopes=["write"]))
    return secret


@pytest.fixture
def file(tmp_path: Path, company: Company) -> Path:
    path = tmp_path / "spring.yaml"
    path.write_text(TEXT.format(name=f"Spring {company.id}"))
    return path


def edit(file: Path, old: str, new: str) -> None:
    put(file, file.read_text().replace(old, new))


def put(file: Path, text: str) -> None:
    file.write_text(text)


async def drumbeat(capsys: pytest.CaptureFixture[str], *arguments: str) -> Ran:
    capsys.readouterr()
    code = await asyncio.to_thread(cli.run, ["campaign", *arguments])
    shown = capsys.readouterr()
    return Ran(code=code, out=shown.out, err=shown.err)


async def test_a_file_is_applied_once_compared_and_exported(
    capsys: pytest.CaptureFixture[str], gateway: Gateway, key: str, file: Path
) -> None:
    there = ("--url", gateway.url, "--api-key", key)

    new = await drumbeat(capsys, "diff", str(file), *there, "--json")
    made = await drumbeat(capsys, "apply", str(file), *there, "--json")
    again = await drumbeat(capsys, "apply", str(file), *there)
    same = await drumbeat(capsys, "diff", str(file), *there)
    edit(file, "Look", "Look twice")
    changed = await drumbeat(capsys, "diff", str(file), *there)
    applied = await drumbeat(capsys, "apply", str(file), *there, "--json")
    name = json.loads(made.out)["files"][0]["campaign_id"]
    exported = await drumbeat(capsys, "export", name, *there)
    put(file, exported.out)
    after = await drumbeat(capsys, "apply", str(file), *there, "--json")

    assert [new.code, made.code, again.code, same.code] == [3, 0, 0, 0]
    assert json.loads(new.out)["files"][0]["campaign_id"] is None
    assert json.loads(made.out)["files"][0]["new"] is True
    assert "nothing changes" in again.out
    assert [changed.code, applied.code, after.code] == [3, 0, 0]
    assert "step 2: message_template is rewritten" in changed.out
    assert json.loads(applied.out)["changed"] is True
    assert json.loads(after.out)["changed"] is False


async def test_a_refused_file_leaves_nothing_behind(
    capsys: pytest.CaptureFixture[str], gateway: Gateway, key: str, file: Path
) -> None:
    edit(file, "type: multi", "type: multi\nproduct: Nothing")
    there = ("--url", gateway.url, "--api-key", key)

    refused = await drumbeat(capsys, "apply", str(file), *there)
    compared = await drumbeat(capsys, "diff", str(file), *there, "--json")

    assert refused.code == 1
    assert "line 3, column 1: product: No product is called Nothing" in refused.err
    assert json.loads(compared.out)["files"][0]["campaign_id"] is None


async def test_whoever_may_read_the_secrets_of_this_machine_needs_no_key(
    *,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    gateway: Gateway,
    company: Company,
    database: Database,
    postgres: Postgres,
    file: Path,
    tmp_path: Path,
) -> None:
    async with database.outside_session() as session:
        user = await session.get_one(UserRow, company.user_id)
    monkeypatch.setenv("DRUMBEAT_DATA_DIR", str(tmp_path))
    port = gateway.url.rpartition(":")[2]
    environment = {"DRUMBEAT_HOST": "127.0.0.1", "DRUMBEAT_PORT": port}
    environment |= {"DATABASE_URL": postgres.app_url} | SECRETS

    with gateway_process(tmp_path / "run", environment):
        made = await drumbeat(capsys, "apply", str(file), "--user", user.email)
    gone = await drumbeat(capsys, "apply", str(file))

    assert made.code == 0, made.err
    assert "is made, as a draft" in made.out
    assert gone.code == 2
    assert "drumbeat up" in gone.err


@contextmanager
def gateway_process(folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """What a command finds of a gateway that runs here: its record, and its environment."""
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    process = subprocess.Popen(  # noqa: S603 - our own interpreter
        command, env=os.environ | environment, stdin=subprocess.PIPE
    )
    started = psutil.Process(process.pid).create_time()
    folder.mkdir()
    record = json.dumps({"pid": process.pid, "started": started})
    (folder / "gateway.json").write_text(record)
    try:
        yield
    finally:
        process.communicate(b"", timeout=30)


async def test_validate_says_line_column_and_remedy(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(
        "name: x\ntype: multi\nsteps:\n  - key: call\n    channel: call\n    message_template: Hi\n"
        "  - if: {step: call, outcome: opened}\n    then: [{channel: task, message_template: x}]\n"
    )

    wrong = await drumbeat(capsys, "validate", str(bad))
    good = await drumbeat(capsys, "validate", *map(str, FOLDER.glob("*.yaml")), "--json")
    missing = await drumbeat(capsys, "validate", str(tmp_path / "nothing.yaml"))

    assert wrong.code == 1
    assert f"{bad}:7:5: error: steps.1.if: Step 1 is a call, which is never opened" in wrong.out
    assert good.code == 0
    assert {file: len(found) for file, found in json.loads(good.out)["files"].items()} == {
        str(path): 0 for path in FOLDER.glob("*.yaml")
    }
    assert missing.code == 2
