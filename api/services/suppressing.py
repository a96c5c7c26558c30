"""Suppresses addresses, few or many, and ends whoever waits to be reached at one of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from api.conducting import MOST_TOLD
from shared.contracts.recipient import RecipientRef
from shared.domain.recipient import EndReason
from shared.suppression import SuppressionKind

# Whole addresses have indexes. Domains and bare hashes are rare, so leads are looked through then.
_LOCK_CONCERNED = text("""
select r.id, r.campaign_id, r.started_at is not null as is_running from recipients r
where r.ended_at is null and r.lead_id in (
  select id from leads where email = any (cast(:emails as text[]))
  union all
  select id from leads where phone = any (cast(:phones as text[]))
  union all
  select id from leads where linkedin_url = any (cast(:profiles as text[]))
  union all
  select l.id from leads l cross join unnest(l.suppression_keys) k
  join unnest(cast(:hashes as bytea[])) h on h = k where :has_hashes
)
order by r.id for update of r
""")
# In one order, so that two files at the same time wait for each other once at most.
_KEEP = text("""
insert into suppressions (key_hash, kind, value, reason, source)
select distinct on (key_hash) key_hash, kind, value, reason, :source
from unnest(cast(:hashes as bytea[]), cast(:kinds as text[]), cast(:values as text[]),
  cast(:reasons as text[])) as given (key_hash, kind, value, reason)
order by key_hash
on conflict (company_id, key_hash) do nothing returning id
""")
# A running one is made due, so that the sweeper tells it should our signal not come through.
_END = text("""
update recipients set end_reason = :reason, ended_at = clock.time,
  next_at = case when started_at is not null then clock.time end,
  closed_at = case when started_at is null then clock.time end
from (select clock_timestamp() as time offset 0) clock
where id = any (:ids)
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Forbidden:
    """Something by which nobody is to be reached. `value`: normalised; None: not known or kept."""

    kind: SuppressionKind
    key_hash: bytes
    value: str | None
    reason: str
    is_value_kept: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppressed:
    """`stops`: running recipients that the request tells; the sweeper tells the rest."""

    added: int
    ended: int
    stops: list[RecipientRef]


async def suppress(
    transaction: AsyncSession | AsyncConnection,
    company_id: UUID,
    forbidden: Sequence[Forbidden],
    *,
    source: str,
    end_reason: EndReason = EndReason.SUPPRESSED,
) -> Suppressed:
    """Recipients are locked first, as everybody locks them; who comes in later meets the rows."""
    concerned = (await transaction.execute(_LOCK_CONCERNED, _searched(forbidden))).all()
    kept = {
        "hashes": [it.key_hash for it in forbidden],
        "kinds": [it.kind for it in forbidden],
        "values": [it.value if it.is_value_kept else None for it in forbidden],
        "reasons": [it.reason for it in forbidden],
        "source": source,
    }
    added = len((await transaction.execute(_KEEP, kept)).all())
    if concerned:
        ending = {"ids": [row.id for row in concerned], "reason": end_reason}
        await transaction.execute(_END, ending)
    running = [row for row in concerned if row.is_running][:MOST_TOLD]
    stops = [
        RecipientRef(company_id=company_id, campaign_id=row.campaign_id, recipient_id=row.id)
        for row in running
    ]
    return Suppressed(added=added, ended=len(concerned), stops=stops)


def _searched(forbidden: Sequence[Forbidden]) -> dict[str, object]:
    def values(kind: SuppressionKind) -> list[str]:
        return [it.value for it in forbidden if it.kind is kind and it.value is not None]

    hashes = [
        it.key_hash for it in forbidden if it.value is None or it.kind is SuppressionKind.DOMAIN
    ]
    return {
        "emails": values(SuppressionKind.EMAIL),
        "phones": values(SuppressionKind.PHONE),
        "profiles": values(SuppressionKind.LINKEDIN),
        "hashes": hashes,
        "has_hashes": bool(hashes),
    }
