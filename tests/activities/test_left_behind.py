"""What an attempt left behind is settled, whatever became of its recipient meanwhile."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update
from temporalio.exceptions import ApplicationError

from shared.contracts.recipient import ActionOrder
from shared.db.models import ActionRow, ActionStatus, RecipientRow
from shared.db.session import Database
from shared.domain.channels import Channel
from shared.domain.recipient import ActivityName, EndReason, HoldReason, Parked, Planned
from shared.errors import ProviderError
from shared.keyring import Keyring
from tests.activities.conftest import Send, at
from tests.factories import NOON, Company
from tests.fakes.bland import FakeBland, Pickup
from tests.fakes.conductor import RecordingConductor
from tests.fakes.mail_server import FakeSmtp
from tests.phone_line import MORNING, PhoneLine
from workflows.parts import Parts, make_parts

LATER = NOON + timedelta(minutes=1)
AN_HOUR_LATER = MORNING + timedelta(hours=1)


class Killed(BaseException):
    """Nothing after it runs, as when the process dies."""


async def test_people_hear_of_a_mail_that_may_have_left_when_its_recipient_has_ended(
    *,
    send_by_smtp: Send,
    smtp_order: ActionOrder,
    mailbox: Company,
    parts: Parts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("shared.providers.smtp.SmtpSession.begin", die)
        with pytest.raises(Killed):
            await send_by_smtp(smtp_order)
    async with mailbox.session() as session:
        ended = {"end_reason": EndReason.REPLIED, "ended_at": datetime.now(UTC)}
        await session.execute(update(RecipientRow).values(**ended))

    assert await at(LATER).run(parts.smtp.settle, smtp_order) is False

    [action] = await mailbox.actions()
    assert action.status is ActionStatus.UNCONFIRMED


async def test_a_mark_that_is_taken_back_lets_a_waiting_recipient_go_on(
    *,
    send_by_smtp: Send,
    smtp_order: ActionOrder,
    smtp: FakeSmtp,
    mailbox: Company,
    parts: Parts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While one attempt waits for the server's no, another finds its mark and doubts."""
    doubts: list[object] = []

    async def doubt(*_: object) -> str:
        doubts.append(await send_by_smtp(smtp_order, LATER))
        return "451 4.3.0 Try later"

    with monkeypatch.context() as patch:
        patch.setattr(smtp, "handle_DATA", doubt)
        with pytest.raises((ProviderError, ApplicationError)):
            await send_by_smtp(smtp_order)
    assert doubts == [Parked(reason=HoldReason.UNCONFIRMED)]

    assert await at(LATER).run(parts.smtp.settle, smtp_order) is True
    await send_by_smtp(smtp_order, LATER)

    [action] = await mailbox.actions()
    assert (action.status, action.round, len(smtp.mails)) == (ActionStatus.SENT, 2, 1)


@pytest.fixture
async def phones(
    database: Database, keyring: Keyring, conductor: RecordingConductor, bland: FakeBland
) -> AsyncIterator[Parts]:
    async with bland.http() as http:
        yield make_parts(
            database=database,
            keyring=keyring,
            conductor=conductor,
            http=http,
            token_source_of=lambda _: pytest.fail("no mailbox is opened here"),
            gmail_endpoint="http://gmail.test",
            bland_endpoint=bland.endpoint,
            poll_seconds=1,
        )


@pytest.fixture
def bland() -> FakeBland:
    return FakeBland(clock=lambda: MORNING)


@pytest.fixture
async def line(company: Company, database: Database, keyring: Keyring) -> PhoneLine:
    return await PhoneLine.connect(company, database, keyring, api_key=FakeBland.api_key)


async def test_a_call_is_collected_when_no_step_of_the_campaign_is_a_call_any_more(
    phones: Parts, bland: FakeBland, line: PhoneLine
) -> None:
    campaign = await line.make_campaign()
    order = await line.make_order(campaign)
    await at(MORNING).run(phones.bland.call, order)
    await line.company.remove_steps(campaign.id, Channel.CALL)
    bland.end(bland.placed[0], Pickup.TALKS)

    assert await at(AN_HOUR_LATER).run(phones.bland.settle, order) is True

    [call], [action] = await line.calls(), await line.company.actions()
    assert (call.outcome, action.status) == ("answered", ActionStatus.SENT)


async def test_a_call_that_was_never_dialled_is_given_up_when_its_step_is_gone(
    phones: Parts, bland: FakeBland, line: PhoneLine
) -> None:
    bland.lose_request(on="sendCall")
    campaign = await line.make_campaign()
    order = await line.make_order(campaign)
    await at(MORNING).run(phones.bland.call, order)
    await line.company.remove_steps(campaign.id, Channel.CALL)

    assert await at(AN_HOUR_LATER).run(phones.bland.settle, order) is True

    [action] = await line.company.actions()
    assert (action.status, bland.placed) == (ActionStatus.ABANDONED, [])


async def test_what_a_call_has_left_behind_is_not_ended_by_the_mail_behind_it(
    phones: Parts, bland: FakeBland, line: PhoneLine
) -> None:
    bland.lose_request(on="sendCall")
    campaign = await line.make_campaign()
    order = await line.make_order(campaign)
    await at(MORNING).run(phones.bland.call, order)
    await line.company.remove_steps(campaign.id, Channel.CALL)
    mail = replace(order, activity=ActivityName.GMAIL_SEND, step_id=campaign.step_ids[1])
    day_2 = MORNING + timedelta(days=1)

    first = await at(day_2).run(phones.gmail.send, mail)
    second = await at(day_2).run(phones.bland.call, order)

    assert isinstance(first, Planned)
    assert (first.activity, first.step_id) == (ActivityName.BLAND_CALL, order.step_id)
    assert isinstance(second, Planned)
    assert (second.activity, second.step_id) == (ActivityName.GMAIL_SEND, mail.step_id)
    [action] = await line.company.actions()
    assert action.status is ActionStatus.ABANDONED


async def test_a_call_that_may_still_be_found_is_waited_for_when_its_step_is_gone(
    phones: Parts, bland: FakeBland, line: PhoneLine
) -> None:
    bland.lose_request(on="sendCall")
    campaign = await line.make_campaign()
    order = await line.make_order(campaign)
    await at(MORNING).run(phones.bland.call, order)
    await line.company.remove_steps(campaign.id, Channel.CALL)
    async with line.company.session() as session:
        await session.execute(update(ActionRow).values(confirmed_at=MORNING))

    waiting = await at(MORNING + timedelta(seconds=5)).run(phones.bland.call, order)

    assert isinstance(waiting, Planned)
    assert (waiting.activity, waiting.step_id) == (ActivityName.BLAND_CALL, order.step_id)
    assert MORNING + timedelta(seconds=5) < waiting.at < AN_HOUR_LATER
    assert waiting.label.startswith("give up what was begun: it may have been dialled")
