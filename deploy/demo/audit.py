"""Compares independent accounts of one run: ledger, Sent folder, telephone, and the people's log.

Pure. Nothing here is told what should have happened by the code that did it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from deploy.demo.hands import HandDeed
from deploy.demo.ledger import LedgerAction, LedgerRecipient
from deploy.demo.phones import PhoneDeed
from deploy.demo.script import CALL, EMAIL, INVITATION
from deploy.sandbox.behaviour import Answer
from deploy.sandbox.mailbox import InMailbox
from deploy.sandbox.people import Deed
from deploy.sandbox.phone_people import Pickup

# How the ledger names the end that each answer brings about.
ENDS = {Answer.REPLY: "replied", Answer.BOUNCE: "bounced", Answer.UNSUBSCRIBE: "unsubscribed"}
PHONE_ENDS = {Pickup.DO_NOT_CALL: "unsubscribed", Pickup.NOT_INTERESTED: "replied"}
STOPS = frozenset({*ENDS.values(), *PHONE_ENDS.values()})
# Enough of a mail's text to tell two steps apart, and too little to reach its footer.
TEXT_LENGTH = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Everything that is known of one lead's run.

    `channels`: of its campaign's steps by their ids; those that are not there are mails.
    """

    address: str
    name: str
    recipient: LedgerRecipient
    mails: tuple[InMailbox, ...]
    deeds: tuple[Deed, ...]
    calls: tuple[PhoneDeed, ...] = ()
    hands: tuple[HandDeed, ...] = ()
    channels: Mapping[str, str] = field(default_factory=dict)

    @property
    def expected_end(self) -> str:
        """How it should end, by what the lead did."""
        by_mail = (ENDS[d.answer] for d in self.deeds if d.answer in ENDS)
        by_phone = (PHONE_ENDS[c.pickup] for c in self.calls if c.pickup in PHONE_ENDS)
        return next(by_mail, next(by_phone, "completed"))

    @property
    def is_heard(self) -> bool:
        return self.recipient.detail == self.expected_end

    def duplicates(self) -> int:
        """Whatever goes beyond once for each step, by its own mark and by what it says."""
        dialled = min(len({call.key for call in self.calls}), self._planned(CALL))
        done = len({deed.todo.step_id for deed in self.hands})
        beyond = len(self.calls) - dialled + len(self.hands) - done
        return self._mails_beyond_once() + beyond

    def lost(self, steps: int) -> int:
        """Steps that were neither done nor visibly given up. `steps`: mails, if only mails."""
        steps = self._planned(EMAIL) or steps
        done = {EMAIL: len(self.mails), CALL: len(self.calls), INVITATION: len(self.hands)}
        done[EMAIL] -= self._mails_beyond_once()
        if not self.recipient.has_ended:
            return 0 if self.recipient.detail else max(1, steps - done[EMAIL])
        recorded = Counter(self._channel_of(action) for action in self._sent())
        if self.recipient.detail == "completed":
            recorded |= Counter({EMAIL: steps, **self._planned_beside_mail()})
            # Somebody reads there why.
            recorded -= Counter(self._channel_of(it) for it in self._given_up())
        return sum(max(0, count - done[channel]) for channel, count in recorded.items())

    def sent_after_stop(self) -> int:
        """What passed its last check later than the moment at which the stop was stored."""
        ended_at = self.recipient.ended_at
        if ended_at is None or self.recipient.detail not in STOPS:
            return 0
        checks = [action.confirmed_at for action in self._sent()]
        return sum(check is not None and check > ended_at for check in checks)

    def remarks(self) -> list[str]:
        """What the accounts do not agree on, beyond the three counts."""
        found = []
        if not self.is_heard:
            shown = self.recipient.detail or self.recipient.status
            found.append(f"{self.address} should have ended as {self.expected_end}, not {shown}")
        mails = [action for action in self._sent() if self._channel_of(action) == EMAIL]
        # What was cut off behind its last check is looked up by the sweep, minutes later.
        looked_up = [action for action in self.recipient.actions if action.is_in_doubt]
        if len(self.mails) > len(mails) + len(looked_up):
            found.append(f"{self.address} got {len(self.mails)} mails, {len(mails)} are recorded")
        if any(action.confirmed_at is None for action in mails):
            found.append(f"{self.address} has a mail that says nothing of its last check")
        return found

    def _sent(self) -> list[LedgerAction]:
        return [action for action in self.recipient.actions if action.is_sent]

    def _given_up(self) -> list[LedgerAction]:
        return [action for action in self.recipient.actions if action.is_given_up]

    def _channel_of(self, action: LedgerAction) -> str:
        return self.channels.get(action.step_id, EMAIL)

    def _planned(self, channel: str) -> int:
        return list(self.channels.values()).count(channel)

    def _planned_beside_mail(self) -> Counter[str]:
        return Counter(channel for channel in self.channels.values() if channel != EMAIL)

    def _mails_beyond_once(self) -> int:
        marks = {mail.received.key or mail.id for mail in self.mails}
        texts = {mail.received.text()[:TEXT_LENGTH] for mail in self.mails}
        return len(self.mails) - min(len(marks), len(texts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The figures that `drumbeat demo --json` prints, and what to say about them.

    Every recipient that ended is counted once in replied, bounced, unsubscribed or finished.
    `todos`: done by hand.
    """

    recipients: int
    sent: int
    replied: int
    auto_replies: int
    bounced: int
    unsubscribed: int
    finished: int
    calls: int = 0
    todos: int = 0
    duplicates: int
    lost: int
    sent_after_stop: int
    seconds: float
    remarks: tuple[str, ...] = field(default=())

    @property
    def is_clean(self) -> bool:
        return not (self.duplicates or self.lost or self.sent_after_stop or self.remarks)


def make_report(
    courses: Sequence[Course], *, steps: int, seconds: float, remarks: Iterable[str] = ()
) -> Report:
    """`steps`: mails of a campaign that has only mails; the others say themselves what they owe."""
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
        calls=sum(len(course.calls) for course in courses),
        todos=sum(len(course.hands) for course in courses),
        duplicates=sum(course.duplicates() for course in courses),
        lost=sum(course.lost(steps) for course in courses),
        sent_after_stop=sum(course.sent_after_stop() for course in courses),
        seconds=round(seconds, 1),
        remarks=(*(remark for course in courses for remark in course.remarks()), *remarks),
    )
