"""The audit is told of each thing that can go wrong, one at a time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from deploy.chaos.audit import UNSURE, Books, Entry, Letter, judge
from shared.domain.channels import Channel

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SENT = Entry(status="sent", draft_id="draft-1", confirmed_at=NOON)
FINE = Books(
    sent=(Letter(key="a", number=1), Letter(key="b", number=2)),
    drafts=(),
    entries={1: SENT, 2: SENT},
    owed=frozenset({1, 2}),
    end_reason="completed",
    ended_at=NOON + MINUTE,
    hold_reason=None,
    known=(),
    is_erased=False,
    is_stopped_by_reply=False,
)


def test_books_that_agree_are_clean() -> None:
    assert judge(FINE).is_clean
    assert judge(FINE).remarks == []


@pytest.mark.parametrize("again", [Letter(key="a", number=1), Letter(key="other", number=1)])
def test_a_step_that_left_twice_is_a_duplicate(again: Letter) -> None:
    """Also under another key, which a later round of the same step has."""
    assert judge(replace(FINE, sent=(*FINE.sent, again))).duplicates == 1


def test_what_counts_as_sent_and_never_left_is_lost() -> None:
    verdict = judge(replace(FINE, sent=FINE.sent[:1], owed=frozenset({1})))

    assert (verdict.lost, verdict.duplicates) == (1, 0)


@pytest.mark.parametrize("status", ["reserved", "abandoned", "unconfirmed"])
def test_a_mail_that_left_unknown_to_the_ledger_is_lost(status: str) -> None:
    entries = {1: SENT, 2: replace(SENT, status=status)}

    assert judge(replace(FINE, entries=entries)).lost == 1


def test_a_mail_that_is_in_no_book_is_lost() -> None:
    assert judge(replace(FINE, entries={1: SENT})).lost == 1


def test_an_end_without_all_mails_is_a_loss() -> None:
    verdict = judge(replace(FINE, sent=FINE.sent[:1], entries={1: SENT}))

    assert verdict.lost == 1


def test_a_stop_excuses_the_mails_that_were_not_sent() -> None:
    stopped = replace(FINE, sent=FINE.sent[:1], entries={1: SENT}, end_reason="replied")

    assert judge(stopped).is_clean


def test_parking_without_a_cause_does_not_pass() -> None:
    open_ = replace(FINE, end_reason=None, ended_at=None, hold_reason=UNSURE)

    verdict = judge(open_)
    assert (verdict.lost, verdict.unconfirmed) == (1, 1)


def test_a_person_is_asked_only_where_a_fault_explains_it() -> None:
    asked = replace(FINE, asked=frozenset({2}), excuses=1)

    assert judge(asked).is_clean
    assert judge(asked).left_to_people == 1
    assert judge(replace(asked, excuses=0)).unconfirmed == 1


def test_what_counts_as_sent_after_a_day_may_never_have_left() -> None:
    taken = replace(FINE, sent=FINE.sent[:1], taken=frozenset({2}), excuses=1)

    assert judge(taken).is_clean
    assert judge(taken).taken_for_sent == 1
    assert judge(replace(taken, excuses=0)).unconfirmed == 1


def test_a_refusal_ends_it_where_the_mail_server_has_refused() -> None:
    refused = Entry(status="refused", draft_id=None, confirmed_at=None)
    ended = replace(FINE, sent=FINE.sent[:1], entries={1: SENT, 2: refused}, end_reason="refused")

    assert judge(replace(ended, is_refused=True)).is_clean
    assert judge(ended).lost == 1


def test_an_end_that_nobody_caused_is_a_loss() -> None:
    assert judge(replace(FINE, end_reason="refused")).lost == 1


def test_a_mail_confirmed_after_the_stop_was_known_is_late() -> None:
    stopped = replace(FINE, end_reason="replied", ended_at=NOON - MINUTE)

    assert judge(stopped).sent_after_stop == 2
    assert judge(replace(FINE, known=(NOON - MINUTE,))).sent_after_stop == 2
    assert judge(replace(FINE, known=(NOON + MINUTE,))).sent_after_stop == 0


def test_a_call_may_fail_after_it_was_dialled_and_a_mail_may_not() -> None:
    dialled = Letter(key="c", number=3, channel=Channel.CALL)
    failed = Entry(status="skipped", draft_id=None, confirmed_at=NOON, channel=Channel.CALL)
    called = replace(FINE, sent=(*FINE.sent, dialled), entries={1: SENT, 2: SENT, 3: failed})

    assert judge(called).is_clean
    assert judge(replace(FINE, entries={1: SENT, 2: replace(SENT, status="skipped")})).lost == 1


def test_two_calls_of_one_step_are_a_duplicate_of_their_channel() -> None:
    calls = (Letter(key="c", number=3, channel=Channel.CALL),) * 2
    entry = Entry(status="sent", draft_id=None, confirmed_at=NOON, channel=Channel.CALL)
    called = replace(FINE, sent=(*FINE.sent, *calls), entries={1: SENT, 2: SENT, 3: entry})

    assert judge(called).twice == {Channel.CALL: 1}


def test_a_to_do_that_outlives_its_recipient_is_late() -> None:
    assert judge(replace(FINE, open_todos=1)).sent_after_stop == 1


def test_a_draft_that_nobody_owns_is_an_orphan() -> None:
    ours = Letter(key="c", number=2, draft_id="draft-9")
    private = Letter(key=None, number=None, draft_id="draft-8")
    open_ = {1: SENT, 2: Entry(status="reserved", draft_id="draft-9", confirmed_at=NOON)}

    assert judge(replace(FINE, drafts=(ours, private))).orphans == 1
    assert judge(replace(FINE, drafts=(ours,), entries=open_)).orphans == 0
