"""Sending over SMTP once, and reading over IMAP: real servers on both ends."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from temporalio.exceptions import ApplicationError

from activities.actions import Ledger
from activities.results import Reserved, Result
from shared.contracts.recipient import ActionOrder
from shared.db.models import AccountRow, ActionRow, ActionStatus, CompanyRow
from shared.db.models.accounts import AccountStatus
from shared.domain.recipient import (
    ActivityName,
    EndReason,
    Finished,
    HoldReason,
    Outcome,
    Parked,
    Planned,
)
from shared.errors import ProviderError
from shared.providers.smtp import SmtpSession
from tests.activities.conftest import Send, at
from tests.factories import NOON, Company
from tests.fakes.mail_server import USER, FakeSmtp, ImapServer
from workflows.parts import Parts

LATER = NOON + timedelta(minutes=1)
THIRD_DAY = NOON + timedelta(days=3)


class Killed(BaseException):
    """Nothing after it runs, as when the process dies."""


async def test_a_mail_is_sent_and_the_next_one_is_planned(
    send_by_smtp: Send, smtp_order: ActionOrder, smtp: FakeSmtp, mailbox: Company
) -> None:
    outcome = await send_by_smtp(smtp_order)

    [mail], [action] = smtp.mails, await mailbox.actions()
    assert isinstance(outcome, Planned)
    assert (outcome.activity, outcome.at) == (ActivityName.SMTP_SEND, THIRD_DAY)
    assert (action.status, action.message_id) == (ActionStatus.SENT, mail["Message-ID"])
    assert smtp.envelopes == [(USER, mail["To"])]
    assert "Hello Ada" in mail.get_content()
    assert mail["Date"].datetime == NOON


async def test_the_account_decides_which_activity_sends(
    parts: Parts, smtp_order: ActionOrder, smtp: FakeSmtp
) -> None:
    planned = replace(smtp_order, activity=ActivityName.GMAIL_SEND)

    outcome = await at(NOON).run(parts.gmail.send, planned)

    assert isinstance(outcome, Planned)
    assert (outcome.activity, outcome.at) == (ActivityName.SMTP_SEND, NOON)
    assert smtp.mails == []


async def test_a_follow_up_goes_into_the_same_thread(
    send_by_smtp: Send, smtp_order: ActionOrder, smtp: FakeSmtp
) -> None:
    second = await send_by_smtp(smtp_order)
    assert isinstance(second, Planned)
    third = await send_by_smtp(replace(smtp_order, step_id=second.step_id), THIRD_DAY)
    assert isinstance(third, Planned)
    await send_by_smtp(replace(smtp_order, step_id=third.step_id), third.at)

    first_id, second_id, third_id = (mail["Message-ID"] for mail in smtp.mails)
    assert [mail["In-Reply-To"] for mail in smtp.mails] == [None, first_id, second_id]
    assert smtp.mails[2]["References"].split() == [first_id, second_id]
    assert len({first_id, second_id, third_id}) == 3


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA", "dot"])
async def test_what_the_server_did_not_take_is_sent_later(
    send_by_smtp: Send, smtp_order: ActionOrder, smtp: FakeSmtp, command: str
) -> None:
    smtp.answers[command] = "451 4.3.0 Try later"
    with pytest.raises((ProviderError, ApplicationError)):
        await send_by_smtp(smtp_order)
    smtp.answers.clear()

    await send_by_smtp(smtp_order, LATER)
    await send_by_smtp(smtp_order, LATER)

    assert len(smtp.mails) == 1


async def test_a_line_cut_before_the_mail_is_no_risk(
    send_by_smtp: Send, smtp_order: ActionOrder, smtp: FakeSmtp
) -> None:
    smtp.loses = "DATA"
    with pytest.raises((ProviderError, ApplicationError)):
        await send_by_smtp(smtp_order)
    smtp.loses = None

    await send_by_smtp(smtp_order, LATER)

    assert len(smtp.mails) == 1


async def test_a_lost_answer_parks_and_nothing_is_repeated(
    send_by_smtp: Send, smtp_order: ActionOrder, smtp: FakeSmtp, mailbox: Company
) -> None:
    smtp.loses = "dot"

    outcomes = [await send_by_smtp(smtp_order), await send_by_smtp(smtp_order, LATER)]

    assert outcomes == [Parked(reason=HoldReason.UNCONFIRMED)] * 2
    assert len(smtp.mails) == 1
    [action] = await mailbox.actions()
    assert (action.status, action.message_id) == (
        ActionStatus.UNCONFIRMED,
        smtp.mails[0]["Message-ID"],
    )


async def test_an_attempt_that_died_behind_the_mark_is_never_repeated(
    send_by_smtp: Send,
    smtp_order: ActionOrder,
    smtp: FakeSmtp,
    mailbox: Company,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("shared.providers.smtp.SmtpSession.begin", die)
        with pytest.raises(Killed):
            await send_by_smtp(smtp_order)

    assert await send_by_smtp(smtp_order, LATER) == Parked(reason=HoldReason.UNCONFIRMED)
    assert smtp.mails == []


async def test_a_mail_among_the_sent_ones_was_sent(
    *,
    send_by_smtp: Send,
    smtp_order: ActionOrder,
    smtp: FakeSmtp,
    mailbox: Company,
    imap: ImapServer,
    parts: Parts,
) -> None:
    smtp.loses = "dot"
    await send_by_smtp(smtp_order)
    assert await at(LATER).run(parts.smtp.settle, smtp_order) is False

    imap.put(smtp.mails[0].as_bytes(), folder="Sent")

    assert await at(LATER).run(parts.smtp.settle, smtp_order) is True
    [action] = await mailbox.actions()
    assert action.status is ActionStatus.SENT
    assert isinstance(await at(LATER).run(parts.recipient.plan, smtp_order), Planned)


@pytest.mark.parametrize("asks", [False, True], ids=["goes on", "asks a person"])
async def test_after_a_day_it_counts_as_sent_unless_the_company_wants_to_be_asked(
    *,
    send_by_smtp: Send,
    smtp_order: ActionOrder,
    smtp: FakeSmtp,
    mailbox: Company,
    parts: Parts,
    asks: bool,
) -> None:
    async with mailbox.session() as session:
        company = await session.get_one(CompanyRow, mailbox.id)
        company.settings = {"asks_about_unconfirmed": asks}
    smtp.loses = "dot"
    await send_by_smtp(smtp_order)
    # The mark has the database's time.
    tomorrow = datetime.now(UTC) + timedelta(hours=25)

    assert await at(NOON).run(parts.smtp.settle, smtp_order) is False
    assert await at(tomorrow).run(parts.smtp.settle, smtp_order) is not asks


async def test_the_sweep_asks_the_activity_of_the_account(
    send_by_smtp: Send, smtp_order: ActionOrder, smtp: FakeSmtp, mailbox: Company, parts: Parts
) -> None:
    smtp.loses = "dot"
    await send_by_smtp(smtp_order)
    async with mailbox.session() as session:
        [action] = await session.scalars(select(ActionRow))
        action.attempted_at = datetime.now(UTC) - timedelta(hours=30)

    assert smtp_order in await at(NOON).run(parts.sweep.find_unsettled)

    async with mailbox.session() as session:
        [action] = await session.scalars(select(ActionRow))
        action.attempted_at = datetime.now(UTC) - timedelta(days=3)
    assert smtp_order not in await at(NOON).run(parts.sweep.find_unsettled)


async def test_an_impossible_address_ends_the_recipient(
    send_by_smtp: Send, smtp_order: ActionOrder, smtp: FakeSmtp, mailbox: Company
) -> None:
    smtp.answers["RCPT"] = "550 5.1.1 No such user"

    assert await send_by_smtp(smtp_order) == Finished(reason=EndReason.REFUSED)
    [action] = await mailbox.actions()
    assert action.status is ActionStatus.REFUSED


async def test_a_wrong_password_parks_until_it_is_connected_again(
    send_by_smtp: Send, smtp_order: ActionOrder, smtp: FakeSmtp, mailbox: Company
) -> None:
    smtp.answers["AUTH"] = "535 5.7.8 Bad credentials"

    assert await send_by_smtp(smtp_order) == Parked(reason=HoldReason.ACCOUNT_DOWN)
    async with mailbox.session() as session:
        account = await session.get_one(AccountRow, mailbox.account_id)
        assert account.status is AccountStatus.NEEDS_ATTENTION
        assert "password" in (account.status_reason or "")
        account.status = AccountStatus.ACTIVE
    smtp.answers.clear()
    await send_by_smtp(smtp_order, LATER)
    assert len(smtp.mails) == 1


async def test_what_the_server_refuses_for_good_no_other_attempt_hands_over(
    *,
    send_by_smtp: Send,
    smtp_order: ActionOrder,
    smtp: FakeSmtp,
    mailbox: Company,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The other one comes between the server's answer and the record of it."""
    smtp.answers["dot"] = "550 5.1.1 No such user"
    record = Ledger.record

    async def overtaken(
        ledger: Ledger, order: ActionOrder, reserved: Reserved, result: Result
    ) -> Outcome:
        monkeypatch.setattr(Ledger, "record", record)
        smtp.answers.clear()
        await send_by_smtp(smtp_order)
        return await record(ledger, order, reserved, result)

    monkeypatch.setattr(Ledger, "record", overtaken)
    assert await send_by_smtp(smtp_order) == Finished(reason=EndReason.REFUSED)

    [action] = await mailbox.actions()
    assert (smtp.mails, action.status) == ([], ActionStatus.REFUSED)


@pytest.mark.parametrize("loses", [None, "dot"], ids=["taken", "answer lost"])
async def test_of_two_attempts_at_once_one_hands_it_over(
    *,
    send_by_smtp: Send,
    smtp_order: ActionOrder,
    smtp: FakeSmtp,
    mailbox: Company,
    monkeypatch: pytest.MonkeyPatch,
    loses: str | None,
) -> None:
    smtp.loses = loses
    address = SmtpSession.address

    async def overtaken(session: SmtpSession, **names: str) -> None:
        monkeypatch.setattr(SmtpSession, "address", address)
        await send_by_smtp(smtp_order)
        await address(session, **names)

    monkeypatch.setattr(SmtpSession, "address", overtaken)
    await send_by_smtp(smtp_order)

    [action] = await mailbox.actions()
    assert len(smtp.mails) == 1
    assert action.status is (ActionStatus.UNCONFIRMED if loses else ActionStatus.SENT)
