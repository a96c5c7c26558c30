"""The phones of the demo: numbers that ring nowhere, and a Bland on this machine that dials them.

A number is chosen where it is a good time for a call just now, because nobody is called otherwise.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import httpx
import uvicorn

from deploy.demo.script import Lead
from deploy.local.ports import free_port
from deploy.sandbox.bland import FakeBland, Pace
from deploy.sandbox.bland_calls import SandboxCall
from deploy.sandbox.phone_people import Pickup, cast_phones
from shared.db.callees import callee_of

STARTING_SECONDS = 0.02
# What a demo takes at the most, so that nobody's evening begins in the middle of it.
AHEAD = timedelta(minutes=10)
CONSENT = "calls: 2026-03-01, in the form of the demo"
SHARES = {
    Pickup.TALKS: 0.25,
    Pickup.DO_NOT_CALL: 0.15,
    Pickup.NOT_INTERESTED: 0.15,
    Pickup.VOICEMAIL: 0.15,
    Pickup.HANGS_UP: 0.1,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A place with numbers that are kept for films and books."""

    pattern: str
    country: str
    region: str
    zone: str


EXCHANGES = (
    Exchange(pattern="+4420794600{:02}", country="GB", region="ENG", zone="Europe/London"),
    Exchange(pattern="+121255501{:02}", country="US", region="NY", zone="America/New_York"),
    Exchange(pattern="+612555012{:02}", country="AU", region="NSW", zone="Australia/Sydney"),
    Exchange(pattern="+131055501{:02}", country="US", region="CA", zone="America/Los_Angeles"),
    Exchange(pattern="+180855501{:02}", country="US", region="HI", zone="Pacific/Honolulu"),
)
MOST_PHONES = 100


def find_exchange(now: datetime) -> Exchange | None:
    """Where it is neither night nor a holiday. None: there is no such place just now."""
    return next((it for it in EXCHANGES if _is_good_time(it, now)), None)


def with_phones(leads: Sequence[Lead], exchange: Exchange) -> list[Lead]:
    """The same people, who have said that they may be called."""
    return [
        replace(
            lead,
            phone=exchange.pattern.format(number),
            linkedin_url=f"https://www.linkedin.com/in/{lead.email.partition('@')[0]}",
            country=exchange.country,
            region=exchange.region,
            consent=CONSENT,
        )
        for number, lead in enumerate(leads)
    ]


def cast_callees(
    leads: Sequence[Lead], *, seed: int, outspoken: Mapping[str, bool]
) -> dict[str, Pickup]:
    """Who does what when the phone rings. `outspoken`: the addresses that answer by mail.

    Those only have a voice mailbox: everybody's campaign ends for one reason.
    """
    free = [lead.phone for lead in leads if lead.phone and not outspoken.get(lead.email)]
    cast = cast_phones(free, seed=seed, shares=SHARES)
    busy = [lead.phone for lead in leads if lead.phone and lead.phone not in cast]
    return cast | dict.fromkeys(busy, Pickup.VOICEMAIL)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneDeed:
    """A phone rang: `key` marks who has dialled it for what. `pickup` None: it rings still."""

    number: str
    key: str
    pickup: Pickup | None
    placed_at: datetime


class _Server(uvicorn.Server):
    """Ctrl-C is for the demo, which then stops this server as well."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Phones:
    """`async with Phones(cast).listening():` Bland answers at `url`, and its people pick up."""

    def __init__(self, people: Mapping[str, Pickup], *, seed: int = 0) -> None:
        self._bland = FakeBland(people=people)
        self._people = dict(people)
        self._port = free_port()
        self._pace = Pace(talks=(0.5, 1.5), late=(0.1, 0.8), seed=seed)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def api_key(self) -> str:
        return self._bland.api_key

    @property
    def deeds(self) -> list[PhoneDeed]:
        """Every call that was placed, however it was asked for."""
        return [self._deed(call) for call in self._bland.placed]

    @property
    def breaches(self) -> Sequence[object]:
        """Requests that the real Bland would not have taken."""
        return self._bland.contract.breaches

    @property
    def is_busy(self) -> bool:
        return any(call.scene is None for call in self._bland.placed)

    def environment(self) -> dict[str, str]:
        """The settings that make Drumbeat dial here instead of at the real Bland."""
        return {
            "DRUMBEAT_BLAND_ENDPOINT": self.url,
            "DRUMBEAT_BLAND_WEBHOOK_SECRET": self._bland.secret,
        }

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        config = uvicorn.Config(
            self._bland.app, host="127.0.0.1", port=self._port, log_level="critical", lifespan="off"
        )
        server = _Server(config)
        serving = asyncio.create_task(server.serve())
        try:
            while not (server.started or serving.done()):  # noqa: ASYNC110 - nothing else tells
                await asyncio.sleep(STARTING_SECONDS)
            yield
        finally:
            server.should_exit = True
            await serving

    async def play(self) -> None:
        """Pick up every phone, and tell of every call, until cancelled."""
        async with httpx.AsyncClient(timeout=30, trust_env=False) as http:
            await self._bland.play(http, self._pace)

    def _deed(self, call: SandboxCall) -> PhoneDeed:
        pickup = self._people.get(call.to, Pickup.NO_ANSWER) if call.scene else None
        key = call.key or call.id
        return PhoneDeed(number=call.to, key=key, pickup=pickup, placed_at=call.created_at)


def _is_good_time(exchange: Exchange, now: datetime) -> bool:
    callee = callee_of(
        exchange.pattern.format(0),
        zone=exchange.zone,
        country=exchange.country,
        region=exchange.region,
        year=now.year,
    )
    hours = callee.hours
    return hours is not None and hours.is_open(now) and hours.is_open(now + AHEAD)
