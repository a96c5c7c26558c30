"""Some lives in real processes: real Temporal, real Postgres, workers that are killed.

Nobody steers them. Each crowd has a company and a mailbox of its own; the clock is the real one.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from temporalio.service import RPCError
from temporalio.testing import ActivityEnvironment
from uuid_utils.compat import uuid7

from deploy.chaos.audit import Verdict, judge
from deploy.chaos.books import read_books
from deploy.chaos.faults import REAL, STOPS, Fault, Place
from deploy.chaos.plans import Plan
from deploy.chaos.post_office import PostOffice
from deploy.chaos.providers import make_providers
from deploy.chaos.settling import Settling
from deploy.chaos.world import Person, World
from deploy.chaos.wounds import Wounds
from shared.contracts.recipient import ActionOrder, RecipientRef, RecipientStart, WakeSignal
from shared.db.session import Database
from shared.domain.recipient import ActivityName, Planned
from shared.keyring import Keyring
from shared.tokens import AccountRef
from workflows.client import TemporalConductor
from workflows.parts import Parts

WAIT_SECONDS = 1
# After this long, and then every so often, whoever is still open is woken as the sweep does it.
QUIET_SECONDS = 20
PATIENCE_SECONDS = 300
A_DAY = timedelta(days=1)

_OPEN = text("select id from recipients where closed_at is null")
_OPEN_ACTIONS = text(
    "select recipient_id, step_id from actions where status in ('reserved', 'unconfirmed')"
)
_ACCOUNT_USER = text("select user_id from accounts where id = :id")


class Servers(Protocol):
    """What can be killed. `calm` is held by whoever needs both servers for a moment."""

    calm: asyncio.Lock

    async def kill(self, fault: Fault) -> None: ...


class ProcessLife:
    """One recipient, and what meets its mails on their way into the mailbox."""

    def __init__(self, plan: Plan, person: Person, world: World, servers: Servers) -> None:
        self.plan, self.person = plan, person
        self.known: list[datetime] = []
        self.asked: set[int] = set()
        self.unsure: set[int] = set()
        self.blinded: set[int] = set()
        self.story: list[str] = []
        self.killings: list[asyncio.Task[None]] = []
        self._world, self._servers = world, servers
        self._sends = 0

    async def before(self, operation: str) -> Fault | None:
        self._sends += 1
        return await self._meet(operation, is_after=False)

    async def after(self, operation: str) -> Fault | None:
        return await self._meet(operation, is_after=True)

    def tell(self, what: str) -> None:
        self.story.append(f"{datetime.now(UTC):%H:%M:%S.%f} {what}")

    async def _meet(self, operation: str, *, is_after: bool) -> Fault | None:
        for injection in self.plan.injections:
            is_now = injection.operation == operation and injection.is_after is is_after
            if not is_now or injection.has_happened or self._sends < injection.attempt:
                continue
            injection.strike()
            self.tell(f"{'after' if is_after else 'before'} {operation}: {injection.fault}")
            if injection.fault is Fault.SEND_ANSWER_LOST:
                return injection.fault
            if injection.fault in REAL:
                # In the background: this very request has to go on meanwhile.
                self.killings.append(asyncio.create_task(self._servers.kill(injection.fault)))
            elif injection.fault in STOPS:
                injection.strike(has_happened=await self._reply(injection.fault))
        return None

    async def _reply(self, fault: Fault) -> bool:
        try:
            await self._world.do(fault, self.person, None)
            self.known.append(await self._world.clock())
        except (DBAPIError, RPCError):
            # A server is being killed: the report may come in again, and nothing is sure.
            return False
        return True


class Crowd:
    """Lives that start together. `parts` serves nothing; the crowd tidies up with it."""

    def __init__(
        self,
        plans: Sequence[Plan],
        *,
        database: Database,
        keyring: Keyring,
        conductor: TemporalConductor,
        office: PostOffice,
        wounds: Wounds,
        parts: Parts,
        servers: Servers,
    ) -> None:
        self._plans, self._database, self._conductor = plans, database, conductor
        self._office, self._wounds, self._parts, self._servers = office, wounds, parts, servers
        self.lives: list[ProcessLife] = []
        providers = make_providers(lambda: datetime.now(UTC))
        self.gmail = providers.gmail
        self._world = World(
            database=database, keyring=keyring, conductor=conductor, providers=providers
        )
        self._settling = Settling(self._world, keyring, asks=False, wait_seconds=WAIT_SECONDS)

    async def run(self) -> list[tuple[ProcessLife, Verdict]]:
        """Live to the end, tidy up as the sweep does, and be judged."""
        world, account_id = self._world, str(self._world.accounts[Place.GMAIL])
        self._office.gmails[account_id] = self.gmail
        async with self._servers.calm:
            people = await self._settling.settle_down(self._plans, datetime.now(UTC))
            for plan, person in zip(self._plans, people, strict=True):
                await self._start(plan, person)
        await self._until_over()
        for life in self.lives:
            await asyncio.gather(*life.killings)
        async with self._servers.calm:
            await self._settle()
            await self._tidy()
            judged = [(life, judge(await read_books(world, life))) for life in self.lives]
        self._office.gmails.pop(account_id)
        for life in self.lives:
            self._office.ordeals.pop(life.person.address)
        return judged

    async def _start(self, plan: Plan, person: Person) -> None:
        life = ProcessLife(plan, person, self._world, self._servers)
        self.lives.append(life)
        self._office.ordeals[person.address] = life
        self._wounds.write(person.recipient.recipient_id, plan, person.numbers)
        look = Planned(
            activity=ActivityName.RECIPIENT_PLAN,
            step_id=None,
            at=datetime.now(UTC),
            label="look at the rows",
        )
        await self._conductor.start(RecipientStart(recipient=person.recipient, next=look))

    async def _until_over(self) -> None:
        loop = asyncio.get_running_loop()
        patience, rouse_at = loop.time() + PATIENCE_SECONDS, loop.time() + QUIET_SECONDS
        while loop.time() < patience:
            await asyncio.sleep(0.25)
            try:
                open_ = await self._open()
                if not open_:
                    return
                if loop.time() > rouse_at:
                    rouse_at = loop.time() + QUIET_SECONDS / 2
                    await self._rouse(open_)
            except (DBAPIError, RPCError):
                # A server is down; it is being started again.
                continue

    async def _open(self) -> set[UUID]:
        async with self._database.company_transaction(self._world.company_id) as connection:
            return set(await connection.scalars(_OPEN))

    async def _rouse(self, open_: set[UUID]) -> None:
        for life in self.lives:
            if life.person.recipient.recipient_id in open_:
                life.tell("woken")
                await self._wake(life.person.recipient)

    async def _wake(self, recipient: RecipientRef) -> None:
        await self._conductor.wake(recipient, WakeSignal(event_id=uuid7()))

    async def _settle(self) -> None:
        """What the sweep does for mails that nobody took up again: their recipient has ended."""
        async with self._database.company_transaction(self._world.company_id) as connection:
            unsettled = (await connection.execute(_OPEN_ACTIONS)).all()
        for row in unsettled:
            order = ActionOrder(
                company_id=self._world.company_id,
                recipient_id=row.recipient_id,
                activity=ActivityName.GMAIL_SEND,
                step_id=row.step_id,
            )
            environment = ActivityEnvironment()
            environment.info = replace(environment.info, started_time=datetime.now(UTC))
            await environment.run(self._parts.gmail.settle, order)

    async def _tidy(self) -> None:
        world = self._world
        account_id = world.accounts[Place.GMAIL]
        async with self._database.company_transaction(world.company_id) as connection:
            user_id = await connection.scalar(_ACCOUNT_USER, {"id": account_id})
        account = AccountRef(company_id=world.company_id, account_id=account_id, user_id=user_id)
        await self._parts.tidying.tidy_mailbox(account, datetime.now(UTC) + A_DAY)
