"""What a person sees while the demo runs and when it is over."""

from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from deploy.demo.audit import Course, Report
from deploy.demo.hands import HandDeed
from deploy.demo.ledger import LedgerRecipient
from deploy.demo.phones import PhoneDeed
from deploy.sandbox.behaviour import Answer
from deploy.sandbox.people import People

WORDS = {
    Answer.REPLY: "replied",
    Answer.OUT_OF_OFFICE: "is out of the office",
    Answer.BOUNCE: "does not exist: the mail bounced",
    Answer.UNSUBSCRIBE: "wants no more mail",
}


class Screen:
    """Events run through as lines; on a terminal the present state stands below them."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self._state = ""
        self._mails: Counter[str] = Counter()
        self._seen: set[str] = set()

    def say(self, line: str) -> None:
        self._console.print(Text(line))

    def show(
        self,
        recipients: Sequence[LedgerRecipient],
        people: People,
        *,
        calls: Sequence[PhoneDeed] = (),
        hands: Sequence[HandDeed] = (),
    ) -> None:
        """Say what is new since the last time, and how many are in which state now."""
        for line in [*self._news(people), *self._by_hand(hands), *self._by_phone(calls)]:
            self.say(line)
        done = f"{len(people.mails)} mails sent"
        if calls or hands:
            done += f"  {len(hands)} done by hand  {len(calls)} calls"
        states = Counter(recipient.detail or recipient.status for recipient in recipients)
        state = "  ".join(f"{name} {count}" for name, count in sorted(states.items()))
        if self._live is not None:
            self._live.update(Text(f"{done}   {state}"), refresh=True)
        elif state != self._state:
            self.say(f"  {done}   {state}")
        self._state = state

    def conclude(self, courses: Sequence[Course], report: Report) -> None:
        """What happened to each lead, and the figures."""
        self._console.print(_table(courses))
        for line in _summary(report):
            self.say(line)

    def _news(self, people: People) -> list[str]:
        lines = []
        for mail in people.mails.values():
            if mail.id not in self._seen:
                self._seen.add(mail.id)
                self._mails[mail.received.to] += 1
                number = self._mails[mail.received.to]
                lines.append(f"{mail.at:%H:%M:%S}  mail {number} to {mail.received.to}")
        for deed in people.deeds:
            if deed.message not in self._seen:
                self._seen.add(deed.message)
                lines.append(f"{deed.answered_at:%H:%M:%S}  {deed.address} {WORDS[deed.answer]}")
        return lines

    def _by_hand(self, hands: Sequence[HandDeed]) -> list[str]:
        new = [deed for deed in hands if deed.todo.id not in self._seen]
        self._seen |= {deed.todo.id for deed in new}
        return [f"{deed.done_at:%H:%M:%S}  done by hand: {deed.todo.title}" for deed in new]

    def _by_phone(self, calls: Sequence[PhoneDeed]) -> list[str]:
        over = [it for it in calls if it.pickup and f"call/{it.key}" not in self._seen]
        self._seen |= {f"call/{it.key}" for it in over}
        return [f"{it.placed_at:%H:%M:%S}  call to {it.number}: {it.pickup}" for it in over]

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()


def _table(courses: Sequence[Course]) -> Table:
    table = Table(box=None, pad_edge=False)
    is_mixed = any(course.channels and (course.calls or course.hands) for course in courses)
    beside = ("By hand", "Called") if is_mixed else ()
    for heading in ("Lead", "Mails sent (UTC)", *beside, "What came back", "How it ended"):
        table.add_column(heading)
    for course in courses:
        sent = " ".join(f"{mail.at:%H:%M:%S}" for mail in course.mails)
        back = " ".join(f"{deed.answer} {deed.answered_at:%H:%M:%S}" for deed in course.deeds)
        how = course.recipient.detail or course.recipient.status
        cells = [course.name, sent, *(_beside_mail(course) if is_mixed else ()), back, how]
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _beside_mail(course: Course) -> tuple[str, str]:
    hands = " ".join(f"{deed.done_at:%H:%M:%S}" for deed in course.hands)
    calls = " ".join(f"{it.placed_at:%H:%M:%S} {it.pickup or ''}" for it in course.calls)
    return hands, calls


def _summary(report: Report) -> list[str]:
    return [
        f"\n{report.recipients} recipients, {_done(report)}: {report.replied} replied, "
        f"{report.auto_replies} out of office, {report.bounced} bounced, "
        f"{report.unsubscribed} unsubscribed, {report.finished} finished, "
        f"in {report.seconds} s",
        f"{report.duplicates} sent twice, {report.lost} lost, "
        f"{report.sent_after_stop} sent after a stop was known",
        *(f"! {remark}" for remark in report.remarks),
    ]


def _done(report: Report) -> str:
    mails = f"{report.sent} mails"
    if not (report.calls or report.todos):
        return mails
    return f"{mails}, {report.todos} invitations by hand and {report.calls} calls"
