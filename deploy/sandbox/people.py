"""The leads of the sandbox: they read what is sent to them and answer, each in their own way.

They know nothing of Drumbeat. All that they see is the sending mailbox, and all that they do is
deliver mail to it. What they did is kept here: it is the truth that a run is compared with.
"""

import asyncio
import heapq
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx

from deploy.sandbox.behaviour import Answer, Person
from deploy.sandbox.letters import write_answer
from deploy.sandbox.mailbox import InMailbox, Mailbox

LOOK_SECONDS = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """Somebody answered: `to_message` is the mail answered, their number `mail_number`."""

    address: str
    answer: Answer
    mail_number: int
    to_message: str
    message: str
    answered_at: datetime


@dataclass(order=True, frozen=True, slots=True)
class Intention:
    """An answer that is being thought about until `due_at`."""

    due_at: datetime
    person: Person = field(compare=False)
    mail_number: int = field(compare=False)
    mail: InMailbox = field(compare=False)


class Audience:
    """Decides who answers which mail. Pure: knows neither a mailbox nor a clock."""

    def __init__(self, people: Mapping[str, Person]) -> None:
        self._people = people
        self._mails: Counter[str] = Counter()

    def hear(self, mail: InMailbox, now: datetime) -> Intention | None:
        """Take notice of a mail, in the order of arrival; strangers never answer."""
        person = self._people.get(mail.received.to)
        if person is None:
            return None
        self._mails[person.address] += 1
        number = self._mails[person.address]
        if person.answer is Answer.SILENT or number != person.after_mail:
            return None
        return Intention(now + timedelta(seconds=person.thinks_seconds), person, number, mail)


class People:
    """Plays the people of one mailbox until it is cancelled: `await people.play()`."""

    def __init__(self, mailbox: Mailbox, people: Mapping[str, Person]) -> None:
        self.deeds: list[Deed] = []
        self.mails: dict[str, InMailbox] = {}
        self.turns = 0
        self._mailbox = mailbox
        self._audience = Audience(people)
        self._intentions: list[Intention] = []

    @property
    def is_busy(self) -> bool:
        """Whether somebody is still thinking about an answer."""
        return bool(self._intentions)

    async def play(self) -> None:
        """Look and answer for ever. A mailbox that does not answer is asked again."""
        while True:
            with suppress(httpx.TransportError):
                await self.take_turn()
            await asyncio.sleep(LOOK_SECONDS)

    async def take_turn(self) -> None:
        """Read what was sent since the last turn, and deliver the answers that are due."""
        for mail in await self._read_new():
            self.mails[mail.id] = mail
            if intention := self._audience.hear(mail, datetime.now(UTC)):
                heapq.heappush(self._intentions, intention)
        while self._intentions and self._intentions[0].due_at <= datetime.now(UTC):
            await self._answer(self._intentions[0])
            heapq.heappop(self._intentions)
        self.turns += 1

    async def _read_new(self) -> list[InMailbox]:
        ids = await self._mailbox.list_ids("SENT")
        mails = [await self._mailbox.read(each) for each in ids if each not in self.mails]
        return sorted(mails, key=lambda mail: mail.at)

    async def _answer(self, intention: Intention) -> None:
        person, mail, now = intention.person, intention.mail, datetime.now(UTC)
        message = await self._mailbox.deliver(write_answer(person, mail.received, now))
        self.deeds.append(
            Deed(
                address=person.address,
                answer=person.answer,
                mail_number=intention.mail_number,
                to_message=mail.id,
                message=message,
                answered_at=now,
            )
        )
