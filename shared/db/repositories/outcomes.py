"""What came of a step that was done: kept on its action, where conditions find it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.inbound import InboundEvent
from shared.domain.branches import StepOutcome
from shared.domain.inbound import InboundKind

# What was known first stays.
_NOTE = text("""
update actions set outcomes = jsonb_build_object(cast(:outcome as text), cast(:at as text))
  || outcomes
where id = :id and not outcomes ? :outcome
returning recipient_id
""")
# A plan that no step stands behind waits for a decision to fall.
_IS_UNDECIDED = text("""
select exists (select from recipients where id = :id and ended_at is null and parked_at is null
  and next_activity = 'recipient.plan' and next_step_id is null)
""")
_NOTE_ACCEPTED = text("""
update actions set outcomes = jsonb_build_object(cast(:outcome as text), cast(:at as text))
  || outcomes
where recipient_id = :recipient_id and activity = 'linkedin.invite'
  and status in ('sent', 'reserved', 'unconfirmed', 'skipped')
""")
_ASK_NOW = text("""
update actions set check_at = least(check_at, :at)
where recipient_id = :recipient_id and status = 'placed' and activity = 'bland.call'
  and (thread_id = :call_id or provider_id = :call_id)
""")


async def note_outcome(
    connection: AsyncConnection, action_id: UUID, outcome: StepOutcome, *, at: datetime
) -> bool:
    """True: it is news that the recipient waits for, so the caller wakes it."""
    values = {"id": action_id, "outcome": outcome, "at": at.isoformat()}
    recipient_id = await connection.scalar(_NOTE, values)
    if recipient_id is None:
        return False
    return bool(await connection.scalar(_IS_UNDECIDED, {"id": recipient_id}))


async def note_event(
    connection: AsyncConnection, event: InboundEvent, recipient_id: UUID, *, at: datetime
) -> None:
    """What an event that ends nobody says of the step that it belongs to.

    `thread_id` of a call is our mark in it, or the provider's call id.
    """
    if event.kind is InboundKind.ACCEPTED:
        accepted = {"outcome": StepOutcome.CONNECTED, "at": at.isoformat()}
        await connection.execute(_NOTE_ACCEPTED, accepted | {"recipient_id": recipient_id})
    elif event.kind is InboundKind.CALL_ENDED:
        asked = {"recipient_id": recipient_id, "call_id": event.thread_id, "at": at}
        await connection.execute(_ASK_NOW, asked)
