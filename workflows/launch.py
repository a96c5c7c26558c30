"""Starts the pending recipients of one campaign, page by page, at a bounded rate."""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.launch import PAGE, LaunchActivities
    from shared.contracts.operations import LaunchOrder
    from workflows.policies import BATCH

PAGES_PER_RUN = 200


@workflow.defn(name="launch")
class LaunchWorkflow:
    def __init__(self) -> None:
        self._started = 0

    @workflow.run
    async def run(self, order: LaunchOrder) -> int:
        """Page on until nothing is pending, or the campaign is no longer active."""
        for _ in range(PAGES_PER_RUN):
            page = await workflow.execute_activity_method(
                LaunchActivities.start_page,
                order,
                summary=f"after {self._started} started",
                **BATCH,
            )
            self._started += page.started
            workflow.set_current_details(f"**{self._started}** recipients started in this run")
            if page.is_last:
                return self._started
            await workflow.sleep(timedelta(seconds=min(PAGE, order.rate) / order.rate))
        return workflow.continue_as_new(order)

    @workflow.query
    def started(self) -> int:
        """How many recipients this run has started."""
        return self._started
