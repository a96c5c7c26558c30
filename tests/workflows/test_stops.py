"""What stops a lead in one channel stops all others: real Temporal, real Postgres, stand-ins."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import select

from shared.db.models import AccountRow, ActionStatus, TodoStatus
from shared.domain.channels import AccountKind, Channel
from shared.domain.inbound import InboundKind
from shared.domain.recipient import EndReason
from tests.workflows.conftest import end_of
from tests.workflows.stopping import Play, play

__all__ = ["play"]

STOPS = {
    InboundKind.REPLY: EndReason.REPLIED,
    InboundKind.UNSUBSCRIBE: EndReason.UNSUBSCRIBED,
    InboundKind.MEETING_BOOKED: EndReason.MEETING,
    InboundKind.DO_NOT_CALL: EndReason.SUPPRESSED,
}
EVERY_STOP = pytest.mark.parametrize("kind", STOPS, ids=[kind.value for kind in STOPS])


@EVERY_STOP
async def test_it_ends_a_call_a_to_do_and_the_mails_that_wait(
    play: Play, kind: InboundKind
) -> None:
    called, calling = await play.start(Channel.CALL, Channel.EMAIL)
    asked, asking = await play.start(Channel.TASK, Channel.EMAIL)
    written, writing = await play.start(Channel.EMAIL, Channel.LINKEDIN_CONNECTION)
    await play.until_ringing(calling)
    await play.until_opened(asked)
    await play.until_settled(written)

    await play.receive(kind, written)

    for recipient in (writing, calling, asking):
        assert await end_of(recipient) is STOPS[kind]
    assert await play.todos(asked) == [TodoStatus.CANCELLED]
    assert (len(play.gmail.sent), len(play.unipile.world.invited)) == (1, 0)
    # It is hung up, which is kept, and nobody dials again.
    assert (play.bland.requests["stopCall"], len(play.bland.placed)) == (1, 1)
    [call], [action] = await play.line.calls(), await play.actions(called)
    assert (call.status, call.outcome, action.status) == (
        "canceled",
        "no_answer",
        ActionStatus.SENT,
    )


@EVERY_STOP
@pytest.mark.parametrize(
    ("channel", "at"),
    [
        pytest.param(Channel.EMAIL, "/drafts", id="a mail"),
        # The profile is read between the reservation and the mark.
        pytest.param(Channel.LINKEDIN_CONNECTION, "/users/ada", id="an invitation"),
    ],
)
async def test_what_is_reserved_and_not_yet_called_is_not_done(
    play: Play, channel: Channel, at: str, kind: InboundKind
) -> None:
    asked, asking = await play.start(Channel.TASK)
    await play.until_opened(asked)
    play.gate.on = at
    reserved, reserving = await play.start(channel, Channel.TASK)
    async with asyncio.timeout(60):
        await play.gate.is_reached.wait()
    [action] = await play.actions(reserved)
    assert action.status is ActionStatus.RESERVED

    await play.receive(kind, asked)
    play.gate.is_open.set()

    assert await end_of(reserving) is STOPS[kind]
    assert await end_of(asking) is STOPS[kind]
    [action] = await play.actions(reserved)
    assert action.status is ActionStatus.ABANDONED
    assert (play.gmail.sent, play.gmail.drafts, play.unipile.world.invited) == ([], {}, [])


async def test_an_answer_at_linkedin_stops_a_call_that_is_about_to_be_made(play: Play) -> None:
    _, calling = await play.start(Channel.LINKEDIN_CONNECTION, Channel.CALL)
    async with asyncio.timeout(60):
        while not play.unipile.world.invited:  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0.02)
    [invitation] = play.unipile.world.invited
    play.unipile.accept(invitation.account_id, "ada")
    play.unipile.reply(invitation.account_id, "ada", "Not by phone, please.")
    assert play.parts.inbox.linkedin
    await play.parts.inbox.linkedin.poll(play.company.id, await _account(play), datetime.now(UTC))

    assert await end_of(calling) is EndReason.REPLIED
    assert play.bland.placed == []


async def _account(play: Play) -> UUID:
    async with play.company.session() as session:
        is_linkedin = AccountRow.kind == AccountKind.LINKEDIN
        return (await session.scalars(select(AccountRow.id).where(is_linkedin))).one()
