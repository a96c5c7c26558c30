"""The sandbox's Unipile: what it tells, who lives there, and that it is true to its spec."""

from datetime import timedelta

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from deploy.sandbox.contract import BrokenContract
from deploy.sandbox.linkedin_world import SandboxAccount
from deploy.sandbox.members import Manners, Members, cast_members
from shared.providers.unipile import UnipileClient
from tests.fakes.unipile import FakeUnipile
from tests.networking import Clock


async def test_webhooks_come_with_the_secret_twice_and_again_until_they_are_taken(
    linkedin: UnipileClient, account: SandboxAccount, unipile: FakeUnipile
) -> None:
    statuses = [500, 200, 200]
    heard: list[str] = []

    async def hear(request: Request) -> Response:
        assert request.headers["unipile-auth"] == "secret"
        heard.append((await request.json()).get("event", "status"))
        return Response(status_code=statuses.pop(0))

    app = Starlette(routes=[Route("/webhooks/unipile", hear, methods=["POST"])])
    await linkedin.register_webhooks("http://drumbeat.test/webhooks/unipile", "secret")
    unipile.world.invite(account.id, "ada", "")
    unipile.accept(account.id, "ada")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as http:
        assert await unipile.news.deliver(http, times=2, seed=1) == [500, 200]
        assert await unipile.news.deliver(http) == [200]

    assert heard == ["new_relation"] * 3


async def test_members_do_as_they_were_cast(
    linkedin: UnipileClient, account: SandboxAccount, unipile: FakeUnipile, clock: Clock
) -> None:
    names = ["ada", "bob", "cleo", "dan"]
    shares = {Manners.REPLIES: 0.5, Manners.IGNORES: 0.25}
    cast = cast_members(names, seed=3, shares=shares)
    assert cast == cast_members(names, seed=3, shares=shares)
    members = Members(unipile, cast)
    for name in names:
        unipile.world.invite(account.id, name, "")
    members.take_turn()
    assert members.deeds == []

    clock.at += timedelta(seconds=3)
    members.take_turn()
    for deed in list(members.deeds):
        unipile.world.write(account.id, deed.public_id, "Hello", is_ours=True)
    clock.at += timedelta(seconds=3)
    members.take_turn()
    members.take_turn()

    assert [deed.deed for deed in members.deeds].count("accepted") == 3
    assert [deed.deed for deed in members.deeds].count("replied") == 2


async def test_an_answer_that_unipile_would_never_give_fails_the_test(
    unipile: FakeUnipile, account: SandboxAccount
) -> None:
    account.status = "SLEEPY"
    async with unipile.http() as http:
        client = UnipileClient(http, endpoint=unipile.endpoint, api_key=unipile.api_key)
        with pytest.raises(BrokenContract):
            await client.account(account.id)
