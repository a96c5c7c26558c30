"""Why nothing is being sent: what a campaign or an account waits for, and who comes next."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from api.callers import Caller
from api.services.campaigns import get_campaign
from api.services.outlook import explain_situation
from shared.db.models import CampaignRow
from shared.db.models.accounts import AccountStatus
from shared.db.models.campaigns import CampaignStatus
from shared.db.repositories.situation_rows import find_situation
from shared.db.repositories.slots import read_book
from shared.db.repositories.versions import VersionShelf
from shared.db.session import Database
from shared.domain.channels import MAIL_KINDS, AccountKind, Channel
from shared.domain.explanation import Explanation
from shared.domain.pacing import limits_of, linkedin_limits
from shared.domain.recipient import ActivityName, HoldReason, Planned, Step
from shared.domain.slots import Limit
from shared.domain.standing import (
    Course,
    Crowd,
    Post,
    Standing,
    Usage,
    overdue_since,
    standing_of_account,
    standing_of_campaign,
    usage_of,
)
from shared.errors import NotFound

DAY = timedelta(days=1)
# Who comes first may have lost its slot to a follow-up: so many are looked at.
FEW = 5

# Who is in a campaign, by what it waits for; of an account those whose next step goes through it.
_CROWD = """
select count(*) filter (where r.ended_at is null and r.started_at is null) as pending,
  count(*) filter (where r.ended_at is null and r.started_at is not null
    and r.parked_at is null) as planned,
  count(*) filter (where r.ended_at is not null) as ended,
  count(*) filter (where r.ended_at is null and r.next_activity = 'bland.collect') as calling,
  count(*) filter (where r.started_at > :since) as begun_today
from recipients r join campaigns c on c.id = r.campaign_id where
"""
_PARKED = """
select r.hold_reason, count(*) as number
from recipients r join campaigns c on c.id = r.campaign_id
where r.ended_at is null and r.parked_at is not null and
"""
_PAUSED = """
select count(*) from recipients r join campaigns c on c.id = r.campaign_id
where r.ended_at is null and r.parked_at is null and c.status = 'paused' and
"""
_NEXT = """
select r.id, r.next_at, l.email from recipients r join campaigns c on c.id = r.campaign_id
join leads l on l.id = r.lead_id
where r.ended_at is null and r.parked_at is null and r.next_at is not null
  and c.status = 'active' and c.deleted_at is null and
"""
_OF_CAMPAIGN = "r.campaign_id = :id"
_OF_ACCOUNT = """coalesce(r.next_account_id, r.account_id) = :id
  and c.status in ('active', 'paused') and c.deleted_at is null"""
_ACCOUNTS = """
select a.id, a.email, a.kind, a.status, a.status_reason, a.blocked_until, a.block_reason,
  least(a.daily_limit, a.daily_ceiling) as daily_limit, a.limits,
  coalesce(a.ramp_from_at, a.created_at) as ramp_from_at
from accounts a where
"""
_ACCOUNT = text(_ACCOUNTS + "a.id = :id")
# What its steps go through, what there is for that, and how far its launcher has come.
_NEEDS = text("""
select array(select distinct s.channel from steps s where s.campaign_id = :id
    and not coalesce(cast(s.options ->> 'by_hand' as boolean), false)) as channels,
  exists (select 1 from accounts a where a.kind = 'bland' and a.status <> 'disconnected')
    as has_line,
  (select array[j.processed, coalesce(j.total, j.processed)] from jobs j
    where j.campaign_id = :id and j.kind = 'launch' and j.status = 'running'
      and j.finished_at is null) as launch
""")
# Those that it names and those that its recipients go on with; else the primary one.
_USED = text(f"""{_ACCOUNTS} a.id = any (:named) or a.id in (
  select r.next_account_id from recipients r where r.campaign_id = :id and r.ended_at is null)
  or (:is_unnamed and a.is_primary and a.status <> 'disconnected')
order by a.is_primary desc, a.created_at, a.id
""")  # noqa: S608 - made of our own words


_NAMED = text("""
select 'campaign' as kind, c.id, c.name, null::uuid as campaign_id from campaigns c
where c.deleted_at is null and (c.id = :id or c.name = :name)
union all
select 'account', a.id, a.email, null from accounts a where a.id = :id or a.email = :email
union all
(select 'recipient', r.id, l.email || ' in ' || c.name, c.id
from recipients r join campaigns c on c.id = r.campaign_id join leads l on l.id = r.lead_id
where c.deleted_at is null and r.end_reason is distinct from 'removed'
  and (r.id = :id or l.id = :id or l.email = :email)
order by r.ended_at desc nulls first, r.id desc)
limit 20
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """Who comes next and when, with the words of the function that decides."""

    recipient_id: UUID
    email: str | None
    explanation: Explanation
    steps: tuple[Step, ...]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """`following` None: nobody has a plan. `usage`: of an account's limits."""

    standing: Standing
    following: Following | None
    usage: tuple[Usage, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What goes by an id, an address or a name. `campaign_id`: of a recipient."""

    kind: str
    id: UUID
    name: str
    campaign_id: UUID | None = None


class ExplainService:
    def __init__(self, *, database: Database) -> None:
        self._database = database
        self._shelf = VersionShelf()

    async def campaign(
        self, caller: Caller, campaign_id: UUID, *, now: datetime | None = None
    ) -> Explained:
        """`now`: another one, where time is skipped. Raises NotFound."""
        now = now or datetime.now(UTC)
        async with self._database.company_session(caller.company_id) as session:
            row = await get_campaign(session, campaign_id)
            connection = await session.connection()
            crowd = await _crowd(connection, _OF_CAMPAIGN, campaign_id, now)
            posts = await self._posts(session, row, now)
            course = await _course(connection, row, posts)
            following = await self._following(connection, _OF_CAMPAIGN, campaign_id, now)
        standing = standing_of_campaign(course, crowd, posts, now)
        return Explained(standing=_with_delay(standing, following, now), following=following)

    async def account(
        self, caller: Caller, account_id: UUID, *, now: datetime | None = None
    ) -> Explained:
        """`now`: another one, where time is skipped. Raises NotFound."""
        now = now or datetime.now(UTC)
        async with self._database.company_transaction(caller.company_id) as connection:
            row = (await connection.execute(_ACCOUNT, {"id": account_id})).one_or_none()
            if row is None:
                raise NotFound(f"Account {account_id} is not there")
            crowd = await _crowd(connection, _OF_ACCOUNT, account_id, now)
            paused = text(f"{_PAUSED} {_OF_ACCOUNT}")
            number = await connection.scalar(paused, {"id": account_id}) or 0
            post = replace(await _post(connection, row, now), paused=number)
            following = await self._following(connection, _OF_ACCOUNT, account_id, now)
        standing = _with_delay(standing_of_account(post, crowd, now), following, now)
        return Explained(standing=standing, following=following, usage=post.usage)

    async def find(self, caller: Caller, what: str) -> list[Named]:
        """Everything that is called so, at most twenty: a lead may be in many campaigns."""
        values = {"id": _id(what), "name": what, "email": what.lower()}
        async with self._database.company_transaction(caller.company_id) as connection:
            rows = await connection.execute(_NAMED, values)
            return [
                Named(kind=it.kind, id=it.id, name=it.name, campaign_id=it.campaign_id)
                for it in rows
            ]

    async def _posts(self, session: AsyncSession, row: CampaignRow, now: datetime) -> list[Post]:
        named = row.account_ids or ([row.account_id] if row.account_id else [])
        connection = await session.connection()
        values = {"id": row.id, "named": named, "is_unnamed": not named}
        found = (await connection.execute(_USED, values)).all()
        return [await _post(connection, account, now) for account in found]

    async def _following(
        self, connection: AsyncConnection, whose: str, id_: UUID, now: datetime
    ) -> Following | None:
        """Explained anew: the same function decides for it when its time has come."""
        order = f" order by r.next_at, r.id limit {FEW}"
        earliest: Following | None = None
        for row in await connection.execute(text(_NEXT + whose + order), {"id": id_}):
            if earliest is not None and earliest.at <= row.next_at:
                break
            situation = await find_situation(connection, row.id, self._shelf)
            found = await explain_situation(connection, situation, now)
            if not isinstance(found.move, Planned):
                continue
            if earliest is None or found.move.at < earliest.at:
                earliest = Following(
                    recipient_id=row.id,
                    email=row.email,
                    explanation=found,
                    steps=situation.steps,
                    at=found.move.at,
                )
        return earliest


def _id(what: str) -> UUID | None:
    try:
        return UUID(what)
    except ValueError:
        return None


async def _course(connection: AsyncConnection, row: CampaignRow, posts: Sequence[Post]) -> Course:
    held = {
        CampaignStatus.DRAFT: HoldReason.CAMPAIGN_DRAFT,
        CampaignStatus.PAUSED: HoldReason.CAMPAIGN_PAUSED,
    }
    needs = (await connection.execute(_NEEDS, {"id": row.id})).one()
    has_mailbox = any(post.kind in MAIL_KINDS for post in posts)
    lacks = {
        HoldReason.NO_ACCOUNT: Channel.EMAIL in needs.channels and not has_mailbox,
        HoldReason.NO_LINE: Channel.CALL in needs.channels and not needs.has_line,
    }
    return Course(
        held=held.get(row.status),
        is_over=row.status is CampaignStatus.COMPLETED,
        opens_at=row.start_at,
        is_called_off=row.launch_held_at is not None,
        is_dry_run=row.dry_run,
        lacks=tuple(reason for reason, is_lacking in lacks.items() if is_lacking),
        launch=tuple(needs.launch) if needs.launch else None,
        new_leads_per_day=row.limits.get("new_leads_per_day"),
    )


def _with_delay(standing: Standing, following: Following | None, now: datetime) -> Standing:
    words = overdue_since(following.at, now) if following else None
    return replace(standing, blocked_by=(*standing.blocked_by, words)) if words else standing


async def _crowd(connection: AsyncConnection, whose: str, id_: UUID, now: datetime) -> Crowd:
    values = {"id": id_, "since": now - DAY}
    row = (await connection.execute(text(_CROWD + whose), values)).one()
    grouped = text(_PARKED + whose + " group by 1")
    parked = await connection.execute(grouped, {"id": id_})
    return Crowd(
        pending=row.pending,
        planned=row.planned,
        ended=row.ended,
        calling=row.calling,
        begun_today=row.begun_today,
        parked={HoldReason(it.hold_reason): it.number for it in parked if it.hold_reason},
    )


async def _post(connection: AsyncConnection, row: Row[Any], now: datetime) -> Post:
    usage: list[Usage] = []
    for activity, limits in _limits(row):
        if limits:
            book = await read_book(connection, row.id, limits, now=now, activity=activity)
            usage += [usage_of(limit, book, now) for limit in limits]
    return Post(
        name=row.email,
        kind=AccountKind(row.kind),
        is_connected=row.status != AccountStatus.DISCONNECTED,
        is_active=row.status == AccountStatus.ACTIVE,
        trouble=row.status_reason,
        blocked_until=row.blocked_until,
        why=row.block_reason,
        usage=tuple(usage),
    )


def _limits(row: Row[Any]) -> list[tuple[ActivityName | None, tuple[Limit, ...]]]:
    kind, begun_at = AccountKind(row.kind), row.ramp_from_at
    if kind is AccountKind.LINKEDIN:
        return list(linkedin_limits(row.daily_limit, row.limits, begun_at=begun_at).items())
    return [(None, limits_of(row.daily_limit, row.limits, begun_at=begun_at, kind=kind))]
