"""Judges one run from what lies in the mailbox and in the rows. Pure, and told nothing else.

A mail's step is read from its text as well as from our key: a key that came out wrong would hide
a mail that was sent twice.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.channels import Channel

# Ends that the people of these runs can bring about.
STOPPED = frozenset({"replied", "unsubscribed", "bounced", "meeting"})
GIVEN_UP = frozenset({"refused", "skipped"})
# What an action counts as when its deed was done: a call may fail after it was dialled.
SENT = frozenset({"sent"})
DONE = {Channel.CALL: SENT | {"skipped"}, Channel.TASK: SENT | GIVEN_UP | {"placed"}}
UNSURE = "nobody knows whether it was sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What has left by a channel, or a draft (`draft_id`). `number`: of its step, by its text."""

    key: str | None
    number: int | None
    draft_id: str | None = None
    channel: Channel = Channel.EMAIL


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One action of the ledger."""

    status: str
    draft_id: str | None
    confirmed_at: datetime | None
    channel: Channel = Channel.EMAIL


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """Everything that is known of one run at its end.

    `entries`: by the step's number. `owed`: numbers of the steps that the campaign has now.
    `known`: when stops were certainly stored, by the database's clock. `is_erased`: there are no
    rows any more. `asked`: what nobody knew, until a person said it; `taken`: what nobody knew for
    a day and counts as sent; `excuses`: faults of the kind that nobody can see through.
    `is_refused`: a mail server has said that it never takes a mail. `open_todos`: how many to-dos
    wait for a person.
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
    is_stopped_by_reply: bool
    asked: frozenset[int] = frozenset()
    taken: frozenset[int] = frozenset()
    excuses: int = 0
    is_refused: bool = False
    open_todos: int = 0


@dataclass(slots=True, kw_only=True)
class Verdict:
    """All zero, when nothing went wrong.

    `left_to_people`: nobody could know whether it was sent, because a person deleted the draft by
    hand, or an answer to the final dot was lost; it waited for a person's word. `taken_for_sent`:
    it waited for a day. What has no such excuse, or waits still, is `unconfirmed`.
    """

    sent: Counter[Channel] = field(default_factory=Counter)
    twice: Counter[Channel] = field(default_factory=Counter)
    duplicates: int = 0
    lost: int = 0
    sent_after_stop: int = 0
    sent_after_reply: int = 0
    orphans: int = 0
    unconfirmed: int = 0
    left_to_people: int = 0
    taken_for_sent: int = 0
    remarks: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        broken = self.duplicates or self.lost or self.sent_after_stop or self.orphans
        return not (broken or self.unconfirmed)


def judge(books: Books) -> Verdict:
    verdict = Verdict(sent=Counter(letter.channel for letter in books.sent))
    verdict.twice = +Counter({channel: _duplicates(books, channel) for channel in verdict.sent})
    verdict.duplicates = verdict.twice.total()
    for channel, times in verdict.twice.items():
        verdict.remarks.append(f"{times} more by {channel} than there are steps of it")
    verdict.orphans = _orphans(books)
    if verdict.orphans:
        verdict.remarks.append("a draft is left over that no action owns")
    verdict.left_to_people, verdict.taken_for_sent = len(books.asked), len(books.taken)
    unexplained = len(books.asked | books.taken) - books.excuses
    if unexplained > 0:
        verdict.unconfirmed += unexplained
        verdict.remarks.append("nobody knew whether it was sent, and no fault explains it")
    if not books.is_erased:
        _look_for_lost(books, verdict)
        _look_for_late(books, verdict)
    return verdict


def _duplicates(books: Books, channel: Channel) -> int:
    sent = [letter for letter in books.sent if letter.channel is channel]
    keys = {letter.key for letter in sent}
    numbers = {letter.number for letter in sent}
    return len(sent) - min(len(keys), len(numbers))


def _orphans(books: Books) -> int:
    open_ = {"reserved", "unconfirmed"}
    owned = {entry.draft_id for entry in books.entries.values() if entry.status in open_}
    return sum(draft.key is not None and draft.draft_id not in owned for draft in books.drafts)


def _look_for_lost(books: Books, verdict: Verdict) -> None:
    left = {letter.number for letter in books.sent}
    for number, entry in books.entries.items():
        if entry.status == "sent" and number not in left | books.taken:
            _lose(verdict, f"step {number} counts as sent and has never left")
        if number in left and entry.status not in DONE.get(entry.channel, SENT):
            _lose(verdict, f"step {number} has left and counts as {entry.status}")
    for unknown in left - set(books.entries):
        _lose(verdict, f"step {unknown} has left and is in no book")
    if books.end_reason is None:
        _judge_the_open(books, verdict)
    elif books.end_reason == "completed":
        for number in books.owed - left - books.taken:
            if number not in books.entries or books.entries[number].status not in GIVEN_UP:
                _lose(verdict, f"it is completed, and step {number} has never left")
    elif books.end_reason == "refused" and books.is_refused:
        return
    elif books.end_reason not in STOPPED | {"suppressed"}:
        _lose(verdict, f"it has ended for no reason: {books.end_reason}")


def _judge_the_open(books: Books, verdict: Verdict) -> None:
    verdict.unconfirmed += books.hold_reason == UNSURE
    _lose(verdict, f"it has not ended, and nothing explains it ({books.hold_reason})")


def _look_for_late(books: Books, verdict: Verdict) -> None:
    if books.end_reason and books.open_todos:
        verdict.sent_after_stop += books.open_todos
        verdict.remarks.append("a to-do waits for a person, and its recipient has ended")
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
            verdict.remarks.append(f"step {number} was confirmed after the stop was known")


def _lose(verdict: Verdict, remark: str) -> None:
    verdict.lost += 1
    verdict.remarks.append(remark)
