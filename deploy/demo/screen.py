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
from deploy.demo.ledger import LedgerRecipient
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

    def show(self, recipients: Sequence[LedgerRecipient], people: People) -> None:
        """Say what is new since the last time, and how many are in which state now."""
        for line in self._news(people):
            self.say(line)
        states = Counter(recipient.detail or recipient.status for recipient in recipients)
        state = "  ".join(f"{name} {count}" for name, count in sorted(states.items()))
        if self._live is not None:
            self._live.update(Text(f"{len(people.mails)} mails sent   {state}"), refresh=True)
        elif state != self._state:
            self.say(f"  {len(people.mails)} mails sent   {state}")
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
    for heading in ("Lead", "Mails sent (UTC)", "What came back", "How it ended"):
        table.add_column(heading)
    for course in courses:
        sent = " ".join(f"{mail.at:%H:%M:%S}" for mail in course.mails)
        back = " ".join(f"{deed.answer} {deed.answered_at:%H:%M:%S}" for deed in course.deeds)
        how = course.recipient.detail or course.recipient.status
        table.add_row(*(Text(cell) for cell in (course.name, sent, back, how)))
    return table


def _summary(report: Report) -> list[str]:
    return [
        f"\n{report.recipients} recipients, {report.sent} mails: {report.replied} replied, "
        f"{report.auto_replies} out of office, {report.bounced} bounced, "
        f"{report.unsubscribed} unsubscribed, {report.finished} finished, "
        f"in {report.seconds} s",
        f"{report.duplicates} sent twice, {report.lost} lost, "
        f"{report.sent_after_stop} sent after a stop was known",
        *(f"! {remark}" for remark in report.remarks),
    ]
