"""Ends everybody inside a campaign, in two statements however many they are."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from api.conducting import MOST_TOLD
from shared.contracts.recipient import RecipientRef
from shared.domain.recipient import EndReason

# Locked by id, as everybody locks them. A running one is made due, so that the sweeper tells it
# should our signal not come through; one that never started has nobody to tell.
_END = text("""
with open_ones as (
  select id from recipients where campaign_id = :campaign_id and ended_at is null
  order by id for update
)
update recipients r set end_reason = :reason, ended_at = clock_timestamp(),
  next_at = case when r.started_at is not null then clock_timestamp() end,
  closed_at = case when r.started_at is null then clock_timestamp() end
from open_ones where r.id = open_ones.id
""")
_RUNNING = text("""
select id from recipients
where campaign_id = :campaign_id and started_at is not null and closed_at is null limit :most
""")


async def end_open_recipients(
    session: AsyncSession, company_id: UUID, campaign_id: UUID
) -> list[RecipientRef]:
    """Returns those whose workflows the request tells; the sweeper tells the rest."""
    reason = EndReason.CAMPAIGN_ENDED
    await session.execute(_END, {"campaign_id": campaign_id, "reason": reason})
    running = {"campaign_id": campaign_id, "most": MOST_TOLD}
    return [
        RecipientRef(company_id=company_id, campaign_id=campaign_id, recipient_id=recipient_id)
        for recipient_id in await session.scalars(_RUNNING, running)
    ]
