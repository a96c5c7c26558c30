"""The comparison that ends the demo finds what it is there to find."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest

from deploy.demo.audit import Course, make_report
from deploy.demo.ledger import LedgerAction, LedgerRecipient
from deploy.demo.script import make_leads
from deploy.sandbox.behaviour import Answer
from deploy.sandbox.letters import Received
from deploy.sandbox.mailbox import InMailbox
from deploy.sandbox.people import Deed

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
STEPS = 3


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def mail(step: int, *, key: str | None = None, id: str | None = None) -> InMailbox:  # noqa: A002 - the field's name
    written = EmailMessage()
    written["X-Drumbeat-Key"] = key or f"key-{step}"
    written.set_content(f"Text of step {step}")
    received = Received(mail=written, message_id=f"<{step}@us.test>")
    return InMailbox(id=id or f"m{step}", thread_id="t", at=at(step * 10), received=received)


def action(step: int, *, status: str = "sent", confirmed: float | None = None) -> LedgerAction:
    confirmed_at = at(step * 10 if confirmed is None else confirmed)
    return LedgerAction(
        step_id=f"s{step}", status=status, executed_at=confirmed_at, confirmed_at=confirmed_at
    )


def course(*, mails: list[InMailbox], actions: list[LedgerAction], **ending: str) -> Course:
    recipient = LedgerRecipient(
        id="r",
        lead_id="l",
        status=ending.get("status", "completed"),
        detail=ending.get("detail", "completed"),
        ended_at=at(100),
        actions=tuple(actions),
    )
    return Course(
        address="ada@lead.test", name="Ada", recipient=recipient, mails=tuple(mails), deeds=()
    )


def deed(answer: Answer) -> Deed:
    return Deed(
        address="ada@lead.test",
        answer=answer,
        mail_number=1,
        to_message="m1",
        message="in-1",
        answered_at=at(12),
    )


def whole() -> Course:
    return course(mails=[mail(n) for n in (1, 2, 3)], actions=[action(n) for n in (1, 2, 3)])


def stopped(end: str, answer: Answer) -> Course:
    status = {"replied": "responded", "bounced": "failed"}.get(end, "completed")
    one = course(mails=[mail(1)], actions=[action(1)], status=status, detail=end)
    ended = replace(one.recipient, ended_at=at(13))
    return replace(one, recipient=ended, deeds=(deed(answer),))


def test_a_good_run_is_clean_and_everybody_is_counted_once() -> None:
    away = replace(whole(), deeds=(deed(Answer.OUT_OF_OFFICE),))
    ended = [
        stopped("replied", Answer.REPLY),
        stopped("bounced", Answer.BOUNCE),
        stopped("unsubscribed", Answer.UNSUBSCRIBE),
    ]
    report = make_report([whole(), away, *ended], steps=STEPS, seconds=41.26)
    assert report.is_clean
    assert (report.recipients, report.sent, report.seconds) == (5, 9, 41.3)
    assert (report.replied, report.bounced, report.unsubscribed, report.finished) == (1, 1, 1, 2)
    assert report.auto_replies == 1


@pytest.mark.parametrize(
    "again",
    [mail(2, id="again"), mail(2, key="round-2", id="again")],
    ids=["with the same mark", "with another mark and the same text"],
)
def test_a_mail_that_was_sent_twice_is_a_duplicate(again: InMailbox) -> None:
    twice = replace(whole(), mails=(*whole().mails, again))
    report = make_report([twice], steps=STEPS, seconds=1)
    assert (report.duplicates, report.lost) == (1, 0)
    assert not report.is_clean


def test_a_step_that_finished_people_never_got_is_lost() -> None:
    report = make_report([replace(whole(), mails=whole().mails[:2])], steps=STEPS, seconds=1)
    assert (report.lost, report.duplicates) == (1, 0)


def test_a_mail_that_is_recorded_but_was_never_sent_is_lost() -> None:
    replied = replace(stopped("replied", Answer.REPLY), mails=())
    assert make_report([replied], steps=STEPS, seconds=1).lost == 1


@pytest.mark.parametrize(("detail", "lost"), [("", 2), ("unconfirmed", 0)])
def test_whoever_has_not_ended_is_lost_unless_it_shows_why(detail: str, lost: int) -> None:
    open_one = course(mails=[mail(1)], actions=[action(1)], status="in_progress", detail=detail)
    assert make_report([open_one], steps=STEPS, seconds=1).lost == lost


@pytest.mark.parametrize(("confirmed", "late"), [(12.9, 0), (13.0, 0), (13.1, 1)])
def test_a_last_check_behind_the_stored_stop_counts(confirmed: float, late: int) -> None:
    one = stopped("replied", Answer.REPLY)
    actions = (action(1), action(2, confirmed=confirmed))
    changed = replace(one, mails=(mail(1), mail(2)))
    changed = replace(changed, recipient=replace(one.recipient, actions=actions))
    assert make_report([changed], steps=STEPS, seconds=1).sent_after_stop == late


def test_an_action_that_was_not_done_is_not_late() -> None:
    one = stopped("replied", Answer.REPLY)
    actions = (action(1), action(2, status="failed", confirmed=50))
    changed = replace(one, recipient=replace(one.recipient, actions=actions))
    assert make_report([changed], steps=STEPS, seconds=1).is_clean


def test_a_reply_that_nobody_noticed_is_remarked() -> None:
    deaf = replace(whole(), deeds=(deed(Answer.REPLY),))
    report = make_report([deaf], steps=STEPS, seconds=1)
    assert report.remarks == ("ada@lead.test should have ended as replied, not completed",)
    assert not report.is_clean


def test_a_mail_without_a_record_is_remarked() -> None:
    unknown = course(mails=[mail(n) for n in (1, 2, 3)], actions=[action(1), action(2)])
    report = make_report([unknown], steps=STEPS, seconds=1)
    assert report.remarks == ("ada@lead.test got 3 mails, 2 are recorded",)


def test_a_mail_that_is_being_looked_up_is_on_record() -> None:
    open_action = action(3, status="scheduled")
    doubtful = course(
        mails=[mail(n) for n in (1, 2, 3)],
        actions=[action(1), action(2), open_action],
        detail="bounced",
    )
    report = make_report([replace(doubtful, deeds=(deed(Answer.BOUNCE),))], steps=STEPS, seconds=1)
    assert report.remarks == ()


def test_a_ledger_that_hides_its_last_checks_is_remarked() -> None:
    silent = replace(action(3), confirmed_at=None)
    hiding = course(mails=[mail(n) for n in (1, 2, 3)], actions=[action(1), action(2), silent])
    assert len(make_report([hiding], steps=STEPS, seconds=1).remarks) == 1


def test_the_made_up_leads_are_all_different_and_always_the_same() -> None:
    leads = make_leads(40, seed=3)
    assert len({lead.email for lead in leads}) == 40
    assert make_leads(40, seed=3) == leads
