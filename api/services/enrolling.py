"""Takes leads into a campaign, in a few statements however many they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

MOST_LISTED = 500
MOST_REFUSALS = 1_000

# The order of the list is the order in which they are started.
_INSERT = text("""
insert into recipients (campaign_id, lead_id)
select :campaign_id, l.id
from (select id, min(place) as place
      from unnest(cast(:ids as uuid[])) with ordinality as asked (id, place) group by id) asked
join leads l on l.id = asked.id
where l.email is not null
  and not exists (select 1 from suppressions s where s.key_hash = any (l.suppression_keys))
order by asked.place
on conflict (company_id, campaign_id, lead_id) do nothing
returning id
""")
_REFUSED = text("""
select asked.id as contact_id, case when l.id is null then 'not found'
  when r.end_reason = 'removed' then 'already_contacted'
  when l.email is null then 'no email' else 'suppressed' end as reason
from (select distinct unnest(cast(:ids as uuid[])) as id) asked
left join leads l on l.id = asked.id
left join recipients r on r.lead_id = l.id and r.campaign_id = :campaign_id
where r.id is null or r.end_reason = 'removed'
limit :most
""")
_ALREADY = text("""
select count(*) from recipients
where campaign_id = :campaign_id and lead_id = any (:ids) and end_reason is distinct from 'removed'
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    contact_id: UUID
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """`ids`: the new recipients. `refused`: the first thousand of `refused_count`."""

    ids: Sequence[UUID]
    already: int
    refused_count: int
    refused: list[Refused]


async def enrol(session: AsyncSession, campaign_id: UUID, lead_ids: Sequence[UUID]) -> Enrolled:
    """Add whoever can be reached and is not in the campaign yet."""
    asked = {"campaign_id": campaign_id, "ids": list(lead_ids)}
    added = (await session.scalars(_INSERT, asked)).all()
    inside = await session.scalar(_ALREADY, asked) or 0
    refused = await session.execute(_REFUSED, asked | {"most": MOST_REFUSALS})
    return Enrolled(
        ids=added,
        already=inside - len(added),
        refused_count=len(set(lead_ids)) - inside,
        refused=[Refused(contact_id=row.contact_id, reason=row.reason) for row in refused],
    )
