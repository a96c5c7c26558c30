"""Has events carried to webhooks, for ever."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.webhooks import ROUND_SECONDS, WebhookActivities

TURNS_PER_RUN = 100
WORKFLOW_ID = "webhooks"


@workflow.defn(name="webhooks")
class WebhooksWorkflow:
    @workflow.run
    async def run(self) -> None:
        """What is to be sent, and when, is on the rows; here is only who does it."""
        for turn in range(TURNS_PER_RUN):
            await workflow.execute_activity_method(
                WebhookActivities.deliver,
                summary=f"turn {turn + 1}",
                start_to_close_timeout=timedelta(seconds=2 * ROUND_SECONDS),
                # A worker that died is noticed by its silence.
                heartbeat_timeout=timedelta(seconds=10),
                retry_policy=RetryPolicy(maximum_interval=timedelta(seconds=15)),
            )
        workflow.continue_as_new()
