"""Tells many recipients of a change, page by page, at a bounded rate."""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.waking import PAGE, WakingActivities
    from shared.contracts.operations import WakingOrder
    from workflows.policies import BATCH

PAGES_PER_RUN = 200


@workflow.defn(name="waking")
class WakingWorkflow:
    def __init__(self) -> None:
        self._told = 0
        self._is_asked_again = False

    @workflow.run
    async def run(self, order: WakingOrder) -> int:
        """Page on until everybody was told, also of what was asked for meanwhile."""
        for _ in range(PAGES_PER_RUN):
            self._is_asked_again = False
            page = await workflow.execute_activity_method(
                WakingActivities.tell_page, order, summary=f"after {self._told} told", **BATCH
            )
            self._told += page.told
            workflow.set_current_details(f"**{self._told}** recipients told in this run")
            if page.is_last and not self._is_asked_again:
                return self._told
            await workflow.sleep(timedelta(seconds=min(PAGE, order.rate) / order.rate))
        return workflow.continue_as_new(order)

    @workflow.signal
    def ask(self) -> None:
        """The row asks for more than when it was read."""
        self._is_asked_again = True
