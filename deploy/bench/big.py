"""A campaign of 100,000 leads as people use it: activated, paused in the middle, edited, resumed.

Most leads live where the window is closed, so that few are due; the gateway is a process of its
own, asked over HTTP, and the workers are in this one with a provider that answers here.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import perf_counter
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import Row, text

from api.tokens import AccessTokens
from deploy.bench.answering_gmail import AnsweringGmail
from deploy.bench.gateway import Keys, serving_gateway
from deploy.bench.launches import count_workflows, serving
from deploy.bench.result import BenchResult, WentWrong
from deploy.bench.servers import Servers, running_servers
from deploy.bench.starts import start_bare
from deploy.bench.world import BenchCompany
from shared.contracts.queues import Queue

LONGEST_SECONDS = 5_400
HOUR_THERE, HALF_A_DAY = 10, 12
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
OPEN = {"days": {day: ["08:00-16:00"] for day in DAYS}}
MOST_LOOKS = 10
NEW_WORDS = "Hello {{ lead.first_name }},\n\nthese words are new."

_STATE = text("""
select count(launched_at) as launched, count(ended_at) as ended,
  count(*) filter (where ended_at is null and next_at > now() + interval '1 hour') as asleep,
  (select count(*) from actions) as begun,
  (select count(*) from actions where status = 'sent') as sent,
  (select count(*) from actions x join versions v on v.id = x.version_id
   where v.number = 1 and x.attempted_at > cast(:since as timestamptz)) as outdated,
  (select count(*) from jobs) as jobs
from recipients
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class BigSize:
    """One in `due` lives where the window is open; `bare` are started for the baseline.

    `calm`: seconds without a change, after which a pause has ended all that was under way.
    """

    recipients: int = 100_000
    due: int = 20
    bare: int = 1_000
    calm: float = 5.0

    @property
    def due_now(self) -> int:
        return -(-self.recipients // self.due)


async def bench_big(size: BigSize, say: Callable[[str], None]) -> BenchResult:
    """Starts a second, the pause included, beside bare ones. Raises WentWrong at what is amiss."""
    started, keys = perf_counter(), Keys()
    async with running_servers() as servers, asyncio.timeout(LONGEST_SECONDS):
        bare = await start_bare(servers, size.bare)
        company = await BenchCompany.make(servers.database, keyring=keys.keyring())
        say(f"{size.recipients} leads are enrolled, {size.due_now} of them where it is day")
        campaign_id = await _make_campaign(company, size)
        gmail = AnsweringGmail()
        queues = (Queue.OPS, Queue.RECIPIENT, Queue.GMAIL)
        async with (
            serving_gateway(servers.postgres, servers.temporal, keys, servers.folder) as port,
            serving(servers.client, servers.database, company, queues=queues, gmail=gmail),
            httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{port}",
                headers={
                    "Authorization": "Bearer "
                    + AccessTokens(keys.keyring()).issue(company.user_id, None)
                },
                timeout=60,
            ) as http,
        ):
            play = _Play(servers, company, http, f"/api/campaigns/{campaign_id}", size)
            await play.run(say)
        await _check(servers, company.id, gmail, size)
    return BenchResult(
        name="big",
        ours=size.recipients / play.launching,
        baseline=size.bare / bare,
        unit="starts/s",
        seconds=perf_counter() - started,
        more={"recipients": size.recipients, "due": size.due_now, **play.seconds},
    )


async def _make_campaign(company: BenchCompany, size: BigSize) -> UUID:
    hour = datetime.now(UTC).hour
    here, there = _zone(HOUR_THERE - hour), _zone(HOUR_THERE - hour + HALF_A_DAY)
    return await company.make_campaign(
        (0,),
        size.recipients,
        is_active=False,
        window=OPEN,
        zone_of=lambda number: there if number % size.due else here,
    )


def _zone(hours_ahead: int) -> str:
    """A zone so many hours ahead of UTC; its name in the database has the other sign."""
    ahead = (hours_ahead + 11) % 24 - 11
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/UTC"


@dataclass(slots=True)
class _Play:
    """What people do to the campaign, and how long they wait for each answer."""

    servers: Servers
    company: BenchCompany
    http: httpx.AsyncClient
    url: str
    size: BigSize
    seconds: dict[str, float] = field(default_factory=dict)
    launching: float = 0

    async def run(self, say: Callable[[str], None]) -> None:
        # The gateway's first request opens its connections.
        (await self.http.get(self.url)).raise_for_status()
        begun = perf_counter()
        await self._ask("activate")
        say(f"activated in {self.seconds['activate_seconds']:.2f} s")
        await self._until_launched(self.size.recipients * 2 // 5, say)
        await self._ask("pause")
        await self._stay_calm(say)
        await self._edit()
        resumed_at = datetime.now(UTC)
        await self._ask("resume")
        say("paused, edited and resumed")
        await self._until_launched(self.size.recipients, say)
        self.launching = perf_counter() - begun
        while (state := await self.look(resumed_at)).ended < self.size.due_now:  # noqa: ASYNC110 - the rows tell nobody
            await asyncio.sleep(1)
        if state.outdated:
            raise WentWrong(f"{state.outdated} mails were begun with the words of before the edit")

    async def look(self, since: datetime | None = None) -> Row[Any]:
        return await look(self.servers, self.company.id, since)

    async def _ask(self, what: str) -> None:
        begun = perf_counter()
        (await self.http.post(f"{self.url}/{what}")).raise_for_status()
        self.seconds[f"{what}_seconds"] = perf_counter() - begun

    async def _edit(self) -> None:
        begun = perf_counter()
        body = {"message_template": NEW_WORDS}
        (await self.http.put(f"{self.url}/sequences/1", json=body)).raise_for_status()
        self.seconds["edit_seconds"] = perf_counter() - begun

    async def _until_launched(self, number: int, say: Callable[[str], None]) -> None:
        """As people watch it: by its task."""
        told = 0
        while (processed := await self._processed()) < number:
            if processed >= told + 10_000:
                told = processed
                say(f"{processed} launched")
            await asyncio.sleep(0.5)

    async def _processed(self) -> int:
        tasks = (await self.http.get("/api/tasks", params={"kind": "launch"})).json()
        return int(tasks[0]["processed"]) if tasks else 0

    async def _stay_calm(self, say: Callable[[str], None]) -> None:
        """A paused campaign ends what was under way, and sends nothing and starts nobody else."""
        before, counts = None, None
        for _ in range(MOST_LOOKS):
            await asyncio.sleep(self.size.calm)
            after = await self.look()
            before, counts = counts, (after.sent, after.launched)
            if before == counts:
                say(f"calm while paused: {after.launched} launched, {after.sent} sent")
                return
        raise WentWrong(f"while it was paused it went on: {before} became {counts}")


async def look(servers: Servers, company_id: UUID, since: datetime | None = None) -> Row[Any]:
    async with servers.database.company_transaction(company_id) as connection:
        return (await connection.execute(_STATE, {"since": since})).one()


async def _check(servers: Servers, company_id: UUID, gmail: AnsweringGmail, size: BigSize) -> None:
    state = await look(servers, company_id)
    found = await count_workflows(servers.client, company_id, expected=size.recipients)
    counts = {
        "workflows": (found, size.recipients),
        "launched": (state.launched, size.recipients),
        "asleep": (state.asleep, size.recipients - size.due_now),
        "ended": (state.ended, size.due_now),
        "begun": (state.begun, size.due_now),
        "sent": (state.sent, size.due_now),
        "sent by the provider": (len(gmail.keys), size.due_now),
        "different ones": (len(set(gmail.keys)), size.due_now),
        "tasks": (state.jobs, 1),
    }
    wrong = [
        f"{name}: {counted} of {wanted}"
        for name, (counted, wanted) in counts.items()
        if counted != wanted
    ]
    if wrong:
        raise WentWrong("; ".join(wrong))
