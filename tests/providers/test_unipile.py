"""The client and the sandbox's Unipile, which holds both sides against the spec."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from deploy.sandbox.linkedin_world import SandboxAccount
from shared.errors import AccountRefused, Ambiguous, AuthExpired, RateLimited, Refused, Unavailable
from shared.providers.linkedin import (
    AlreadyConnected,
    AlreadyInvited,
    NoInMail,
    NoSuchMember,
    NotConnected,
    TooLong,
    cut_note,
    public_id_of,
)
from shared.providers.unipile import HostedLink, UnipileClient
from tests.fakes.unipile import FakeUnipile
from tests.networking import Clock
from tests.providers.samples import NOON


async def test_a_member_is_known_by_the_name_in_their_profiles_address(
    linkedin: UnipileClient, account: SandboxAccount, unipile: FakeUnipile
) -> None:
    ada = await linkedin.member(account.id, "ada")

    assert (ada.public_id, ada.is_connected, ada.is_invited) == ("ada", False, False)
    assert ada.id == unipile.world.member_id(account.id, "ada")
    with pytest.raises(NoSuchMember):
        await linkedin.member(account.id, "nobody")


async def test_an_invitation_is_pending_until_it_is_accepted(
    linkedin: UnipileClient, account: SandboxAccount, unipile: FakeUnipile, clock: Clock
) -> None:
    ada = await linkedin.member(account.id, "ada")
    invitation_id = await linkedin.invite(account.id, ada.id, "Hello Ada")

    pending = await linkedin.find_invitation(account.id, ada.id)
    assert pending is not None
    assert (pending.id, pending.sent_at) == (invitation_id, NOON)
    assert (await linkedin.member(account.id, "ada")).is_invited

    clock.at += timedelta(days=1)
    unipile.accept(account.id, "ada")
    assert await linkedin.find_invitation(account.id, ada.id) is None
    assert (await linkedin.member(account.id, "ada")).is_connected
    [connection] = await linkedin.connections(account.id, NOON)
    assert (connection.member_id, connection.since) == (ada.id, clock.at)
    assert await linkedin.connections(account.id, clock.at + timedelta(seconds=1)) == []


async def test_an_invitation_is_not_sent_twice(
    linkedin: UnipileClient, account: SandboxAccount, unipile: FakeUnipile
) -> None:
    ada = await linkedin.member(account.id, "ada")
    await linkedin.invite(account.id, ada.id, "")

    with pytest.raises(AlreadyInvited):
        await linkedin.invite(account.id, ada.id, "")
    unipile.accept(account.id, "ada")
    with pytest.raises(AlreadyConnected):
        await linkedin.invite(account.id, ada.id, "")
    assert len(unipile.world.invited) == 1


async def test_a_withdrawn_invitation_is_none_any_more(
    linkedin: UnipileClient, account: SandboxAccount
) -> None:
    ada = await linkedin.member(account.id, "ada")
    invitation_id = await linkedin.invite(account.id, ada.id, "")

    assert await linkedin.withdraw(account.id, invitation_id)
    assert not await linkedin.withdraw(account.id, invitation_id)
    with pytest.raises(AlreadyInvited):
        await linkedin.invite(account.id, ada.id, "")


async def test_a_long_note_is_refused_to_a_free_account(
    linkedin: UnipileClient, unipile: FakeUnipile
) -> None:
    free = unipile.world.add_account("fay-free", is_premium=False)
    ada = await linkedin.member(free.id, "ada")

    assert (await linkedin.account(free.id)).note_limit == 200
    with pytest.raises(TooLong):
        await linkedin.invite(free.id, ada.id, "n" * 201)
    await linkedin.invite(free.id, ada.id, "n" * 200)


async def test_a_chat_is_found_again(
    linkedin: UnipileClient, account: SandboxAccount, unipile: FakeUnipile, clock: Clock
) -> None:
    ada = await linkedin.member(account.id, "ada")
    with pytest.raises(NotConnected):
        await linkedin.start_chat(account.id, ada.id, "Hello")
    unipile.world.connect(account.id, "ada")
    assert await linkedin.find_chat(account.id, ada.id) is None

    first = await linkedin.start_chat(account.id, ada.id, "Hello\n\nAda")
    assert await linkedin.find_chat(account.id, ada.id) == first.chat_id
    clock.at += timedelta(seconds=1)
    second = await linkedin.send(first.chat_id, "Are you there?")
    clock.at += timedelta(seconds=1)
    answer = unipile.reply(account.id, "ada", "Yes")

    found = await linkedin.messages_of(first.chat_id, NOON - timedelta(seconds=1))
    assert [message.id for message in found] == [answer.id, second.id, first.id]
    assert [message.is_ours for message in found] == [False, True, True]
    assert [it.id for it in await linkedin.messages(account.id, NOON)] == [answer.id, second.id]


async def test_an_inmail_needs_credits(
    linkedin: UnipileClient, account: SandboxAccount, unipile: FakeUnipile
) -> None:
    ada = await linkedin.member(account.id, "ada")
    with pytest.raises(NoInMail):
        await linkedin.start_chat(account.id, ada.id, "Hello", inmail_subject="A question")

    account.inmail_credits = 1
    await linkedin.start_chat(account.id, ada.id, "Hello", inmail_subject="A question")
    [message] = unipile.world.written
    assert message.is_inmail


async def test_an_account_tells_whose_it_is(
    linkedin: UnipileClient, account: SandboxAccount, unipile: FakeUnipile
) -> None:
    found = await linkedin.account(account.id)

    assert found.member_id == unipile.world.member_id(account.id, "sam-sender")
    assert (found.public_id, found.note_limit, found.is_well) == ("sam-sender", 300, True)
    unipile.set_status(account.id, "CREDENTIALS")
    assert not (await linkedin.account(account.id)).is_well
    await linkedin.delete_account(account.id)
    await linkedin.delete_account(account.id)
    assert unipile.world.accounts == {}


async def test_an_account_that_is_gone_is_not_taken_for_a_member_who_is(
    linkedin: UnipileClient, account: SandboxAccount, unipile: FakeUnipile
) -> None:
    del unipile.world.accounts[account.id]

    for asked in (linkedin.member(account.id, "ada"), linkedin.messages(account.id, NOON)):
        with pytest.raises(AuthExpired, match="connect it again"):
            await asked
    with pytest.raises(AuthExpired):
        await linkedin.account(account.id)


async def test_a_hosted_link_creates_or_reconnects(
    linkedin: UnipileClient, unipile: FakeUnipile
) -> None:
    link = HostedLink(
        name="token",
        notify_url="https://drumbeat.test/webhooks/unipile/connected",
        success_url="https://app.test/done",
        failure_url="https://app.test/failed",
        expires_at=NOON,
    )
    url = await linkedin.hosted_link(link)
    await linkedin.hosted_link(replace(link, account_id="unipile-7"))

    assert url.startswith("https://account.unipile.test/")
    first, again = unipile.answers.links
    assert (first["type"], first["providers"]) == ("create", ["LINKEDIN"])
    assert (again["type"], again["reconnect_account"]) == ("reconnect", "unipile-7")


async def test_webhooks_are_registered_once_for_every_source(
    linkedin: UnipileClient, unipile: FakeUnipile
) -> None:
    url = "https://drumbeat.test/webhooks/unipile"

    assert await linkedin.register_webhooks(url, "secret") == 3
    assert await linkedin.register_webhooks(url, "secret") == 0
    assert {it["source"] for it in unipile.news.subscriptions} == {
        "messaging",
        "users",
        "account_status",
    }


async def test_all_pages_are_read(
    linkedin: UnipileClient, account: SandboxAccount, unipile: FakeUnipile
) -> None:
    unipile.answers.page_size = 2
    for number in range(5):
        unipile.world.members.add(f"m{number}")
        unipile.world.invite(account.id, f"m{number}", "")

    assert len([it async for it in linkedin.invitations(account.id)]) == 5


@pytest.mark.parametrize(
    ("spoil", "expected", "invited"),
    [
        (lambda u: u.lose_answer(on="sendInvitation"), Ambiguous, 1),
        (lambda u: u.lose_request(on="sendInvitation"), Ambiguous, 0),
        (lambda u: u.be_down(on="sendInvitation"), Unavailable, 0),
        (lambda u: u.fail(500, "provider_error", after_acting=True), Ambiguous, 1),
        (lambda u: u.fail(429, "too_many_requests"), RateLimited, 0),
        (lambda u: u.fail(401, "expired_credentials"), AuthExpired, 0),
        (lambda u: u.fail(422, "blocked_recipient"), Refused, 0),
    ],
)
async def test_a_lost_answer_is_told_from_a_request_that_never_left(
    linkedin: UnipileClient,
    account: SandboxAccount,
    unipile: FakeUnipile,
    spoil: Callable[[FakeUnipile], None],
    expected: type[Exception],
    invited: int,
) -> None:
    ada = await linkedin.member(account.id, "ada")
    spoil(unipile)

    with pytest.raises(expected) as caught:
        await linkedin.invite(account.id, ada.id, "")

    assert type(caught.value) is expected
    assert len(unipile.world.invited) == invited


async def test_a_wrong_key_is_said_to_be_ours(
    unipile: FakeUnipile, account: SandboxAccount
) -> None:
    async with unipile.http() as http:
        client = UnipileClient(http, endpoint=unipile.endpoint, api_key="wrong")
        with pytest.raises(AccountRefused, match="DRUMBEAT_UNIPILE_API_KEY"):
            await client.account(account.id)


@pytest.mark.parametrize(
    ("text", "cut"),
    [("short", "short"), ("  one two three ", "one two…"), ("x" * 20, "x" * 9 + "…")],
)
def test_a_note_is_cut_behind_a_word(text: str, cut: str) -> None:
    assert cut_note(text, 10) == cut


@pytest.mark.parametrize(
    ("address", "public_id"),
    [
        ("https://www.linkedin.com/in/ada", "ada"),
        ("https://www.linkedin.com/in/j%c3%bcrgen-m", "jürgen-m"),
        ("https://www.linkedin.com/in/ada/details/experience", "ada"),
        ("https://www.linkedin.com/company/acme", None),
        ("https://www.linkedin.com/in", None),
        ("https://www.linkedin.com/in/..", None),
    ],
)
def test_only_a_persons_profile_has_a_public_id(address: str, public_id: str | None) -> None:
    assert public_id_of(address) == public_id
