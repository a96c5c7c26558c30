"""Goes over the rows again and again, and sets going what a crash has left behind."""

from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.gmail import GmailActivities
    from activities.sweep import SweepActivities
    from activities.tidying import TidyingActivities
    from shared.contracts.operations import SweepReport
    from shared.contracts.queues import Queue, queue_beside
    from workflows.policies import BATCH, LOOK_UP, TIDYING

SWEEPS_PER_RUN = 100
SWEEPS_PER_TIDYING = 60
TIDY_DRAFTS = "2026-11-21-tidy-drafts"
PAUSE = timedelta(seconds=60)
WORKFLOW_ID = "sweep"


@workflow.defn(name="sweep")
class SweepWorkflow:
    @workflow.run
    async def run(self) -> None:
        """Sweep once a minute, and tidy the mailboxes about once an hour."""
        for number in range(SWEEPS_PER_RUN):
            report = await self._sweep()
            workflow.set_current_details(_in_words(report))
            if number % SWEEPS_PER_TIDYING == 0 and workflow.patched(TIDY_DRAFTS):
                await self._tidy()
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

    async def _settle(self) -> int:
        """Look up actions that were left open, and let their recipients go on."""
        run = workflow.execute_activity_method
        orders = await run(SweepActivities.find_unsettled, summary="find unsettled", **BATCH)
        settled = 0
        gmail = queue_beside(workflow.info().task_queue, Queue.GMAIL)
        for order in orders:
            # An account that is down must not hold up the others: the next sweep looks again.
            with suppress(ActivityError):
                if await run(
                    GmailActivities.settle, order, task_queue=gmail, summary="look up", **LOOK_UP
                ):
                    await run(SweepActivities.wake_settled, order, summary="go on", **BATCH)
                    settled += 1
        return settled


def _in_words(report: SweepReport) -> str:
    return (
        f"Last sweep: {report.launched} campaigns to launch, {report.signalled} events signalled,"
        f" {report.woken} woken, {report.restarted} restarted, {report.settled} settled"
    )
