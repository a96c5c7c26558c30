"""One recipient moving through one campaign: wait, look, act, hear what comes next.

The workflow knows no campaign. Each activity answers which one is next, and when.
"""

from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from temporalio import workflow
from temporalio.common import Priority, SearchAttributeKey
from temporalio.exceptions import ActivityError, is_cancelled_exception
from temporalio.workflow import ActivityCancellationType

with workflow.unsafe.imports_passed_through():
    from activities.recipient import RecipientActivities
    from shared.contracts.queues import queue_beside
    from shared.contracts.recipient import CloseOrder, RecipientStart, StopSignal, WakeSignal
    from shared.domain.recipient import ActivityName, EndReason, Finished, Outcome, Parked, Planned
    from workflows.hanging_up import hang_up, order_of
    from workflows.policies import ACTIVITIES, DATABASE, POLICIES, QUEUES, timer_for

LONGEST_PARKING = timedelta(days=7)
STATUS = SearchAttributeKey.for_keyword("DrumbeatStatus")


@workflow.defn(name="recipient")
class RecipientWorkflow:
    @workflow.init
    def __init__(self, start: RecipientStart) -> None:
        self._recipient = start.recipient
        self._next = start.next
        self._stop: EndReason | None = None
        self._woken: WakeSignal | None = None
        self._is_with_person = False
        self._status = "active"
        self._told = ""
        self._seen: set[UUID] = set()

    @workflow.run
    async def run(self, start: RecipientStart) -> EndReason:  # noqa: ARG002 - read in __init__
        """Go from plan to plan until there is none, and return why."""
        while True:
            await self._wait()
            # Looked at after every wait: a timer that fired does not mean that nobody replied.
            if self._stop:
                await hang_up(self._recipient, self._next)
                return await self._close(self._stop)
            if woken := self._woken:
                self._woken, self._is_with_person = None, False
                if woken.next:
                    self._next = woken.next
                    continue
                # What asks for news is what was woken for, and looks at the rows itself.
                if self._next.activity is not ActivityName.BLAND_COLLECT:
                    self._next = _look_again("woken", after=timedelta(0))
            match await self._act():
                case Planned() as planned:
                    self._next = planned
                    self._show("active")
                case Parked() as parked:
                    self._next = _look_again(f"parked: {parked.reason}", after=LONGEST_PARKING)
                    self._is_with_person = parked.is_with_person
                    self._show("active" if parked.is_with_person else "parked")
                case Finished(reason=reason):
                    return self._end(reason)

    @workflow.signal
    def stop(self, signal: StopSignal) -> None:
        """Something came back that ends it."""
        if self._is_new(signal.event_id):
            self._stop = self._stop or signal.reason

    @workflow.signal
    def wake(self, signal: WakeSignal) -> None:
        """Something changed: go on with what it says; without, or of two at once, look at rows."""
        if self._is_new(signal.event_id):
            self._woken = WakeSignal(event_id=signal.event_id) if self._woken else signal

    @workflow.query
    def progress(self) -> Planned:
        """What comes next."""
        return self._next

    async def _wait(self) -> None:
        """Wait for the instant, a stop or a wake. Never says which: look at the state."""
        when = "" if self._is_with_person else f", at {self._next.at:%F %T}Z"
        workflow.set_current_details(f"{self._told}Next: **{self._next.label}{when}**")
        left = self._next.at - workflow.now()
        if left <= timedelta(0) or self._is_roused():
            return
        timeout = None if self._is_with_person else timer_for(self._next, left)
        with suppress(TimeoutError):
            await workflow.wait_condition(
                self._is_roused, timeout=timeout, timeout_summary=f"{self._next.label}{when}"[:200]
            )

    async def _act(self) -> Outcome:
        """Run what the plan names. A stop ends its back-off at once, but lets a call finish."""
        plan = self._next
        running = workflow.start_activity_method(
            ACTIVITIES[plan.activity],
            order_of(self._recipient, plan),
            task_queue=queue_beside(workflow.info().task_queue, QUEUES[plan.activity]),
            summary=plan.label[:200],
            cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            priority=Priority(fairness_key=str(self._recipient.company_id)),
            **POLICIES[plan.activity],
        )
        await workflow.wait_condition(lambda: running.done() or self._stop is not None)
        if not running.done():
            running.cancel()
        try:
            outcome = await running
        except ActivityError as error:
            if not is_cancelled_exception(error):
                raise
            return plan
        self._told = f"Last: {plan.label} at {workflow.now():%Y-%m-%d %H:%M:%S}Z  \n"
        return outcome

    async def _close(self, reason: EndReason) -> EndReason:
        order = CloseOrder(
            company_id=self._recipient.company_id,
            recipient_id=self._recipient.recipient_id,
            reason=reason,
        )
        stays = await workflow.execute_activity_method(
            RecipientActivities.close, order, summary=f"ended: {reason}", **DATABASE
        )
        return self._end(stays)

    def _end(self, reason: EndReason) -> EndReason:
        workflow.set_current_details(f"{self._told}Ended: **{reason}**")
        self._show(reason)
        return reason

    def _show(self, status: str) -> None:
        """What operators search by; it is written on real changes only."""
        if status != self._status:
            self._status = status
            workflow.upsert_search_attributes([STATUS.value_set(status)])

    def _is_roused(self) -> bool:
        return self._stop is not None or self._woken is not None

    def _is_new(self, event_id: UUID) -> bool:
        is_new, self._seen = event_id not in self._seen, self._seen | {event_id}
        return is_new


def _look_again(label: str, *, after: timedelta) -> Planned:
    return Planned(
        activity=ActivityName.RECIPIENT_PLAN, step_id=None, at=workflow.now() + after, label=label
    )
