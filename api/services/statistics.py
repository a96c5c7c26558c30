"""What a campaign has achieved so far, as the triggers have counted it."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from api.schemas.statistics import (
    CampaignCounts,
    CampaignStats,
    ChannelCounts,
    Rates,
    StepCounts,
    VisitorCounts,
)
from shared.db.models import CampaignRow
from shared.domain.tracking import TrackingKind, Visitor

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
# Mails, not hits: whoever opens one twice has opened one.
_TRACKED = text("""
select t.step_id, t.kind, count(distinct t.action_id)::int as anybody,
  count(distinct t.action_id) filter (where t.visitor = 'person')::int as person,
  count(distinct t.action_id) filter (where t.visitor = 'image_proxy')::int as image_proxy,
  count(distinct t.action_id) filter (where t.visitor = 'prefetch')::int as prefetch,
  count(distinct t.action_id) filter (where t.visitor = 'scanner')::int as scanner
from tracking_events t join recipients r on r.id = t.recipient_id
where t.campaign_id = :campaign_id and r.end_reason is distinct from 'removed'
group by t.step_id, t.kind
""")
_COUNTED = ("sent", "failed", "skipped", "replied", "bounced", "unsubscribed")
_SEEN = {TrackingKind.OPEN: "opened", TrackingKind.CLICK: "clicked"}
_RATES = (
    "opened",
    "opened_with_machines",
    "clicked",
    "clicked_with_machines",
    "replied",
    "bounced",
    "unsubscribed",
)


async def count_recipients(session: AsyncSession, campaign_id: UUID) -> CampaignCounts:
    """Recipients by status; those that were removed do not count."""
    row = (await session.execute(_RECIPIENTS, {"campaign_id": campaign_id})).one()
    return CampaignCounts(total_recipients=sum(row), **row._asdict())


async def count_campaign(session: AsyncSession, campaign_id: UUID) -> CampaignStats:
    counts = await count_recipients(session, campaign_id)
    rows = (await session.execute(_STEPS, {"campaign_id": campaign_id})).all()
    seen = await _count_seen(session, campaign_id)
    channels: defaultdict[str, ChannelCounts] = defaultdict(ChannelCounts)
    steps = []
    for row in rows:
        counted = _count(row, seen)
        _add(channels[row.channel], counted)
        if row.step_number is not None:
            steps.append(_step(row, counted))
    return CampaignStats(**counts.model_dump(), steps=steps, channels=dict(channels))


async def _count_seen(
    session: AsyncSession, campaign_id: UUID
) -> dict[TrackingKind, dict[UUID, Row[Any]]]:
    """By step, of the kinds that the campaign tracks or has tracked."""
    campaign = await session.get_one(CampaignRow, campaign_id)
    asked = {TrackingKind.OPEN: campaign.track_opens, TrackingKind.CLICK: campaign.track_clicks}
    seen: dict[TrackingKind, dict[UUID, Row[Any]]] = {kind: {} for kind in asked if asked[kind]}
    for row in await session.execute(_TRACKED, {"campaign_id": campaign_id}):
        seen.setdefault(TrackingKind(row.kind), {})[row.step_id] = row
    return seen


def _count(row: Row[Any], seen: dict[TrackingKind, dict[UUID, Row[Any]]]) -> ChannelCounts:
    counts = ChannelCounts(**{name: getattr(row, name) for name in _COUNTED})
    for kind, by_step in seen.items():
        found, name = by_step.get(row.step_id), _SEEN[kind]
        visitors = {visitor: getattr(found, visitor) if found else 0 for visitor in Visitor}
        setattr(counts, name, visitors[Visitor.PERSON])
        setattr(counts, f"{name}_with_machines", found.anybody if found else 0)
        setattr(counts, f"{name}_by", VisitorCounts(**visitors))
    return counts


def _add(channel: ChannelCounts, counts: ChannelCounts) -> None:
    for name, value in counts:
        before = getattr(channel, name)
        if isinstance(value, VisitorCounts) and before is not None:
            value = VisitorCounts(**{key: number + getattr(before, key) for key, number in value})
        elif value is not None and before is not None:
            value = value + before
        setattr(channel, name, before if value is None else value)


def _step(row: Row[Any], counts: ChannelCounts) -> StepCounts:
    numbers = dict(counts)
    rates = {
        name: numbers[name] / row.sent if row.sent and numbers[name] is not None else None
        for name in _RATES
    }
    return StepCounts(
        step_id=row.step_id, step_number=row.step_number, rates=Rates(**rates), **numbers
    )
