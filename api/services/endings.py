"""Ends everybody inside a campaign: a few within the request, many in the background."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from api.conducting import MOST_TOLD, Conducting
from shared.contracts.operations import WakingOrder
from shared.contracts.recipient import RecipientRef
from shared.db.repositories.wakings import ask_waking
from shared.domain.recipient import EndReason

# More than these are ended in the background. Until then the campaign's own end stops each.
MOST_ENDED = 2_000

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
_ARE_MANY = text("""
select count(*) > :most from (
  select from recipients where campaign_id = :campaign_id and ended_at is null limit :most + 1
) open_ones
""")
_RUNNING = text("""
select id from recipients
where campaign_id = :campaign_id and started_at is not null and closed_at is null limit :most
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Whom the request tells. `are_more`: others are ended, or told, in the background."""

    running: list[RecipientRef]
    are_more: bool

    async def ask(self, session: AsyncSession, campaign_id: UUID) -> WakingOrder | None:
        """Behind the campaign's lock, as everybody asks who holds it."""
        return await ask_waking(session, campaign_id=campaign_id) if self.are_more else None

    async def tell(self, conducting: Conducting, waking: WakingOrder | None) -> None:
        await conducting.stop(self.running, EndReason.CAMPAIGN_ENDED)
        await conducting.wake_many(waking)


async def end_open_recipients(session: AsyncSession, company_id: UUID, campaign_id: UUID) -> Ending:
    """The caller completes or deletes the campaign in the same transaction."""
    campaign = {"campaign_id": campaign_id}
    if await session.scalar(_ARE_MANY, campaign | {"most": MOST_ENDED}):
        return Ending(running=[], are_more=True)
    await session.execute(_END, campaign | {"reason": EndReason.CAMPAIGN_ENDED})
    running = [
        RecipientRef(company_id=company_id, campaign_id=campaign_id, recipient_id=recipient_id)
        for recipient_id in await session.scalars(_RUNNING, campaign | {"most": MOST_TOLD})
    ]
    return Ending(running=running, are_more=len(running) == MOST_TOLD)
