"""Writes of people who take a recipient's next step into their own hands, under its lock."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.models.recipients import ActionStatus
from shared.db.repositories.ledger import Settlement, action_id_of
from shared.db.repositories.situations import Situation
from shared.domain.recipient import Step

_SKIP = text("""
insert into actions (id, recipient_id, campaign_id, step_id, account_id, version_id, status,
                     activity, planned_at, attempted_at, settled_at)
values (:id, :recipient_id, :campaign_id, :step_id, :account_id, :version_id, 'skipped',
        :activity, :planned_at, :now, :now)
on conflict (company_id, recipient_id, step_id) do update
  set status = 'skipped', planned_at = excluded.planned_at, settled_at = excluded.settled_at
  where actions.status = 'abandoned'
""")
_HURRY = text("update recipients set hurried_step_id = :step_id, hurried_at = :now where id = :id")


async def skip_step(
    connection: AsyncConnection, situation: Situation, step: Step, *, planned_at: datetime
) -> Settlement:
    """Settle a step without doing it; the caller writes the move that follows.

    The waits behind it count from `planned_at`, as if it had been done then.
    """
    version = situation.version
    assert version is not None  # noqa: S101 - a step comes from a version
    action_id = action_id_of(situation.recipient.id, step.id)
    account = situation.account_for(step.id)
    values = {
        "id": action_id,
        "recipient_id": situation.recipient.id,
        "campaign_id": situation.recipient.campaign_id,
        "step_id": step.id,
        "account_id": account.id if account else None,
        "activity": step.activity,
        "version_id": version.id,
        "planned_at": planned_at,
        "now": datetime.now(UTC),
    }
    await connection.execute(_SKIP, values)
    return Settlement(action_id=action_id, status=ActionStatus.SKIPPED, position=step.position)


async def hurry_step(
    connection: AsyncConnection, recipient_id: UUID, step_id: UUID, *, now: datetime
) -> None:
    """Leave on the row that somebody wants this step without its wait."""
    await connection.execute(_HURRY, {"id": recipient_id, "step_id": step_id, "now": now})
