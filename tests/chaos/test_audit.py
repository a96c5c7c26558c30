"""The audit is told of each thing that can go wrong, one at a time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from deploy.chaos.audit import UNSURE, Books, Entry, Letter, judge

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
    is_draft_lost=False,
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


def test_a_draft_that_was_deleted_by_hand_waits_for_a_person() -> None:
    open_ = replace(FINE, end_reason=None, ended_at=None, hold_reason=UNSURE, is_draft_lost=True)

    verdict = judge(open_)

    assert verdict.is_clean
    assert verdict.left_to_people == 1


def test_an_end_that_nobody_caused_is_a_loss() -> None:
    assert judge(replace(FINE, end_reason="refused")).lost == 1


def test_a_mail_confirmed_after_the_stop_was_known_is_late() -> None:
    stopped = replace(FINE, end_reason="replied", ended_at=NOON - MINUTE)

    assert judge(stopped).sent_after_stop == 2
    assert judge(replace(FINE, known=(NOON - MINUTE,))).sent_after_stop == 2
    assert judge(replace(FINE, known=(NOON + MINUTE,))).sent_after_stop == 0


def test_a_draft_that_nobody_owns_is_an_orphan() -> None:
    ours = Letter(key="c", number=2, draft_id="draft-9")
    private = Letter(key=None, number=None, draft_id="draft-8")
    open_ = {1: SENT, 2: Entry(status="reserved", draft_id="draft-9", confirmed_at=NOON)}

    assert judge(replace(FINE, drafts=(ours, private))).orphans == 1
    assert judge(replace(FINE, drafts=(ours,), entries=open_)).orphans == 0
