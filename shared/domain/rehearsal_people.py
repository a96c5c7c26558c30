"""How people answer in a rehearsal: by rates and a seed, and as a script says."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from shared.domain.branches import StepOutcome
from shared.domain.channels import Channel
from shared.domain.inbound import InboundKind

MINUTE, HOUR, DAY = 60, 3_600, 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From `least` to `most` seconds; the shorter ones come more often."""

    least: int
    most: int

    def at(self, share: float) -> int:
        return self.least + int((self.most - self.least) * share * share)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What share of people does what with one step. Of calls, the rest does not answer."""

    reply: float = 0.0
    out_of_office: float = 0.0
    bounce: float = 0.0
    unsubscribe: float = 0.0
    complain: float = 0.0
    open: float = 0.0
    click: float = 0.0
    accept: float = 0.0
    answer: float = 0.0
    voicemail: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """What somebody does, so many seconds after the start, or after a step (from 1) was done.

    `name` None: everybody does it. `away_seconds`: how long somebody is out of office.
    `outcome`: what comes of the step, if it is not an answer.
    """

    after_seconds: int
    kind: InboundKind | None = None
    outcome: StepOutcome | None = None
    name: str | None = None
    step: int | None = None
    away_seconds: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """`steps`: rates of steps by number, where they differ. `happenings`: what is certain."""

    rates: Rates = Rates()
    steps: Mapping[int, Rates] = field(default_factory=dict)
    happenings: tuple[Happening, ...] = ()
    reply_after: Span = Span(least=10 * MINUTE, most=4 * DAY)
    away_for: Span = Span(least=1 * DAY, most=14 * DAY)
    accept_after: Span = Span(least=1 * HOUR, most=6 * DAY)
    call_takes: Span = Span(least=30, most=5 * MINUTE)
    todo_takes: Span = Span(least=1 * HOUR, most=2 * DAY)

    def rates_of(self, step: int) -> Rates:
        return self.steps.get(step, self.rates)


# Nobody answers anything.
SILENCE = Behaviour()
# Where nobody has said what to expect of cold outreach.
USUAL = Behaviour(
    rates=Rates(
        reply=0.04,
        out_of_office=0.04,
        bounce=0.02,
        unsubscribe=0.005,
        open=0.4,
        click=0.03,
        accept=0.3,
        answer=0.25,
        voicemail=0.4,
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """What comes back at an instant: an event, or an outcome of the step `step_id`."""

    at: datetime
    kind: InboundKind | None = None
    outcome: StepOutcome | None = None
    step_id: UUID | None = None
    returns_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A step that has just reached somebody."""

    person_id: UUID
    name: str
    step_id: UUID
    step: int
    channel: Channel
    at: datetime


class People:
    """Everybody's answers. The same seed, person and step give the same answer, whatever else
    happens: an edit of step 3 does not change who replies to step 1."""

    def __init__(self, behaviour: Behaviour, seed: int) -> None:
        self._behaviour = behaviour
        self._seed = seed
        self._is_silent = behaviour == SILENCE
        self._by_start = [h for h in behaviour.happenings if h.step is None]
        self._by_step = [h for h in behaviour.happenings if h.step is not None]

    def react_to_start(self, name: str, started_at: datetime) -> Iterator[Reaction]:
        for happening in self._by_start:
            if happening.name in (None, name):
                yield _scripted(happening, started_at, None)

    def react(self, done: Done) -> Iterator[Reaction]:
        """What the person does about a step that reached it."""
        if self._is_silent:
            return
        for happening in self._by_step:
            # What comes of a call is known when it is over.
            is_call = done.channel is Channel.CALL and happening.outcome is not None
            if not is_call and _is_meant(happening, done):
                yield _scripted(happening, done.at, done.step_id)
        rates = self._behaviour.rates_of(done.step)
        if rates != _NOBODY:
            yield from self._by_chance(done, rates)

    def call_ends(self, done: Done) -> tuple[StepOutcome, datetime]:
        """What comes of a call, and when it is over."""
        chance = self._draw(done)
        after = timedelta(seconds=self._behaviour.call_takes.at(chance.share(1)))
        for happening in self._by_step:
            if happening.outcome and _is_meant(happening, done):
                after = timedelta(seconds=happening.after_seconds)
                return happening.outcome, done.at + after
        rates, share = self._behaviour.rates_of(done.step), chance.share(0)
        if share < rates.answer:
            return StepOutcome.ANSWERED, done.at + after
        if share < rates.answer + rates.voicemail:
            return StepOutcome.VOICEMAIL, done.at + after
        return StepOutcome.NO_ANSWER, done.at + after

    def todo_done_at(self, done: Done) -> datetime:
        """When somebody of ours has done what they have to do by hand."""
        return done.at + timedelta(seconds=self._behaviour.todo_takes.at(self._draw(done).share(1)))

    def _by_chance(self, done: Done, rates: Rates) -> Iterator[Reaction]:
        chance = self._draw(done)
        if done.channel is Channel.LINKEDIN_CONNECTION:
            if chance.share(0) < rates.accept:
                after = self._behaviour.accept_after.at(chance.share(1))
                yield _outcome(done, StepOutcome.CONNECTED, after)
            return
        if done.channel is Channel.EMAIL:
            if chance.share(0) < rates.bounce:
                yield _event(done, InboundKind.BOUNCE, 1 + int(chance.share(1) * 5 * MINUTE))
                return
            yield from self._by_mail(done, rates, chance)
        if chance.share(2) < rates.reply:
            after = self._behaviour.reply_after.at(chance.share(3))
            yield _event(done, InboundKind.REPLY, after)

    def _by_mail(self, done: Done, rates: Rates, chance: "_Chance") -> Iterator[Reaction]:
        if chance.share(4) < rates.out_of_office:
            away = timedelta(seconds=self._behaviour.away_for.at(chance.share(5)))
            yield _event(done, InboundKind.AUTO_REPLY, MINUTE, returns_at=done.at + away)
        after = HOUR + int(chance.share(7) * DAY)
        if chance.share(6) < rates.open:
            yield _outcome(done, StepOutcome.OPENED, after)
            if chance.share(6) < rates.click:
                yield _outcome(done, StepOutcome.CLICKED, after + MINUTE)
        if chance.share(8) < rates.unsubscribe:
            yield _event(done, InboundKind.UNSUBSCRIBE, after)
        elif chance.share(8) < rates.unsubscribe + rates.complain:
            yield _event(done, InboundKind.COMPLAINT, after)

    def _draw(self, done: Done) -> "_Chance":
        return _Chance(f"{self._seed}/{done.person_id}/{done.step_id}")


_NOBODY = Rates()


class _Chance:
    """Some numbers from 0 to 1 of a seed, on every machine the same."""

    __slots__ = ("_bytes",)

    def __init__(self, seed: str) -> None:
        self._bytes = sha256(seed.encode()).digest()

    def share(self, number: int) -> float:
        """`number`: from 0 to 9."""
        return int.from_bytes(self._bytes[3 * number : 3 * number + 3]) / 2**24


def _is_meant(happening: Happening, done: Done) -> bool:
    return happening.step == done.step and happening.name in (None, done.name)


def _event(
    done: Done, kind: InboundKind, after: int, *, returns_at: datetime | None = None
) -> Reaction:
    at = done.at + timedelta(seconds=after)
    return Reaction(at=at, kind=kind, step_id=done.step_id, returns_at=returns_at)


def _outcome(done: Done, outcome: StepOutcome, after: int) -> Reaction:
    at = done.at + timedelta(seconds=after)
    return Reaction(at=at, outcome=outcome, step_id=done.step_id)


def _scripted(happening: Happening, since: datetime, step_id: UUID | None) -> Reaction:
    at = since + timedelta(seconds=happening.after_seconds)
    away = timedelta(seconds=happening.away_seconds)
    return Reaction(
        at=at,
        kind=happening.kind,
        outcome=happening.outcome,
        step_id=step_id,
        returns_at=at + away if happening.away_seconds else None,
    )
