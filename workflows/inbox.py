"""Reads a shard of the mailboxes for answers, for ever."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.inbox import ROUND_SECONDS, InboxActivities
    from shared.contracts.operations import InboxShard

TURNS_PER_RUN = 100


@workflow.defn(name="inbox")
class InboxWorkflow:
    @workflow.run
    async def run(self, shard: InboxShard) -> None:
        """Have the shard read, some minutes at a time."""
        for turn in range(TURNS_PER_RUN):
            await workflow.execute_activity_method(
                InboxActivities.poll,
                shard,
                summary=f"turn {turn + 1} of shard {shard.number + 1} of {shard.of}",
                start_to_close_timeout=timedelta(seconds=2 * ROUND_SECONDS),
                # A worker that died is noticed by its silence.
                heartbeat_timeout=timedelta(seconds=10),
                retry_policy=RetryPolicy(maximum_interval=timedelta(seconds=15)),
            )
        workflow.continue_as_new(shard)
