"""What the benchmarks take for proof: replies that end workflows, mails where they belong."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from deploy.bench.replies import ReplySize, bench_reply
from deploy.bench.result import WentWrong
from deploy.bench.sandbox_mail import REQUESTS_A_TOKEN, FoundMail, SandboxTokens, check_chain
from deploy.sandbox.emulator import GoogleEmulator, GoogleUser, OAuthClient, Seed
from shared.config import Settings

NORTH, SOUTH = UUID(int=1), UUID(int=2)
ACCOUNTS = {NORTH: "north@bench.test", SOUTH: "south@bench.test"}
ADA = "ada@example.test"
FIRST = FoundMail(
    account_id=NORTH,
    thread_id="thread-1",
    sender="north@bench.test",
    to=ADA,
    in_reply_to="",
    message_id="<1@bench>",
)
SECOND = replace(FIRST, in_reply_to="<1@bench>", message_id="<2@bench>")

CLIENT = OAuthClient(
    client_id="bench", client_secret="only-here", redirect_uris=("http://127.0.0.1/callback",)
)
SEED = Seed(users=(GoogleUser(email=ACCOUNTS[NORTH], name="North"),), client=CLIENT)


@pytest.fixture
async def google(tmp_path: Path) -> AsyncIterator[GoogleEmulator]:
    log, cache = tmp_path / "google.log", Settings().cache_dir
    async with GoogleEmulator(SEED, log=log, cache=cache) as running:
        yield running


def test_a_follow_up_in_its_thread_and_from_its_mailbox_passes() -> None:
    check_chain(ADA, [FIRST, SECOND], ACCOUNTS, steps=2)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(replace(SECOND, thread_id="thread-2"), id="another thread"),
        pytest.param(replace(SECOND, in_reply_to="<9@bench>"), id="an answer to another mail"),
        pytest.param(replace(SECOND, in_reply_to=""), id="an answer to none"),
        pytest.param(
            replace(SECOND, account_id=SOUTH, sender="south@bench.test"), id="another mailbox"
        ),
        pytest.param(replace(SECOND, sender="south@bench.test"), id="another sender"),
        pytest.param(replace(SECOND, to="bob@example.test"), id="another person"),
    ],
)
def test_a_follow_up_that_went_astray_is_found(wrong: FoundMail) -> None:
    with pytest.raises(WentWrong, match=ADA):
        check_chain(ADA, [FIRST, wrong], ACCOUNTS, steps=2)


def test_a_missing_mail_is_found() -> None:
    with pytest.raises(WentWrong, match="1 mails instead of 2"):
        check_chain(ADA, [FIRST], ACCOUNTS, steps=2)


async def test_a_token_is_renewed_before_the_sandbox_refuses_it(google: GoogleEmulator) -> None:
    tokens = SandboxTokens(google, ACCOUNTS[NORTH])

    issued = {await tokens.access_token() for _ in range(REQUESTS_A_TOKEN + 1)}
    last = await tokens.access_token()

    assert len(issued) == 2
    assert await tokens.access_token(rejected=last) != last


async def test_a_reply_is_timed_until_its_workflow_has_ended() -> None:
    result = await bench_reply(ReplySize(recipients=10, replies=8, at_once=4), lambda _: None)

    figures = result.to_json()
    assert figures["name"] == "reply"
    assert 0 < figures["p50_seconds"] <= figures["p99_seconds"] < 30
    assert figures["ratio"] == pytest.approx(figures["ours"] / figures["baseline"], rel=0.05)
