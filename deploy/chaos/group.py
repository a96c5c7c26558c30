"""Some lives at once: one company, one mailbox, one clock that jumps to whatever is due next."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.testing import ActivityEnvironment

from deploy.chaos.audit import Verdict, judge
from deploy.chaos.books import read_books
from deploy.chaos.crew import Crew
from deploy.chaos.faults import Plan
from deploy.chaos.life import Life
from deploy.chaos.world import World
from deploy.sandbox.faulty_gmail import FakeGmail
from shared.contracts.imports import ImportOrder
from shared.contracts.operations import LaunchOrder, MailboxOrder, SampleOrder
from shared.contracts.recipient import (
    ActionOrder,
    RecipientRef,
    RecipientStart,
    StopSignal,
    WakeSignal,
)
from shared.db.session import Database
from shared.domain.recipient import ActivityName
from shared.keyring import Keyring
from shared.tokens import AccountRef

# Long enough ago that even what is planned late lies in the past of the servers' own clocks.
BEGUN = timedelta(days=60)
SWEEPS = 4
A_SWEEP = timedelta(minutes=10)
A_DAY = timedelta(days=1)

_OPEN_ACTIONS = text(
    "select recipient_id, step_id from actions where status in ('reserved', 'unconfirmed')"
)
_ACCOUNT_USER = text("select user_id from accounts where id = :id")
_WAKEABLE = text(
    "select id from recipients where closed_at is null"
    " and (ended_at is not null or hold_reason is distinct from :unsure)"
)
UNSURE = "nobody knows whether it was sent"


class Signals:
    """The conductor of these runs: hands stops and wakes to the lives that they concern."""

    def __init__(self) -> None:
        self.lives: dict[UUID, Life] = {}

    async def start(self, start: RecipientStart) -> None:
        """Every life runs already."""

    async def stop(self, recipient: RecipientRef, signal: StopSignal) -> None:
        if life := self.lives.get(recipient.recipient_id):
            life.stop = life.stop or signal.reason

    async def wake(self, recipient: RecipientRef, signal: WakeSignal) -> None:  # noqa: ARG002 - the form is Conductor's
        if life := self.lives.get(recipient.recipient_id):
            life.is_woken = True

    async def launch(self, order: LaunchOrder) -> None: ...
    async def start_import(self, order: ImportOrder) -> None: ...
    async def send_sample(self, order: SampleOrder) -> None: ...
    async def look(self, order: MailboxOrder) -> None: ...


class Group:
    def __init__(
        self,
        plans: Sequence[Plan],
        *,
        crew: Crew,
        admin: AsyncEngine,
        database: Database,
        keyring: Keyring,
        signals: Signals,
        gmails: dict[str, FakeGmail],
    ) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0) - BEGUN
        self._plans, self._crew, self._admin = plans, crew, admin
        self._signals, self._gmails = signals, gmails
        self.gmail = FakeGmail(clock=lambda: self.now)
        self._world = World(database=database, keyring=keyring, conductor=signals, gmail=self.gmail)
        self.lives: list[Life] = []

    async def run(self) -> list[tuple[Life, Verdict]]:
        """Live to the end, clear up as the sweep does, and be judged."""
        self._gmails[str(self._world.account_id)] = self.gmail
        people = await self._world.settle_down(self._plans, self.now)
        for plan, person in zip(self._plans, people, strict=True):
            life = Life(
                plan=plan,
                person=person,
                world=self._world,
                crew=self._crew,
                admin=self._admin,
                now=lambda: self.now,
            )
            self.lives.append(life)
            self._signals.lives[person.recipient.recipient_id] = life
        await self._live()
        for _ in range(SWEEPS):
            if not await self._sweep():
                break
            await self._live()
        await self._tidy()
        return [(life, await self._judge(life)) for life in self.lives]

    def leave(self) -> None:
        """Forget everybody, so that thousands of groups fit into memory."""
        self._gmails.pop(str(self._world.account_id))
        for life in self.lives:
            self._signals.lives.pop(life.person.recipient.recipient_id)

    async def _live(self) -> None:
        """Jump from one instant at which somebody is due to the next."""
        while open_ := [life for life in self.lives if not life.is_over]:
            self.now = max(self.now, min(self._due_at(life) for life in open_))
            due = [life for life in open_ if self._due_at(life) <= self.now]
            await asyncio.gather(*(life.turn() for life in due))
        for life in self.lives:
            await life.calm_down()

    def _due_at(self, life: Life) -> datetime:
        return self.now if life.stop or life.is_woken else life.at

    async def _sweep(self) -> bool:
        """What the sweep does for all companies, for this one. False: there was nothing to do."""
        self.now += A_SWEEP
        world = self._world
        await self._read_mailbox()
        async with world.database.company_transaction(world.company_id) as connection:
            unsettled = (await connection.execute(_OPEN_ACTIONS)).all()
        for row in unsettled:
            order = ActionOrder(
                company_id=world.company_id,
                recipient_id=row.recipient_id,
                activity=ActivityName.GMAIL_SEND,
                step_id=row.step_id,
            )
            await self._settle(order)
        async with world.database.company_transaction(world.company_id) as connection:
            wakeable = set(await connection.scalars(_WAKEABLE, {"unsure": UNSURE}))
        for life in self.lives:
            if life.person.recipient.recipient_id in wakeable:
                await life.resume()
                life.look_again()
        return bool(wakeable)

    async def _settle(self, order: ActionOrder) -> None:
        worker = self._crew.take()
        try:
            await self._environment().run(worker.parts.gmail.settle, order)
        finally:
            await self._crew.give_back(worker)

    async def _read_mailbox(self) -> None:
        world = self._world
        worker = self._crew.take()
        try:
            await worker.parts.inbox.reader.poll(world.company_id, world.account_id, self.now)
        finally:
            await self._crew.give_back(worker)

    async def _tidy(self) -> None:
        self.now += A_DAY
        world = self._world
        async with world.database.company_transaction(world.company_id) as connection:
            user_id = await connection.scalar(_ACCOUNT_USER, {"id": world.account_id})
        account = AccountRef(
            company_id=world.company_id, account_id=world.account_id, user_id=user_id
        )
        worker = self._crew.take()
        try:
            await worker.parts.tidying.tidy_mailbox(account, self.now)
        finally:
            await self._crew.give_back(worker)

    def _environment(self) -> ActivityEnvironment:
        environment = ActivityEnvironment()
        environment.info = replace(environment.info, started_time=self.now)
        return environment

    async def _judge(self, life: Life) -> Verdict:
        return judge(await read_books(self._world, life))
