"""What a campaign has achieved so far, counted from the ledger."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from api.schemas.statistics import CampaignCounts, CampaignStats, ChannelCounts, Rates, StepCounts
from api.services.statuses import IS_LISTED, STATUS
from shared.db.models import RecipientRow
from shared.domain.recipient import EndReason

# A bounce or an unsubscription belongs to the last mail that went out before it. What a removed
# step has sent still counts for its channel, though the step is not listed any more.
_STEPS = text("""
select coalesce(s.id, x.step_id) as step_id, s.position as step_number,
  coalesce(s.channel, 'email') as channel,
  count(x.id) filter (where x.status = 'sent') as sent,
  count(x.id) filter (where x.responded_at is not null and x.end_reason = :replied) as replied,
  count(x.id) filter (where x.is_last and x.end_reason = :bounced) as bounced,
  count(x.id) filter (where x.is_last and x.end_reason = :unsubscribed) as unsubscribed
from (select id, position, channel from steps where campaign_id = :campaign_id) s
full join (
  select a.id, a.step_id, a.status, a.responded_at, r.end_reason,
    a.status = 'sent' and a.attempted_at = max(a.attempted_at)
      filter (where a.status = 'sent') over (partition by a.recipient_id) as is_last
  from actions a join recipients r on r.id = a.recipient_id
  where a.campaign_id = :campaign_id and r.end_reason is distinct from :removed
) x on x.step_id = s.id
group by 1, 2, 3 order by 2
""")
_COUNTED = ("sent", "replied", "bounced", "unsubscribed")


async def count_recipients(
    session: AsyncSession, campaign_ids: Iterable[UUID]
) -> dict[UUID, CampaignCounts]:
    """Recipients by status for each campaign, in one statement."""
    rows = await session.execute(
        select(RecipientRow.campaign_id, STATUS.label("status"), func.count().label("number"))
        .where(RecipientRow.campaign_id.in_(list(campaign_ids)), IS_LISTED)
        .group_by(RecipientRow.campaign_id, "status")
    )
    numbers: defaultdict[UUID, dict[str, int]] = defaultdict(dict)
    for row in rows:
        numbers[row.campaign_id][row.status] = row.number
    counts = defaultdict(CampaignCounts)
    for campaign_id, by_status in numbers.items():
        total = sum(by_status.values())
        counts[campaign_id] = CampaignCounts(total_recipients=total, **by_status)
    return counts


async def count_campaign(session: AsyncSession, campaign_id: UUID) -> CampaignStats:
    counts = (await count_recipients(session, [campaign_id]))[campaign_id]
    values = {
        "campaign_id": campaign_id,
        "replied": EndReason.REPLIED,
        "bounced": EndReason.BOUNCED,
        "unsubscribed": EndReason.UNSUBSCRIBED,
        "removed": EndReason.REMOVED,
    }
    rows = (await session.execute(_STEPS, values)).all()
    channels: defaultdict[str, ChannelCounts] = defaultdict(ChannelCounts)
    for row in rows:
        channel = channels[row.channel]
        for name in _COUNTED:
            setattr(channel, name, getattr(channel, name) + getattr(row, name))
    steps = [_step(row) for row in rows if row.step_number is not None]
    return CampaignStats(**counts.model_dump(), steps=steps, channels=dict(channels))


def _step(row: Row[Any]) -> StepCounts:
    numbers = {name: getattr(row, name) for name in _COUNTED}
    rates = {name: numbers[name] / row.sent if row.sent else None for name in _COUNTED[1:]}
    return StepCounts(
        step_id=row.step_id, step_number=row.step_number, rates=Rates(**rates), **numbers
    )
