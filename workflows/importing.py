"""Takes in a file of leads, from a look at its form to the last row."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.importing import TURN_SECONDS, ImportActivities
    from shared.contracts.imports import ImportOrder
    from workflows.policies import DATABASE, FILE, MODEL

TURNS_PER_RUN = 200


@workflow.defn(name="import")
class ImportWorkflow:
    @workflow.run
    async def run(self, order: ImportOrder) -> None:
        """Everything that matters is on the job's row; starting this again goes on from there."""
        plan = await workflow.execute_activity_method(
            ImportActivities.sniff, order, summary="how the file is written", **FILE
        )
        if plan.is_open and plan.asks_model:
            await self._ask_model(order)
        if plan.is_open and plan.is_held:
            is_held = await workflow.execute_activity_method(
                ImportActivities.hold, order, summary="until the mapping is confirmed", **DATABASE
            )
            if is_held:
                return
        if plan.is_open and not await self._load(order):
            workflow.continue_as_new(order)
        await workflow.execute_activity_method(ImportActivities.finish, order, **DATABASE)

    async def _ask_model(self, order: ImportOrder) -> None:
        try:
            await workflow.execute_activity_method(
                ImportActivities.ask_model, order, summary="what the columns are", **MODEL
            )
        except ActivityError:
            # What nobody has named is kept under its header; a person can still change that.
            workflow.logger.warning("import.model_silent")

    async def _load(self, order: ImportOrder) -> bool:
        """Whether the file is at its end."""
        for _ in range(TURNS_PER_RUN):
            turn = await workflow.execute_activity_method(
                ImportActivities.load,
                order,
                start_to_close_timeout=timedelta(seconds=3 * TURN_SECONDS),
                # A worker that died is noticed by its silence.
                heartbeat_timeout=timedelta(seconds=45),
                retry_policy=RetryPolicy(maximum_interval=timedelta(seconds=15)),
            )
            workflow.set_current_details(f"**{turn.processed}** rows")
            if turn.is_last:
                return True
        return False
