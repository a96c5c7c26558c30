"""The people at the other end: they pick up the phone, accept invitations and answer messages.

What their providers tell of it goes through the gateway, as a rule at once; some of it comes late,
twice, out of order or never, when that is what befalls a life.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import TypeVar

import httpx

from deploy.chaos.faults import NEWS, Fault, Place
from deploy.chaos.life import Life
from deploy.chaos.world import World
from deploy.sandbox.bland_calls import CallNews, SandboxCall
from deploy.sandbox.linkedin_world import SandboxInvitation, SandboxMessage
from deploy.sandbox.phone_people import Pickup
from deploy.sandbox.unipile_news import News

TALKS, TOLD = timedelta(minutes=3), timedelta(seconds=20)
ACCEPTS_AFTER, ANSWERS_AFTER = timedelta(hours=20), timedelta(hours=5)
LATE, AGAIN, BEHIND = timedelta(hours=9), timedelta(hours=1), timedelta(days=1)
TOLD_ONCE_MORE = timedelta(minutes=10)
STOPPING = frozenset({Pickup.DO_NOT_CALL, Pickup.NOT_INTERESTED})

Deed = Callable[[], Awaitable[None]]
Thing = TypeVar("Thing", SandboxCall, SandboxInvitation, SandboxMessage)


@dataclass(frozen=True, slots=True)
class Gateway:
    """Where providers tell what they have to tell. `secret`: Unipile's."""

    http: httpx.AsyncClient
    url: str
    secret: str


class People:
    """Of one group. `act` does what is due, `notice` finds out what there is to do."""

    def __init__(self, world: World, gateway: Gateway, now: Callable[[], datetime]) -> None:
        self._world, self._gateway, self._now = world, gateway, now
        self._lives: Mapping[str, Life] = {}
        self._agenda: list[tuple[datetime, int, Deed]] = []
        self._numbers = count()
        self._seen: set[str] = set()
        header = {"key": "Unipile-Auth", "value": gateway.secret}
        url = f"{gateway.url}/webhooks/unipile"
        world.providers.unipile.news.subscriptions = [
            {"source": source, "request_url": url, "headers": [header]}
            for source in ("messaging", "users", "account_status")
        ]

    def meet(self, lives: Sequence[Life]) -> None:
        by_phone = {life.person.phone: life for life in lives}
        self._lives = by_phone | {life.person.public_id: life for life in lives}

    @property
    def next_at(self) -> datetime | None:
        return self._agenda[0][0] if self._agenda else None

    async def act(self) -> None:
        while self._agenda and self._agenda[0][0] <= self._now():
            await heappop(self._agenda)[2]()

    def notice(self) -> None:
        """Look for what has reached them since the last time."""
        unipile = self._world.providers.unipile.world
        for call in self._new(self._world.providers.bland.placed):
            self._plan(TALKS, self._ending(call))
        for invitation in self._new(unipile.invited):
            life = self._lives.get(invitation.to)
            if life and life.plan.accepts:
                self._plan(ACCEPTS_AFTER, self._accepting(life))
        for message in self._new(unipile.written):
            life = self._lives.get(unipile.chats[message.chat_id].with_)
            if life and life.plan.answers:
                self._plan(ANSWERS_AFTER, self._answering(life, message))

    def _new(self, things: Sequence[Thing]) -> list[Thing]:
        found = [thing for thing in things if thing.id not in self._seen]
        self._seen |= {thing.id for thing in found}
        return found

    def _plan(self, after: timedelta, deed: Deed) -> None:
        heappush(self._agenda, (self._now() + after, next(self._numbers), deed))

    def _ending(self, call: SandboxCall) -> Deed:
        async def end() -> None:
            life, board = self._lives.get(call.to), self._world.providers.bland.board
            if call.scene is not None:
                return
            board.end(call, life.plan.pickup if life else Pickup.NO_ANSWER)
            told, board.waiting = board.waiting, []
            for news in told:
                is_stop = life is not None and life.plan.pickup in STOPPING
                self._tell(life, Place.BLAND, self._by_bland(news, life if is_stop else None))

        return end

    def _accepting(self, life: Life) -> Deed:
        async def accept() -> None:
            unipile, me = self._world.providers.unipile, self._world.providers.me
            if unipile.world.find_pending(me.id, life.person.public_id) is None:
                return
            unipile.accept(me.id, life.person.public_id)
            life.tell("accepts the invitation")
            self._tell_of(life, None)

        return accept

    def _answering(self, life: Life, message: SandboxMessage) -> Deed:
        async def answer() -> None:
            unipile = self._world.providers.unipile
            unipile.reply(message.account_id, life.person.public_id, "Tell me more.")
            life.tell("answers at LinkedIn")
            self._tell_of(life, life)

        return answer

    def _tell_of(self, life: Life, stopped: Life | None) -> None:
        room = self._world.providers.unipile.news
        told, room.waiting = room.waiting, []
        for news in told:
            self._tell(life, Place.LINKEDIN, self._by_unipile(news, stopped))

    def _tell(self, life: Life | None, place: Place, deed: Deed) -> None:
        """As a rule at once, unless something befalls what this life's providers tell."""
        injections = life.plan.injections if life else ()
        of_news = (i for i in injections if i.fault in NEWS and i.place is place)
        fate = next((i for i in of_news if not i.has_happened), None)
        if fate is None:
            self._plan(TOLD, deed)
            return
        fate.strike()
        if life:
            life.tell(f"{place} tells of it: {fate.fault}")
        match fate.fault:
            case Fault.NEWS_LATE:
                self._plan(LATE, deed)
            case Fault.NEWS_TWICE:
                self._plan(TOLD, deed)
                self._plan(AGAIN, deed)
            case Fault.NEWS_SHUFFLED:
                self._plan(BEHIND, deed)

    def _by_bland(self, news: CallNews, stopped: Life | None) -> Deed:
        async def deliver() -> None:
            board = self._world.providers.bland.board
            board.waiting = [news]
            [status] = await board.deliver(self._gateway.http)
            board.waiting = []
            await self._heard(status, stopped, deliver)

        return deliver

    def _by_unipile(self, news: News, stopped: Life | None) -> Deed:
        async def deliver() -> None:
            room = self._world.providers.unipile.news
            room.waiting = [news]
            [status] = await room.deliver(self._gateway.http)
            room.waiting = []
            await self._heard(status, stopped, deliver)

        return deliver

    async def _heard(self, status: int, stopped: Life | None, deliver: Deed) -> None:
        if status != httpx.codes.OK:
            self._plan(TOLD_ONCE_MORE, deliver)
        elif stopped:
            stopped.known.append(await self._world.clock())
