"""Goes over the rows again and again, and sets going what a crash has left behind."""

from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.answers import AnswerActivities
    from activities.appointments import AppointmentActivities
    from activities.forgetting import ForgettingActivities
    from activities.linkedin_tidying import LinkedInTidying
    from activities.sweep import SweepActivities
    from activities.tidying import TidyingActivities
    from activities.watching import WatchActivities
    from shared.contracts.operations import SweepReport
    from shared.contracts.queues import Queue, queue_beside
    from workflows.policies import BATCH, LOOK_UP, QUEUES, SETTLERS, TIDYING

SWEEPS_PER_RUN = 100
SWEEPS_PER_TIDYING = 60
TIDY_DRAFTS = "2026-11-21-tidy-drafts"
FORGET_ROWS = "2026-11-21-forget-rows"
ANSWERS = "2026-11-21-answers"
APPOINTMENTS = "2026-11-21-appointments"
TIDY_INVITATIONS = "2026-11-21-tidy-invitations"
PAUSE = timedelta(seconds=60)
WORKFLOW_ID = "sweep"


@workflow.defn(name="sweep")
class SweepWorkflow:
    @workflow.run
    async def run(self) -> None:
        """Sweep once a minute; about once an hour tidy the mailboxes and forget old rows."""
        for number in range(SWEEPS_PER_RUN):
            report = await self._sweep()
            workflow.set_current_details(_in_words(report))
            if number % SWEEPS_PER_TIDYING == 0 and workflow.patched(FORGET_ROWS):
                await self._forget()
            if number % SWEEPS_PER_TIDYING == 0 and workflow.patched(TIDY_DRAFTS):
                await self._tidy()
            if number % SWEEPS_PER_TIDYING == 0 and workflow.patched(TIDY_INVITATIONS):
                await self._tidy_invitations()
            if workflow.patched(ANSWERS):
                await self._read_answers(is_watching=number % SWEEPS_PER_TIDYING == 0)
            if workflow.patched(APPOINTMENTS):
                await self._settle_appointments()
            await workflow.sleep(PAUSE)
        workflow.continue_as_new()

    async def _sweep(self) -> SweepReport:
        run = workflow.execute_activity_method
        return SweepReport(
            launched=await run(SweepActivities.launch, summary="start pending", **BATCH),
            signalled=await run(SweepActivities.signal, summary="repeat signals", **BATCH),
            woken=await run(SweepActivities.wake, summary="wake the parked", **BATCH),
            restarted=await run(SweepActivities.restart, summary="restart overdue", **BATCH),
            settled=await self._settle(),
        )

    async def _tidy(self) -> None:
        gmail = queue_beside(workflow.info().task_queue, Queue.GMAIL)
        with suppress(ActivityError):
            await workflow.execute_activity_method(
                TidyingActivities.tidy, task_queue=gmail, summary="delete leftovers", **TIDYING
            )

    async def _tidy_invitations(self) -> None:
        linkedin = queue_beside(workflow.info().task_queue, Queue.LINKEDIN)
        with suppress(ActivityError):
            await workflow.execute_activity_method(
                LinkedInTidying.tidy, task_queue=linkedin, summary="withdraw the old", **TIDYING
            )

    async def _forget(self) -> None:
        with suppress(ActivityError):
            await workflow.execute_activity_method(
                ForgettingActivities.forget, summary="delete what has expired", **TIDYING
            )

    async def _read_answers(self, *, is_watching: bool) -> None:
        """What nobody waits for, so that a model or mailbox that is away holds up nothing."""
        run = workflow.execute_activity_method
        gmail = queue_beside(workflow.info().task_queue, Queue.GMAIL)
        with suppress(ActivityError):
            await run(AnswerActivities.match, summary="match again", **TIDYING)
            await run(AnswerActivities.classify, summary="classify replies", **TIDYING)
        if is_watching:
            with suppress(ActivityError):
                await run(
                    WatchActivities.renew, task_queue=gmail, summary="renew watches", **TIDYING
                )

    async def _settle_appointments(self) -> None:
        with suppress(ActivityError):
            await workflow.execute_activity_method(
                AppointmentActivities.settle, summary="ask the calendars", **TIDYING
            )

    async def _settle(self) -> int:
        """Look up actions that were left open, and let their recipients go on."""
        run = workflow.execute_activity_method
        orders = await run(SweepActivities.find_unsettled, summary="find unsettled", **BATCH)
        settled = 0
        for order in orders:
            settle = SETTLERS.get(order.activity)
            if settle is None:
                continue
            queue = queue_beside(workflow.info().task_queue, QUEUES[order.activity])
            # An account that is down must not hold up the others: the next sweep looks again.
            with suppress(ActivityError):
                if await run(settle, order, task_queue=queue, summary="look up", **LOOK_UP):
                    await run(SweepActivities.wake_settled, order, summary="go on", **BATCH)
                    settled += 1
        return settled


def _in_words(report: SweepReport) -> str:
    return (
        f"Last sweep: {report.launched} campaigns to launch, {report.signalled} events signalled,"
        f" {report.woken} woken, {report.restarted} restarted, {report.settled} settled"
    )
