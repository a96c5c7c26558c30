"""What was done for one lead, and what came back."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from api.callers import Caller
from shared.db.models import LeadRow
from shared.db.session import Database
from shared.errors import NotFound

_TIMELINE = text("""
select * from (
  select coalesce(a.settled_at, a.attempted_at) as at, 'out' as direction,
    coalesce(s.channel || ' ', '') || a.status as what, a.campaign_id, a.recipient_id, a.id,
    null as subject, null as text, null as reply_class, null as class_source
  from recipients r join actions a on a.recipient_id = r.id left join steps s on s.id = a.step_id
  where r.lead_id = :lead_id
  union all
  select e.occurred_at, 'in', e.kind, r.campaign_id, e.recipient_id, e.id, e.subject, e.text,
    e.reply_class, e.class_source
  from recipients r join inbound_events e on e.recipient_id = r.id
  where r.lead_id = :lead_id
  union all
  select t.first_at, 'in', case t.kind when 'open' then 'opened' else 'clicked' end,
    t.campaign_id, t.recipient_id, t.action_id, null, t.url, null, null
  from recipients r join tracking_events t on t.recipient_id = r.id
  where r.lead_id = :lead_id
    and (t.visitor = 'person' or t.kind = 'open' and t.visitor = 'image_proxy')
) entries order by at desc, id desc limit :limit offset :offset
""")


class TimelineService:
    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def of_lead(
        self, caller: Caller, lead_id: UUID, *, limit: int, offset: int
    ) -> Sequence[Row[Any]]:
        """Newest first, one more than asked for if there are more."""
        async with self._database.company_session(caller.company_id) as session:
            if await session.get(LeadRow, lead_id) is None:
                raise NotFound(f"Lead {lead_id} is not there")
            asked = {"lead_id": lead_id, "limit": limit + 1, "offset": offset}
            return (await session.execute(_TIMELINE, asked)).all()
