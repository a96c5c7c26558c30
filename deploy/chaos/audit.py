"""Judges one run from what lies in the mailbox and in the rows. Pure, and told nothing else.

A mail's step is read from its text as well as from our key: a key that came out wrong would hide
a mail that was sent twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

# Ends that the people of these runs can bring about.
STOPPED = frozenset({"replied", "unsubscribed", "bounced"})
GIVEN_UP = frozenset({"refused", "skipped"})
UNSURE = "nobody knows whether it was sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail that has left, or a draft (`draft_id`). `number`: of its step, by its text."""

    key: str | None
    number: int | None
    draft_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One action of the ledger."""

    status: str
    draft_id: str | None
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """Everything that is known of one run at its end.

    `entries`: by the step's number. `owed`: numbers of the steps that the campaign has now.
    `known`: when stops were certainly stored, by the database's clock. `is_erased`: there are no
    rows any more. `is_draft_lost`: a person deleted a draft by hand.
    """

    sent: tuple[Letter, ...]
    drafts: tuple[Letter, ...]
    entries: Mapping[int, Entry]
    owed: frozenset[int]
    end_reason: str | None
    ended_at: datetime | None
    hold_reason: str | None
    known: tuple[datetime, ...]
    is_erased: bool
    is_draft_lost: bool
    is_stopped_by_reply: bool


@dataclass(slots=True, kw_only=True)
class Verdict:
    """All zero, when nothing went wrong.

    `left_to_people`: nobody can know whether it was sent, because a person deleted the draft by
    hand; it shows as unconfirmed and waits for that person's choice. Any other is `unconfirmed`.
    """

    duplicates: int = 0
    lost: int = 0
    sent_after_stop: int = 0
    sent_after_reply: int = 0
    orphans: int = 0
    unconfirmed: int = 0
    left_to_people: int = 0
    remarks: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        broken = self.duplicates or self.lost or self.sent_after_stop or self.orphans
        return not (broken or self.unconfirmed)


def judge(books: Books) -> Verdict:
    verdict = Verdict()
    verdict.duplicates = _duplicates(books)
    if verdict.duplicates:
        verdict.remarks.append(f"{len(books.sent)} mails left for {len(books.owed)} steps")
    verdict.orphans = _orphans(books)
    if verdict.orphans:
        verdict.remarks.append("a draft is left over that no action owns")
    if not books.is_erased:
        _look_for_lost(books, verdict)
        _look_for_late(books, verdict)
    return verdict


def _duplicates(books: Books) -> int:
    keys = {letter.key for letter in books.sent}
    numbers = {letter.number for letter in books.sent}
    return len(books.sent) - min(len(keys), len(numbers))


def _orphans(books: Books) -> int:
    open_ = {"reserved", "unconfirmed"}
    owned = {entry.draft_id for entry in books.entries.values() if entry.status in open_}
    return sum(draft.key is not None and draft.draft_id not in owned for draft in books.drafts)


def _look_for_lost(books: Books, verdict: Verdict) -> None:
    left = {letter.number for letter in books.sent}
    for number, entry in books.entries.items():
        if entry.status == "sent" and number not in left:
            _lose(verdict, f"mail {number} counts as sent and has never left")
        if entry.status != "sent" and number in left:
            _lose(verdict, f"mail {number} has left and counts as {entry.status}")
    for unknown in left - set(books.entries):
        _lose(verdict, f"mail {unknown} has left and is in no book")
    if books.end_reason is None:
        _judge_the_open(books, verdict)
    elif books.end_reason == "completed":
        for number in books.owed - left:
            if number not in books.entries or books.entries[number].status not in GIVEN_UP:
                _lose(verdict, f"it is completed, and mail {number} has never left")
    elif books.end_reason not in STOPPED | {"suppressed"}:
        _lose(verdict, f"it has ended for no reason: {books.end_reason}")


def _judge_the_open(books: Books, verdict: Verdict) -> None:
    """Only a person who took the draft away is a reason for nobody to know."""
    if books.hold_reason == UNSURE and books.is_draft_lost:
        verdict.left_to_people += 1
    else:
        verdict.unconfirmed += books.hold_reason == UNSURE
        _lose(verdict, f"it has not ended, and nothing explains it ({books.hold_reason})")


def _look_for_late(books: Books, verdict: Verdict) -> None:
    stops = [*books.known]
    if books.ended_at and books.end_reason in STOPPED:
        stops.append(books.ended_at)
    if not stops:
        return
    left = {letter.number for letter in books.sent}
    for number, entry in books.entries.items():
        if number in left and entry.confirmed_at and entry.confirmed_at > min(stops):
            verdict.sent_after_stop += 1
            verdict.sent_after_reply += books.is_stopped_by_reply
            verdict.remarks.append(f"mail {number} was confirmed after the stop was known")


def _lose(verdict: Verdict, remark: str) -> None:
    verdict.lost += 1
    verdict.remarks.append(remark)
