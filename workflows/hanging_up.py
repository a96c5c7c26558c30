"""What a stop takes back at once: a call that is on its way to the lead."""

from contextlib import suppress

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from shared.contracts.queues import queue_beside
    from shared.contracts.recipient import ActionOrder, RecipientRef
    from shared.domain.recipient import ActivityName, Planned
    from workflows.policies import LOOK_UP, QUEUES, SETTLERS

HANG_UP = "2026-11-21-hang-up"


def order_of(recipient: RecipientRef, plan: Planned) -> ActionOrder:
    return ActionOrder(
        company_id=recipient.company_id,
        recipient_id=recipient.recipient_id,
        activity=plan.activity,
        step_id=plan.step_id,
    )


async def hang_up(recipient: RecipientRef, plan: Planned) -> None:
    """Have a call ended that was placed and is not over. What fails here the sweep does."""
    # One that is due may have been dialled by an attempt that died.
    is_due = plan.activity is ActivityName.BLAND_CALL and plan.at <= workflow.now()
    if not (is_due or plan.activity is ActivityName.BLAND_COLLECT):
        return
    if not workflow.patched(HANG_UP):
        return
    with suppress(ActivityError):
        await workflow.execute_activity_method(
            SETTLERS[plan.activity],
            order_of(recipient, plan),
            task_queue=queue_beside(workflow.info().task_queue, QUEUES[plan.activity]),
            summary="hang up",
            **LOOK_UP,
        )
