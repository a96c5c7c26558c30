"""How many recipients an edit reaches, and how: asked of the function that decides.

Recipients who have done the same steps are alike, so one of each kind is looked at.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from shared.db.repositories.situation_rows import find_situation
from shared.db.repositories.situations import SETTLED, Situation
from shared.db.repositories.versions import Need, Version, VersionShelf, needs_of
from shared.domain.edits import Effect, effect_of
from shared.domain.recipient import Progress

MOST_KINDS = 200
_NAMES = ("new_text", "earlier", "later", "skips", "ends")

_KINDS = text("""
select (array_agg(r.id order by r.id))[1] as id, count(*) as number
from recipients r
left join lateral (
  select array_agg(x.step_id order by coalesce(x.settled_at, x.attempted_at)) as done,
    (array_agg(x.version_id order by coalesce(x.settled_at, x.attempted_at) desc))[1] as version_id,
    string_agg(x.step_id || ' ' || (
      select string_agg(name, ' ' order by name) from jsonb_object_keys(x.outcomes) name), ' '
      order by x.step_id) as outcomes
  from actions x
  where x.recipient_id = r.id and x.status in ('sent', 'refused', 'skipped')
) d on true
where r.campaign_id = :campaign_id and r.ended_at is null and r.pinned_version_id is null
  and (not :only_pending or r.started_at is null)
group by d.done, d.version_id, d.outcomes, r.started_at is null, r.hurried_step_id
order by number desc, id
""")
_PINNED = text("""
select count(*) from recipients
where campaign_id = :campaign_id and ended_at is null and pinned_version_id is not null
""")
_LEAD = text("select to_jsonb(l) from leads l where l.id = :id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """`recipients`: who are open and follow the edit. `pinned`: who are open and do not.

    `looked_at`: of how many kinds of them it is known what becomes of them.
    """

    recipients: int
    looked_at: int
    pinned: int
    affected: int
    new_text: int
    earlier: int
    later: int
    skips: int
    ends: int


async def count_effects(
    session: AsyncSession,
    campaign_id: UUID,
    *,
    before: Version,
    after: Version,
    rewritten: frozenset[UUID],
    only_pending: bool,
    now: datetime,
) -> Reach:
    """Of the draft as it is now, before anybody has followed it."""
    asked = {"campaign_id": campaign_id, "only_pending": only_pending}
    kinds = (await session.execute(_KINDS, asked)).all()
    connection, shelf = await session.connection(), VersionShelf()
    found: list[tuple[int, Effect]] = []
    for kind in kinds[:MOST_KINDS]:
        situation = await find_situation(connection, kind.id, shelf)
        progress = await _progress_in(connection, situation, after, now)
        effect = effect_of(before.steps, after.steps, progress, now, rewritten=rewritten)
        found.append((kind.number, effect))
    return Reach(
        recipients=_sum(kinds),
        looked_at=_sum(kinds[:MOST_KINDS]),
        pinned=await session.scalar(_PINNED, {"campaign_id": campaign_id}) or 0,
        affected=sum(number for number, effect in found if effect.is_any),
        **{name: sum(_numbers(found, name)) for name in _NAMES},
    )


def _numbers(found: list[tuple[int, Effect]], name: str) -> Iterator[int]:
    return (number for number, effect in found if getattr(effect, name))


def _sum(kinds: Sequence[Row[Any]]) -> int:
    return sum(kind.number for kind in kinds)


async def _progress_in(
    connection: AsyncConnection, situation: Situation, after: Version, now: datetime
) -> Progress:
    """With everything that the new version's decisions ask for, and no slot of the old plan."""
    progress = situation.to_progress(now)
    actions = situation.actions.values()
    settled = [action for action in actions if action.status in SETTLED]
    lead = progress.lead
    if Need.LEAD in needs_of(after.steps) and not lead:
        lead = await connection.scalar(_LEAD, {"id": situation.recipient.lead_id})
    return replace(
        progress,
        slot=None,
        outcomes={action.step_id: action.outcomes for action in actions if action.outcomes},
        done_at={action.step_id: action.settled_at or action.attempted_at for action in settled},
        lead=lead or {},
    )
