"""Some lives at once: one company, one mailbox, one clock that jumps to whatever is due next."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.testing import ActivityEnvironment

from deploy.chaos.audit import Verdict, judge
from deploy.chaos.books import numbers_of, read_books
from deploy.chaos.clock import bend_clock
from deploy.chaos.crew import Crew
from deploy.chaos.faults import Place
from deploy.chaos.life import Life
from deploy.chaos.people import Gateway, People
from deploy.chaos.plans import Plan
from deploy.chaos.providers import make_providers
from deploy.chaos.settling import Settling
from deploy.chaos.signals import Signals
from deploy.chaos.workers import ChaosWorker
from deploy.chaos.world import World
from deploy.sandbox.mail_servers import Postbox
from shared.contracts.recipient import ActionOrder
from shared.db.session import Database
from shared.domain.recipient import ActivityName
from shared.errors import ProviderError
from shared.keyring import Keyring
from shared.tokens import AccountRef

POLLED_EVERY = timedelta(hours=8)
UNSETTLED = timedelta(minutes=5)
READ = (Place.GMAIL, Place.SMTP, Place.LINKEDIN)
SWEEPS = 8
A_SWEEP = timedelta(minutes=10)
A_DAY = timedelta(days=1)
MORE_THAN_A_DAY = timedelta(hours=25)

_OPEN_ACTIONS = text(
    "select recipient_id, step_id, activity, status, check_at from actions"
    " where status in ('reserved', 'unconfirmed')"
    " or (status = 'placed' and check_at is not null)"
)
_ACCOUNT_USER = text("select user_id from accounts where id = :id")
_WAKEABLE = text(
    "select id from recipients where closed_at is null"
    " and (ended_at is not null or hold_reason is distinct from :unsure)"
)
UNSURE = "nobody knows whether it was sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """Of a company: its mail server keeps what is sent; it wants to be asked."""

    keeps_sent: bool
    asks: bool


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
        postboxes: dict[str, Postbox],
        gateway: Gateway,
        habits: Habits,
    ) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)
        self._plans, self._crew, self._admin = plans, crew, admin
        self._signals, self._postboxes = signals, postboxes
        providers = make_providers(lambda: self.now, keeps_sent=habits.keeps_sent)
        self._world = World(
            database=database, keyring=keyring, conductor=signals, providers=providers
        )
        self._settling = Settling(self._world, keyring, asks=habits.asks)
        self._people = People(self._world, gateway, lambda: self.now)
        self._polled_at = self.now
        self.lives: list[Life] = []

    async def run(self) -> list[tuple[Life, Verdict]]:
        """Live to the end, clear up as the sweep does, and be judged."""
        self._postboxes[self._mailbox] = self._world.providers.postbox
        await bend_clock(self._world, self.now)
        people = await self._settling.settle_down(self._plans, self.now)
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
        self._people.meet(self.lives)
        await self._live()
        await self._sweep_up()
        if await self._note_unsure():
            await self._go_on_to(self.now + MORE_THAN_A_DAY)
            await self._sweep_up()
        while await self._ask():
            await self._live()
            await self._sweep_up()
        await self._tidy()
        return [(life, await self._judge(life)) for life in self.lives]

    def leave(self) -> None:
        """Forget everybody, so that thousands of groups fit into memory."""
        self._postboxes.pop(self._mailbox)
        for life in self.lives:
            self._signals.lives.pop(life.person.recipient.recipient_id)

    async def _live(self) -> None:
        """Jump from one instant at which somebody is due to the next."""
        while open_ := [life for life in self.lives if not life.is_over]:
            at = min(self._due_at(life) for life in open_)
            await self._go_on_to(min(at, self._people.next_at or at))
            due = [life for life in open_ if self._due_at(life) <= self.now and not life.is_over]
            await asyncio.gather(*(life.turn() for life in due))
            self._people.notice()
        for life in self.lives:
            await life.calm_down()

    async def _go_on_to(self, at: datetime) -> None:
        """Jump there, and have done what is due by itself."""
        if at > self.now:
            self.now = at
            await bend_clock(self._world, at)
        await self._people.act()
        is_there = any(Place.LINKEDIN in life.plan.places for life in self.lives)
        if is_there and self.now - self._polled_at >= POLLED_EVERY:
            self._polled_at = self.now
            await self._read_accounts((Place.LINKEDIN,))

    def _due_at(self, life: Life) -> datetime:
        return self.now if life.stop or life.woken else life.at

    async def _sweep_up(self) -> None:
        for _ in range(SWEEPS):
            if not await self._sweep():
                break
            await self._live()

    async def _note_unsure(self) -> bool:
        """Whether there are mails of which nobody knows what they became."""
        unsure = await self._world.unsure()
        for row in unsure:
            life = self._life_of(row)
            life.unsure.add(life.person.numbers[row.step_id])
        return bool(unsure)

    async def _ask(self) -> bool:
        """Somebody looks what has become of each such mail, and says so."""
        unsure = [row for row in await self._world.unsure() if row.status == "unconfirmed"]
        for row in unsure:
            life = self._life_of(row)
            number = life.person.numbers[row.step_id]
            life.unsure.add(number)
            life.asked.add(number)
            is_sent = number in numbers_of(self._world.letters_to(life.person))
            await self._world.answer(life.person, row.id, is_sent=is_sent)
            life.tell(f"somebody says that mail {number} was {'' if is_sent else 'not '}sent")
            life.look_again()
        return bool(unsure)

    def _life_of(self, row: Row[Any]) -> Life:
        return self._signals.lives[row.recipient_id]

    async def _sweep(self) -> bool:
        """What the sweep does for all companies, for this one. False: there was nothing to do."""
        await self._go_on_to(self.now + A_SWEEP)
        world = self._world
        await self._read_accounts(READ)
        await self._note_unsure()
        async with world.database.company_transaction(world.company_id) as connection:
            open_ = (await connection.execute(_OPEN_ACTIONS)).all()
        due = self.now - UNSETTLED
        unsettled = [row for row in open_ if row.status != "placed" or row.check_at < due]
        for row in unsettled:
            order = ActionOrder(
                company_id=world.company_id,
                recipient_id=row.recipient_id,
                activity=ActivityName(row.activity),
                step_id=row.step_id,
            )
            await self._settle(order)
        async with world.database.company_transaction(world.company_id) as connection:
            wakeable = set(await connection.scalars(_WAKEABLE, {"unsure": UNSURE}))
        for life in self.lives:
            if life.person.recipient.recipient_id in wakeable:
                await life.resume()
                life.look_again()
        return bool(wakeable or {row.status for row in open_} - {"unconfirmed"})

    async def _settle(self, order: ActionOrder) -> None:
        async with self._lent() as worker:
            parts = worker.parts
            settlers = {
                ActivityName.GMAIL_SEND: parts.gmail.settle,
                ActivityName.SMTP_SEND: parts.smtp.settle,
                ActivityName.LINKEDIN_INVITE: parts.linkedin.settle,
                ActivityName.LINKEDIN_MESSAGE: parts.linkedin.settle,
                ActivityName.BLAND_CALL: parts.bland.settle,
                ActivityName.TASK_OPEN: parts.tasks.settle,
            }
            try:
                await self._environment().run(settlers[order.activity], order)
            except ProviderError:
                # The next sweep tries again.
                return
            except Exception as error:  # noqa: BLE001 - whatever it is, it would never end
                life = self._signals.lives[order.recipient_id]
                life.crashes.append(f"settling fails: {error!r}")

    async def _read_accounts(self, places: Iterable[Place]) -> None:
        async with self._lent() as worker:
            for place in places:
                parts = worker.parts
                reader = parts.inbox.linkedin if place is Place.LINKEDIN else parts.inbox.reader
                assert reader is not None  # noqa: S101 - the workers are wired with both
                await reader.poll(self._world.company_id, self._world.accounts[place], self.now)

    @asynccontextmanager
    async def _lent(self) -> AsyncIterator[ChaosWorker]:
        """A worker to whom nothing happens."""
        worker = self._crew.take()
        worker.face(self._world.providers)
        await worker.reconnect()
        try:
            yield worker
        finally:
            await self._crew.give_back(worker)

    async def _tidy(self) -> None:
        await self._go_on_to(self.now + A_DAY)
        world = self._world
        account_id = world.accounts[Place.GMAIL]
        async with world.database.company_transaction(world.company_id) as connection:
            user_id = await connection.scalar(_ACCOUNT_USER, {"id": account_id})
        account = AccountRef(company_id=world.company_id, account_id=account_id, user_id=user_id)
        async with self._lent() as worker:
            await worker.parts.tidying.tidy_mailbox(account, self.now)

    @property
    def _mailbox(self) -> str:
        return str(self._world.accounts[Place.SMTP])

    def _environment(self) -> ActivityEnvironment:
        environment = ActivityEnvironment()
        environment.info = replace(environment.info, started_time=self.now)
        return environment

    async def _judge(self, life: Life) -> Verdict:
        verdict = judge(await read_books(self._world, life))
        verdict.lost += bool(life.crashes)
        verdict.remarks += life.crashes
        return verdict
