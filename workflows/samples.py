"""Sends a test mail, once."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.samples import SampleActivities
    from shared.contracts.operations import SampleOrder
    from workflows.policies import LOOK_UP


@workflow.defn(name="sample")
class SampleWorkflow:
    @workflow.run
    async def run(self, order: SampleOrder) -> None:
        """Everything that matters is on its row."""
        await workflow.execute_activity_method(
            SampleActivities.send, order, summary="send a test mail", **LOOK_UP
        )
