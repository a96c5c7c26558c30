"""One recipient's life: the waits, retries and time-outs that Temporal would give it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from deploy.chaos.attempts import UNTOKENED, NoAnswer, in_words, perform
from deploy.chaos.crew import Crew
from deploy.chaos.faults import BLINDING, CLOCKS, STOPS, Fault
from deploy.chaos.plans import Plan
from deploy.chaos.steering import drive
from deploy.chaos.trial import Trial, Zombie
from deploy.chaos.workers import ChaosWorker
from deploy.chaos.world import Person, World
from shared.contracts.recipient import ActionOrder, WakeSignal
from shared.domain.recipient import (
    ActivityName,
    EndReason,
    Finished,
    HoldReason,
    Outcome,
    Parked,
    Planned,
)
from shared.errors import ProviderError

START_TO_CLOSE = timedelta(seconds=60)
FIRST_RETRY, LONGEST_RETRY = timedelta(seconds=2), timedelta(seconds=60)
A_WHILE = timedelta(hours=1)
# Thirty of them, the most that is drawn, are an hour.
A_SHIFT = timedelta(minutes=2)
# Whoever needs more turns than this is not getting anywhere.
MOST_TURNS = 80


class Life:
    """Its group calls `turn` whenever `at` has come, until `is_over`."""

    def __init__(
        self,
        *,
        plan: Plan,
        person: Person,
        world: World,
        crew: Crew,
        admin: AsyncEngine,
        now: Callable[[], datetime],
    ) -> None:
        self.plan, self.person = plan, person
        self.at = now()
        self.is_over = False
        self.is_erased = False
        self.known: list[datetime] = []
        self.asked: set[int] = set()
        self.crashes: list[str] = []
        self.unsure: set[int] = set()
        self.blinded: set[int] = set()
        self.story: list[str] = []
        self.stop: EndReason | None = None
        self.woken: WakeSignal | None = None
        self._world, self._crew, self._admin, self._now = world, crew, admin, now
        self._order = self._order_of(ActivityName.RECIPIENT_PLAN, None)
        self._repair: Callable[[], Awaitable[None]] | None = None
        self._looked_at: set[int] = set()
        self._turns = self._attempts = self._failures = 0
        self._zombies: list[Zombie] = []
        self._background: list[asyncio.Task[Any]] = []

    async def turn(self) -> None:
        """What the workflow does when its wait is over, up to the next wait."""
        self._turns += 1
        if self._turns > MOST_TURNS:
            self.tell("is not getting anywhere")
            self.is_over = True
            return
        if self._repair:
            repair, self._repair = self._repair, None
            await repair()
        if self.woken and not self.stop:
            following, self.woken = self.woken.next, None
            if following:
                self._go_on(following)
                return
            if self._order.activity is not ActivityName.BLAND_COLLECT:
                self._order = self._order_of(ActivityName.RECIPIENT_PLAN, None)
        answer = await self._act()
        match answer:
            case NoAnswer():
                self._wait_for_retry(answer)
            case EndReason():
                self.tell(f"closed: {answer}")
                self.is_over = True
            case _:
                self._go_on(answer)

    def look_again(self) -> None:
        """Somebody woke it: the rows may ask for something else now."""
        self.is_over, self.at = False, self._now()
        self._order = self._order_of(ActivityName.RECIPIENT_PLAN, None)

    def tell(self, what: str) -> None:
        self.story.append(f"{self._now():%m-%d %H:%M:%S} {what}")

    async def calm_down(self) -> None:
        """Let every zombie and every deed that is still under way come to its end."""
        for zombie in self._zombies:
            zombie.gate.set()
        while self._background:
            await self._background.pop()
        await self._look_behind()

    async def do(self, fault: Fault) -> bool:
        """A deed of a person, at this very moment."""
        step_id = self._order.step_id or next(iter(self.person.numbers))
        has_happened = await self._world.do(fault, self.person, step_id)
        if fault in STOPS:
            self.known.append(await self._world.clock())
        self.is_erased = self.is_erased or fault is Fault.ERASED
        return has_happened

    async def resume(self) -> None:
        await self._world.resume(self.person)
        self.tell("the campaign is resumed")

    async def reconnect(self) -> None:
        await self._world.reconnect()
        self.tell("the account is connected again")

    async def do_todo(self) -> None:
        if await self._world.do_todo(self.person):
            self.tell("the to-do is done")

    async def _act(self) -> Outcome | EndReason | NoAnswer:
        doubled = next((i for i in self.plan.injections if self._is_doubled(i.fault, i)), None)
        if doubled is None or self.stop:
            return await self._attempt()
        doubled.strike()
        self.tell("two workers have the same order")
        answers = await asyncio.gather(self._attempt(), self._attempt())
        return answers[doubled.suspension % 2]

    def _is_doubled(self, fault: Fault, injection: Any) -> bool:
        is_due = not injection.has_happened and self._attempts + 1 >= injection.attempt
        is_sending = self._order.activity is not ActivityName.RECIPIENT_PLAN
        return fault is Fault.TWO_WORKERS and is_due and is_sending

    async def _attempt(self) -> Outcome | EndReason | NoAnswer:
        self._attempts += 1
        worker = self._crew.take()
        trial = Trial(
            number=self._attempts,
            worker=worker,
            admin=self._admin,
            injections=self.plan.injections,
            zombies=self._zombies,
            do=self.do,
            tell=self.tell,
            is_bounded=self._order.activity in UNTOKENED,
        )
        attempt = asyncio.create_task(self._perform(worker, trial))
        held = asyncio.create_task(trial.held.wait())
        await asyncio.wait({attempt, held}, return_when=asyncio.FIRST_COMPLETED)
        self._background += trial.deeds
        if not attempt.done():
            self._background.append(attempt)
            await self._look_behind()
            return NoAnswer("taken for dead", START_TO_CLOSE)
        held.cancel()
        answer = await attempt
        await worker.until_forgotten(self._admin)
        await self._look_behind()
        self.tell(f"attempt {trial.number}, {self._what()}: {in_words(answer)}")
        return answer

    async def _look_behind(self) -> None:
        """Which faults struck behind the point of no return: of each mail's fate one may hide."""
        struck = {
            number
            for number, injection in enumerate(self.plan.injections)
            if injection.has_happened and injection.fault in BLINDING
        } - self._looked_at
        if struck and await self._world.is_marked(self.person):
            self.blinded |= struck
        if all(task.done() for task in self._background):
            # One that sleeps may still get there, and is looked at again.
            self._looked_at |= struck

    async def _perform(self, worker: ChaosWorker, trial: Trial) -> Outcome | EndReason | NoAnswer:
        environment = ActivityEnvironment()
        environment.info = replace(
            environment.info, attempt=self._failures + 1, started_time=self._clock(trial.number)
        )
        order, stop = self._order, self.stop

        async def work() -> Outcome | EndReason:
            return await drive(perform(worker, order, stop), trial.on_suspension)

        worker.face(self._world.providers, trial)
        try:
            answer: Outcome | EndReason = await environment.run(work)
        except ProviderError as error:
            failure = NoAnswer(repr(error), error.retry_after)
        except ApplicationError as error:
            failure = NoAnswer(repr(error), error.next_retry_delay)
        except Exception as error:  # noqa: BLE001 - Temporal retries whatever it is
            failure = NoAnswer(repr(error).splitlines()[0][:200])
        else:
            if not worker.is_dead:
                return answer
            failure = NoAnswer("died", START_TO_CLOSE)
        finally:
            await self._crew.give_back(worker)
        return NoAnswer("died", START_TO_CLOSE) if worker.is_dead else failure

    def _clock(self, attempt: int) -> datetime:
        """What the activity takes for the time: up to an hour wrong, when that is its fault."""
        for injection in self.plan.injections:
            is_due = not injection.has_happened and attempt >= injection.attempt
            if injection.fault in CLOCKS and is_due:
                injection.strike()
                self.tell(f"attempt {attempt}: {injection.fault}")
                shift = injection.suspension * A_SHIFT
                return self._now() + (shift if injection.fault is Fault.CLOCK_AHEAD else -shift)
        return self._now()

    def _go_on(self, outcome: Outcome) -> None:
        self._failures = 0
        match outcome:
            case Planned():
                self._order = self._order_of(outcome.activity, outcome.step_id)
                self.at = max(outcome.at, self._now())
            case Parked(reason=HoldReason.CAMPAIGN_PAUSED):
                self._wait_for(self.resume)
            case Parked(reason=HoldReason.ACCOUNT_DOWN):
                self._wait_for(self.reconnect)
            case Parked(reason=HoldReason.TODO):
                self._wait_for(self.do_todo)
            case Parked() | Finished():
                self.is_over = True

    def _wait_for(self, repair: Callable[[], Awaitable[None]]) -> None:
        self._repair, self.at = repair, self._now() + A_WHILE
        self._order = self._order_of(ActivityName.RECIPIENT_PLAN, None)

    def _wait_for_retry(self, answer: NoAnswer) -> None:
        back_off = min(FIRST_RETRY * 2**self._failures, LONGEST_RETRY)
        self._failures = min(self._failures + 1, 6)
        self.at = self._now() + (answer.retry_after or back_off)

    def _order_of(self, activity: ActivityName, step_id: Any) -> ActionOrder:
        recipient = self.person.recipient
        return ActionOrder(
            company_id=recipient.company_id,
            recipient_id=recipient.recipient_id,
            activity=activity,
            step_id=step_id,
        )

    def _what(self) -> str:
        return "recipient.close" if self.stop else self._order.activity
