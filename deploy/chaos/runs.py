"""Any number of runs on a Postgres of their own, and what came of them."""

import asyncio
import logging
import os
import tempfile
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy.ext.asyncio import create_async_engine

from deploy.chaos.audit import Verdict
from deploy.chaos.books import Lived
from deploy.chaos.clock import make_clocks, on_bent_clock
from deploy.chaos.crew import Crew
from deploy.chaos.faults import STRIKES, Fault, Place
from deploy.chaos.gateway import open_gateway
from deploy.chaos.group import Group, Habits
from deploy.chaos.life import Life
from deploy.chaos.mail_wire import impatience
from deploy.chaos.plans import Plan, draw_plan, draw_process_plan, is_in_processes
from deploy.chaos.processes import play_in_processes
from deploy.chaos.signals import Signals
from deploy.chaos.workers import ChaosWorker, PartsOf
from deploy.local.migrate import migrate_meanwhile
from deploy.local.postgres import Postgres, running_postgres
from deploy.sandbox.mail_servers import Postbox
from shared.db.session import Database, make_engine
from shared.domain.channels import Channel
from shared.keyring import Keyring
from workflows.parts import make_parts

# Lives that share a company, a mailbox and a clock; groups that run at the same time.
GROUP_SIZE = 8
GROUPS_AT_ONCE = 4
TOLD_AFTER_GROUPS = 25
PHASES = ("reserve", "call", "record", "answer")
# Lines of a story: who repeats himself longer than that does not get anywhere.
TOLD = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A run that broke a promise: which one, and everything that happened in it."""

    run: int
    remarks: tuple[str, ...]
    story: tuple[str, ...]

    def in_words(self) -> str:
        verdict = f"run {self.run} went wrong: {'; '.join(self.remarks)}; what happened in it:"
        return "\n  ".join([verdict, *self.story[:TOLD]])


@dataclass(slots=True, kw_only=True)
class ChaosReport:
    """The figures of `drumbeat chaos --json`. `faults`: how often each kind really happened.

    `killed_in`: in which phase of an attempt worker processes died by SIGKILL; in `answer` they
    had recorded everything, and Temporal never heard of it.
    """

    seed: int
    runs: int = 0
    sent: int = 0
    duplicates: int = 0
    lost: int = 0
    sent_after_stop: int = 0
    sent_after_known_reply: int = 0
    orphans: int = 0
    unconfirmed: int = 0
    left_to_people: int = 0
    taken_for_sent: int = 0
    seconds: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    by_channel: Counter[Channel] = field(default_factory=Counter)
    twice_by_channel: Counter[Channel] = field(default_factory=Counter)
    by_place: Counter[tuple[Place, Fault]] = field(default_factory=Counter)
    killed_in: Counter[str] = field(default_factory=Counter)
    tell: Callable[[str], None] = field(default=lambda _: None)
    failures: list[Failure] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        broken = self.duplicates or self.lost or self.sent_after_stop or self.orphans
        return not (broken or self.unconfirmed)

    def add(self, life: Lived, verdict: Verdict) -> None:
        self.runs += 1
        self.sent += verdict.sent.total()
        self.by_channel.update(verdict.sent)
        self.twice_by_channel.update(verdict.twice)
        self.duplicates += verdict.duplicates
        self.lost += verdict.lost
        self.sent_after_stop += verdict.sent_after_stop
        self.sent_after_known_reply += verdict.sent_after_reply
        self.orphans += verdict.orphans
        self.unconfirmed += verdict.unconfirmed
        self.left_to_people += verdict.left_to_people
        self.taken_for_sent += verdict.taken_for_sent
        happened = [i for i in life.plan.injections if i.has_happened]
        self.faults.update(i.fault for i in happened)
        self.by_place.update((i.place, i.fault) for i in happened if i.place)
        if not verdict.is_clean:
            story = tuple(life.story)
            self.failures.append(
                Failure(run=life.plan.run, remarks=tuple(verdict.remarks), story=story)
            )
            self.tell(self.failures[-1].in_words())

    def to_json(self) -> dict[str, Any]:
        return {
            "runs": self.runs,
            "seed": self.seed,
            "sent": self.sent,
            "duplicates": self.duplicates,
            "lost": self.lost,
            "sent_after_stop": self.sent_after_stop,
            "sent_after_known_reply": self.sent_after_known_reply,
            "orphans": self.orphans,
            "unconfirmed": self.unconfirmed,
            "left_to_people": self.left_to_people,
            "taken_for_sent": self.taken_for_sent,
            "faults": {fault: self.faults[fault] for fault in Fault},
            "channels": {
                channel: {
                    "sent": self.by_channel[channel],
                    "duplicates": self.twice_by_channel[channel],
                }
                for channel in Channel
            },
            "faults_of": {
                place: {fault: self.by_place[place, fault] for fault in sorted(STRIKES[place])}
                for place in Place
            },
            "killed_in": {phase: self.killed_in[phase] for phase in PHASES},
            "seconds": round(self.seconds, 1),
        }


async def run_chaos(
    runs: Sequence[int], *, seed: int, say: Callable[[str], None], parts_of: PartsOf = make_parts
) -> ChaosReport:
    """Play these runs on servers that are thrown away: most in this process, some in others."""
    started, report = perf_counter(), ChaosReport(seed=seed, tell=say)
    plans = [draw_process_plan(seed, run) for run in runs if is_in_processes(run)]
    inside = [run for run in runs if not is_in_processes(run)]
    with tempfile.TemporaryDirectory(prefix="drumbeat-chaos-") as folder:
        async with running_postgres(Path(folder), throwaway=True) as postgres:
            # Before the others begin: only one migration can run in a process.
            await migrate_meanwhile(postgres.owner_url)
            async with asyncio.TaskGroup() as group:
                group.create_task(_play(inside, postgres, report, say, parts_of))
                if plans:
                    group.create_task(_play_in_processes(plans, report, say))
    report.seconds = perf_counter() - started
    return report


async def _play_in_processes(
    plans: Sequence[Plan], report: "ChaosReport", say: Callable[[str], None]
) -> None:
    """They wait a lot, so it costs hardly any time beside the others."""
    with tempfile.TemporaryDirectory(prefix="drumbeat-chaos-") as folder:
        report.killed_in = await play_in_processes(plans, Path(folder), judged=report.add, say=say)


async def play(
    runs: Sequence[int],
    postgres: Postgres,
    *,
    seed: int,
    say: Callable[[str], None],
    parts_of: PartsOf = make_parts,
) -> ChaosReport:
    """Those in this process only, on a Postgres with our tables that runs already."""
    report, started = ChaosReport(seed=seed, tell=say), perf_counter()
    await _play(runs, postgres, report, say, parts_of)
    report.seconds = perf_counter() - started
    return report


async def _play(
    runs: Sequence[int],
    postgres: Postgres,
    report: ChaosReport,
    say: Callable[[str], None],
    parts_of: PartsOf,
) -> None:
    # The pools complain of every connection that is cut, which is what is being done to them.
    for complaining in ("sqlalchemy.pool", "psycopg"):
        logging.getLogger(complaining).setLevel(logging.CRITICAL)
    async with AsyncExitStack() as stack:
        stage, done = await _Stage.build(stack, postgres, parts_of), count(1)
        waiting = iter(_groups(runs, report.seed))

        async def run_groups() -> None:
            for plans in waiting:
                for life, verdict in await stage.run(plans):
                    report.add(life, verdict)
                if next(done) % TOLD_AFTER_GROUPS == 0:
                    say(f"{report.runs} runs, {len(report.failures)} went wrong")

        async with asyncio.TaskGroup() as group:
            for _ in range(GROUPS_AT_ONCE):
                group.create_task(run_groups())


class _Stage:
    """What all groups of one command share."""

    def __init__(self, **shared: Any) -> None:
        self._shared = shared

    @classmethod
    async def build(cls, stack: AsyncExitStack, postgres: Postgres, parts_of: PartsOf) -> "_Stage":
        key = b64encode(os.urandom(32)).decode()
        keyring = Keyring(secret_key=key, encryption_keys=f"chaos:{key}")
        admin = create_async_engine(postgres.url("postgres"), isolation_level="AUTOCOMMIT")
        stack.push_async_callback(admin.dispose)
        await make_clocks(admin)
        url = on_bent_clock(postgres.app_url)
        engine = make_engine(url, pool_size=10)
        stack.push_async_callback(engine.dispose)
        database, signals = Database(engine), Signals()
        postboxes: dict[str, Postbox] = {}

        def hire() -> ChaosWorker:
            return ChaosWorker(
                url=url, postboxes=postboxes, keyring=keyring, conductor=signals, parts_of=parts_of
            )

        stack.enter_context(impatience())
        crew = Crew(hire)
        stack.push_async_callback(crew.close)
        return cls(
            crew=crew,
            admin=admin,
            database=database,
            keyring=keyring,
            signals=signals,
            postboxes=postboxes,
            gateway=await stack.enter_async_context(open_gateway(database, keyring, signals)),
        )

    async def run(self, plans: Sequence[Plan]) -> list[tuple[Life, Verdict]]:
        # Companies differ: one of four is asked, one of two has a folder of what was sent.
        number = plans[0].run // GROUP_SIZE
        habits = Habits(keeps_sent=number % 2 == 0, asks=number % 4 == 1)
        group = Group(plans, habits=habits, **self._shared)
        judged = await group.run()
        group.leave()
        return judged


def _groups(runs: Sequence[int], seed: int) -> Iterator[list[Plan]]:
    for first in range(0, len(runs), GROUP_SIZE):
        yield [draw_plan(seed, run) for run in runs[first : first + GROUP_SIZE]]
