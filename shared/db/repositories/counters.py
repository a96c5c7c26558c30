"""What the triggers have counted. Reading it costs the same however many recipients there are."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

# Writers wait while it is recounted, so that none of them is counted twice or not at all.
_HOLD = text("lock table campaign_counters, step_counters in share row exclusive mode")
_FORGET = (
    text("delete from campaign_counters where campaign_id = :campaign_id"),
    text("delete from step_counters where campaign_id = :campaign_id"),
)
_COUNT_RECIPIENTS = text("""
insert into campaign_counters (campaign_id, pending, in_progress, completed, responded, failed)
select :campaign_id, count(*) filter (where status = 'pending'),
  count(*) filter (where status = 'in_progress'), count(*) filter (where status = 'completed'),
  count(*) filter (where status = 'responded'), count(*) filter (where status = 'failed')
from (select recipient_status(end_reason, coalesce(launched_at, last_action_at) is not null)
        as status
      from recipients where campaign_id = :campaign_id) counted
""")
_COUNT_STEPS = text("""
insert into step_counters
  (campaign_id, step_id, sent, failed, skipped, replied, bounced, unsubscribed)
select :campaign_id, a.step_id, count(*) filter (where a.status = 'sent'),
  count(*) filter (where a.status = 'refused'), count(*) filter (where a.status = 'skipped'),
  count(*) filter (where a.responded_at is not null and r.end_reason = 'replied'),
  count(*) filter (where a.responded_at is not null and r.end_reason = 'bounced'),
  count(*) filter (where a.responded_at is not null and r.end_reason = 'unsubscribed')
from recipients r join actions a on a.recipient_id = r.id
where r.campaign_id = :campaign_id and r.end_reason is distinct from 'removed'
group by a.step_id
""")


async def recount_campaign(session: AsyncSession, campaign_id: UUID) -> None:
    """Count one campaign's rows again, set-based, should its counters ever be in doubt."""
    campaign = {"campaign_id": campaign_id}
    await session.execute(_HOLD)
    for statement in (*_FORGET, _COUNT_RECIPIENTS, _COUNT_STEPS):
        await session.execute(statement, campaign)
