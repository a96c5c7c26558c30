"""Compares three independent accounts of one run: ledger, Sent folder, and the people's own log.

Pure. Nothing here is told what should have happened by the code that did it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from deploy.demo.ledger import LedgerRecipient
from deploy.sandbox.behaviour import Answer
from deploy.sandbox.mailbox import InMailbox
from deploy.sandbox.people import Deed

# How the ledger names the end that each answer brings about.
ENDS = {Answer.REPLY: "replied", Answer.BOUNCE: "bounced", Answer.UNSUBSCRIBE: "unsubscribed"}
# Enough of a mail's text to tell two steps apart, and too little to reach its footer.
TEXT_LENGTH = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Everything that is known of one lead's run."""

    address: str
    name: str
    recipient: LedgerRecipient
    mails: tuple[InMailbox, ...]
    deeds: tuple[Deed, ...]

    @property
    def expected_end(self) -> str:
        """How it should end, by what the lead did."""
        return next((ENDS[d.answer] for d in self.deeds if d.answer in ENDS), "completed")

    @property
    def is_heard(self) -> bool:
        return self.recipient.detail == self.expected_end

    def duplicates(self) -> int:
        """Mails beyond one for each step, by the mark that each carries and by what it says."""
        marks = {mail.received.key or mail.id for mail in self.mails}
        texts = {mail.received.text()[:TEXT_LENGTH] for mail in self.mails}
        return len(self.mails) - min(len(marks), len(texts))

    def lost(self, steps: int) -> int:
        """Steps that were neither done nor visibly given up."""
        sent = sum(action.is_sent for action in self.recipient.actions)
        delivered = len(self.mails) - self.duplicates()
        if not self.recipient.has_ended:
            return 0 if self.recipient.detail else max(1, steps - delivered)
        owed = steps if self.recipient.detail == "completed" else sent
        return max(0, owed - delivered)

    def sent_after_stop(self) -> int:
        """Mails whose last check came later than the moment at which the stop was stored."""
        ended_at = self.recipient.ended_at
        if ended_at is None or self.recipient.detail not in ENDS.values():
            return 0
        checks = [action.confirmed_at for action in self.recipient.actions if action.is_sent]
        return sum(check is not None and check > ended_at for check in checks)

    def remarks(self) -> list[str]:
        """What the three accounts do not agree on, beyond the three counts."""
        found = []
        if not self.is_heard:
            shown = self.recipient.detail or self.recipient.status
            found.append(f"{self.address} should have ended as {self.expected_end}, not {shown}")
        sent = [action for action in self.recipient.actions if action.is_sent]
        if len(self.mails) > len(sent):
            found.append(f"{self.address} got {len(self.mails)} mails, {len(sent)} are recorded")
        if any(action.confirmed_at is None for action in sent):
            found.append(f"{self.address} has a mail that says nothing of its last check")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The figures that `drumbeat demo --json` prints, and what to say about them.

    Every recipient that ended is counted once in replied, bounced, unsubscribed or finished.
    """

    recipients: int
    sent: int
    replied: int
    auto_replies: int
    bounced: int
    unsubscribed: int
    finished: int
    duplicates: int
    lost: int
    sent_after_stop: int
    seconds: float
    remarks: tuple[str, ...] = field(default=())

    @property
    def is_clean(self) -> bool:
        return not (self.duplicates or self.lost or self.sent_after_stop or self.remarks)


def make_report(courses: Sequence[Course], *, steps: int, seconds: float) -> Report:
    ends = [course.recipient.detail for course in courses]
    answers = [deed.answer for course in courses for deed in course.deeds]
    return Report(
        recipients=len(courses),
        sent=sum(len(course.mails) for course in courses),
        replied=ends.count("replied"),
        auto_replies=answers.count(Answer.OUT_OF_OFFICE),
        bounced=ends.count("bounced"),
        unsubscribed=ends.count("unsubscribed"),
        finished=ends.count("completed"),
        duplicates=sum(course.duplicates() for course in courses),
        lost=sum(course.lost(steps) for course in courses),
        sent_after_stop=sum(course.sent_after_stop() for course in courses),
        seconds=round(seconds, 1),
        remarks=tuple(remark for course in courses for remark in course.remarks()),
    )
