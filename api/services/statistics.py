"""What a campaign has achieved so far, as the triggers have counted it."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from api.schemas.statistics import CampaignCounts, CampaignStats, ChannelCounts, Rates, StepCounts

_RECIPIENTS = text("""
select coalesce(sum(pending), 0)::int as pending, coalesce(sum(in_progress), 0)::int as in_progress,
  coalesce(sum(completed), 0)::int as completed, coalesce(sum(responded), 0)::int as responded,
  coalesce(sum(failed), 0)::int as failed
from campaign_counters where campaign_id = :campaign_id
""")
# What a removed step has sent still counts for its channel, though it is not listed any more.
_STEPS = text("""
select coalesce(s.id, c.step_id) as step_id, s.position as step_number,
  coalesce(s.channel, 'email') as channel, coalesce(c.sent, 0) as sent,
  coalesce(c.failed, 0) as failed, coalesce(c.skipped, 0) as skipped,
  coalesce(c.replied, 0) as replied, coalesce(c.bounced, 0) as bounced,
  coalesce(c.unsubscribed, 0) as unsubscribed
from (select id, position, channel from steps where campaign_id = :campaign_id) s
full join (
  select step_id, sum(sent)::int as sent, sum(failed)::int as failed, sum(skipped)::int as skipped,
    sum(replied)::int as replied, sum(bounced)::int as bounced,
    sum(unsubscribed)::int as unsubscribed
  from step_counters where campaign_id = :campaign_id group by step_id
) c on c.step_id = s.id
order by s.position
""")
_COUNTED = ("sent", "failed", "skipped", "replied", "bounced", "unsubscribed")
_RATES = ("replied", "bounced", "unsubscribed")


async def count_recipients(session: AsyncSession, campaign_id: UUID) -> CampaignCounts:
    """Recipients by status; those that were removed do not count."""
    row = (await session.execute(_RECIPIENTS, {"campaign_id": campaign_id})).one()
    return CampaignCounts(total_recipients=sum(row), **row._asdict())


async def count_campaign(session: AsyncSession, campaign_id: UUID) -> CampaignStats:
    counts = await count_recipients(session, campaign_id)
    rows = (await session.execute(_STEPS, {"campaign_id": campaign_id})).all()
    channels: defaultdict[str, ChannelCounts] = defaultdict(ChannelCounts)
    for row in rows:
        channel = channels[row.channel]
        for name in _COUNTED:
            setattr(channel, name, getattr(channel, name) + getattr(row, name))
    steps = [_step(row) for row in rows if row.step_number is not None]
    return CampaignStats(**counts.model_dump(), steps=steps, channels=dict(channels))


def _step(row: Row[Any]) -> StepCounts:
    numbers = {name: getattr(row, name) for name in _COUNTED}
    rates = {name: numbers[name] / row.sent if row.sent else None for name in _RATES}
    return StepCounts(
        step_id=row.step_id, step_number=row.step_number, rates=Rates(**rates), **numbers
    )
