"""Plays a rehearsal that takes longer than a request may."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.rehearsing import RehearsalActivities
    from shared.contracts.operations import RehearsalOrder


@workflow.defn(name="rehearsal")
class RehearsalWorkflow:
    @workflow.run
    async def run(self, order: RehearsalOrder) -> None:
        """Everything that matters is on its rows; whoever begins again begins from the start."""
        await workflow.execute_activity_method(
            RehearsalActivities.play,
            order,
            summary="play the campaign forward",
            start_to_close_timeout=timedelta(minutes=15),
            # A worker that died is noticed by its silence.
            heartbeat_timeout=timedelta(seconds=60),
            retry_policy=RetryPolicy(maximum_attempts=5),
        )
