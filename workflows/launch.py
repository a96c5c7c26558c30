"""Starts the pending recipients of one campaign, turn by turn, as fast as Temporal takes them."""

from dataclasses import replace
from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.launch import LaunchActivities
    from shared.contracts.operations import LaunchOrder
    from workflows.policies import LAUNCH

TURNS_PER_RUN = 200
# The launcher rested between pages before its activity found the pace by itself.
PACED = "2026-11-21-paced-launch"


@workflow.defn(name="launch")
class LaunchWorkflow:
    def __init__(self) -> None:
        self._started = 0

    @workflow.run
    async def run(self, order: LaunchOrder) -> int:
        """Go on until nobody is pending, or the campaign is not to be launched now."""
        for _ in range(TURNS_PER_RUN):
            page = await workflow.execute_activity_method(
                LaunchActivities.start_page,
                order,
                summary=f"after {self._started} started",
                **LAUNCH,
            )
            self._started += page.started
            workflow.set_current_details(f"**{self._started}** recipients started in this run")
            if page.is_last:
                return self._started
            if workflow.patched(PACED):
                order = replace(order, rate=page.rate or order.rate)
            else:
                await workflow.sleep(timedelta(seconds=min(200, order.rate) / order.rate))
        return workflow.continue_as_new(order)

    @workflow.query
    def started(self) -> int:
        """How many recipients this run has started."""
        return self._started
