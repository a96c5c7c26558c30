"""Reads one mailbox at once, because its provider has told of something new."""

from contextlib import suppress

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.inbox import InboxActivities
    from shared.contracts.operations import MailboxOrder
    from workflows.policies import LOOK

LOOKS_PER_RUN = 100


@workflow.defn(name="mailbox")
class MailboxWorkflow:
    def __init__(self) -> None:
        self._is_rung = False

    @workflow.run
    async def run(self, order: MailboxOrder) -> None:
        """Look, and look again for everything that is told of meanwhile."""
        for _ in range(LOOKS_PER_RUN):
            self._is_rung = False
            with suppress(ActivityError):
                await workflow.execute_activity_method(
                    InboxActivities.look, order, summary="read the mailbox", **LOOK
                )
            if not self._is_rung:
                return
        workflow.continue_as_new(order)

    @workflow.signal
    def ring(self) -> None:
        self._is_rung = True
