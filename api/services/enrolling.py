"""Takes leads into a campaign in one statement, however many they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import (
    Integer,
    Select,
    Text,
    TextualSelect,
    Uuid,
    bindparam,
    column,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db.models import CampaignRow, JobRow
from shared.db.models.campaigns import CampaignType

MOST_LISTED = 500
MOST_REFUSALS = 1_000

# A step by hand reaches anybody.
ADDRESS_OF_CHANNEL = {
    "email": "email",
    "call": "phone",
    "linkedin_message": "linkedin_url",
    "linkedin_connection": "linkedin_url",
    "task": None,
}
ADDRESS_OF_TYPE = {
    CampaignType.EMAIL: "email",
    CampaignType.MULTI: "email",
    CampaignType.CALL: "phone",
    CampaignType.LINKEDIN: "linkedin_url",
}

_CHANNELS = text("""
select channel, coalesce((options ->> 'by_hand')::boolean, false) as by_hand
from steps where campaign_id = :id order by position
""")
_ONE_AT_A_TIME = text(
    "select coalesce((settings ->> 'one_campaign_at_a_time')::boolean, false) from companies"
)
# 100,000 take seconds; a filter may name many more. While nobody has counted a table's new rows,
# any index looks good enough to look each lead up with: joining by hash costs the same whatever
# the statistics say. The plans of the foreign keys are this connection's, of its earlier days.
_TAKE_TIME = (
    text("set local statement_timeout = '10min'"),
    text("set local enable_nestloop = off"),
    text("set local enable_seqscan = off"),
    text("discard plans"),
)
_JUDGED = """
select asked.id, asked.place, case
  when l.id is null then 'not found'
  when r.end_reason = 'removed' then 'already_contacted'
  when r.id is not null then 'already'
  {no_address}
  when suppressed.id is not null then 'suppressed'
  {elsewhere} end as reason
from asked
left join leads l on l.id = asked.id
left join recipients r on r.lead_id = asked.id and r.campaign_id = :campaign_id
left join (
  select distinct k.id
  from (
    select o.id, unnest(o.suppression_keys) as key_hash from asked join leads o on o.id = asked.id
  ) k
  join suppressions s on s.key_hash = k.key_hash
) suppressed on suppressed.id = asked.id
{join_elsewhere}
"""
_ELSEWHERE = "when elsewhere.lead_id is not null then 'active in another campaign'"
_JOIN_ELSEWHERE = """
left join (
  select distinct o.lead_id from recipients o join campaigns oc on oc.id = o.campaign_id
  where o.ended_at is null and o.campaign_id <> :campaign_id
    and oc.status in ('active', 'paused') and oc.deleted_at is null
) elsewhere on elsewhere.lead_id = asked.id
"""
# The order of asking is the order in which they are started.
_ADDED = """
insert into recipients (campaign_id, lead_id)
select :campaign_id, id from judged where reason is null order by place
on conflict (company_id, campaign_id, lead_id) do nothing returning id
"""
_REFUSED = "select id, place, reason from judged where reason <> 'already'"
# Those that the answer has no room for are read at the task.
_KEPT = """
insert into refused_rows (job_id, number, reason, cells)
select cast(:job_id as uuid), row_number() over (order by place), reason, array[id::text]
from refused where cast(:job_id as uuid) is not null returning id
"""
_ANSWER = """
select (select count(*) from asked) as asked, (select count(*) from added) as added,
  (select count(*) from refused) as refused, (select count(*) from kept) as kept,
  array(select id from added order by id limit :most_listed) as ids,
  array(select id from refused order by place limit :most_refusals) as refused_ids,
  array(select reason from refused order by place limit :most_refusals) as reasons
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    contact_id: UUID
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """`ids` and `refused` are the first of `added` and `refused_count`; the job has the rest."""

    ids: Sequence[UUID]
    added: int
    already: int
    refused_count: int
    refused: list[Refused]


def named(lead_ids: Sequence[UUID]) -> Select[tuple[UUID, int]]:
    """These leads, each once, in this order."""
    ids = bindparam("lead_ids", list(lead_ids), type_=ARRAY(Uuid()))
    asked = func.unnest(ids).table_valued(column("id", Uuid()), with_ordinality="place")
    asked = asked.render_derived(name="named")
    return select(asked.c.id, func.min(asked.c.place).label("place")).group_by(asked.c.id)


async def enrol(
    session: AsyncSession,
    campaign: CampaignRow,
    asked: Select[tuple[UUID, int]],
    *,
    job: JobRow | None,
) -> Enrolled:
    """Add whoever can be reached and is not in the campaign yet.

    `asked`: rows of (id, place), such as `named` makes. `job` keeps what is too much to list.
    """
    statement = await _make_statement(session, campaign, asked)
    values = {
        "campaign_id": campaign.id,
        "job_id": job.id if job else None,
        "most_listed": MOST_LISTED,
        "most_refusals": MOST_REFUSALS,
    }
    row = (await session.execute(statement, values)).one()
    refused = zip(row.refused_ids, row.reasons, strict=True)
    return Enrolled(
        ids=row.ids,
        added=row.added,
        # Somebody else may have added some of them at this moment: they are in it all the same.
        already=row.asked - row.added - row.refused,
        refused_count=row.refused,
        refused=[Refused(contact_id=lead_id, reason=reason) for lead_id, reason in refused],
    )


async def take_time(session: AsyncSession) -> None:
    """Ready this transaction for more leads than the usual time and plans are enough for."""
    for statement in _TAKE_TIME:
        await session.execute(statement)


async def _make_statement(
    session: AsyncSession, campaign: CampaignRow, asked: Select[tuple[UUID, int]]
) -> TextualSelect:
    addresses = await _reached_by(session, campaign)
    is_alone = await session.scalar(_ONE_AT_A_TIME)
    judged = _JUDGED.format(
        no_address=_no_address(addresses),
        elsewhere=_ELSEWHERE if is_alone else "",
        join_elsewhere=_JOIN_ELSEWHERE if is_alone else "",
    )
    parts = {"judged": judged, "added": _ADDED, "refused": _REFUSED, "kept": _KEPT}
    id_ = column("id", Uuid())
    ctes = [text(sql).columns(id_).cte(name) for name, sql in parts.items()]
    return (
        text(_ANSWER)
        .columns(
            *(column(name, Integer()) for name in ("asked", "added", "refused", "kept")),
            column("ids", ARRAY(Uuid())),
            column("refused_ids", ARRAY(Uuid())),
            column("reasons", ARRAY(Text())),
        )
        .add_cte(asked.cte("asked"), *ctes)
    )


async def _reached_by(session: AsyncSession, campaign: CampaignRow) -> Sequence[str]:
    """The fields of a lead that its steps go to, one of which is enough; none for who is not asked.

    Without steps the campaign's type says so.
    """
    steps = (await session.execute(_CHANNELS, {"id": campaign.id})).all()
    if not steps:
        return [ADDRESS_OF_TYPE[campaign.type]]
    addresses = [None if step.by_hand else ADDRESS_OF_CHANNEL[step.channel] for step in steps]
    found = [address for address in dict.fromkeys(addresses) if address]
    return [] if None in addresses else found


def _no_address(addresses: Sequence[str]) -> str:
    if not addresses:
        return ""
    lacking = " and ".join(f"l.{address} is null" for address in addresses)
    return f"when {lacking} then 'no {' or '.join(addresses)}'"
