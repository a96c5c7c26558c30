"""Reads one recipient with everything that decides its next move, in two statements."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.models.recipients import ActionStatus
from shared.db.repositories.places import PLACE_COLUMNS
from shared.db.repositories.serving import instant
from shared.db.repositories.situations import Action, Situation
from shared.db.repositories.versions import VersionShelf
from shared.db.round_trips import Question, ask_together
from shared.domain.branches import StepOutcome
from shared.domain.recipient import ActivityName
from shared.errors import NotFound

_COLUMNS = (
    "select id, company_id, campaign_id, lead_id, account_id, started_at, launched_at, paused_at,"
    " away_until, hurried_step_id, hurried_at, next_account_id, slot_at, slot_step_id, slot_words,"
    " last_action_at, end_reason, ended_at, pinned_version_id"
)
_READ = Question(_COLUMNS + " from recipients where id = :id")
_LOCK = Question(_COLUMNS + " from lock_recipient(:company_id, :id)")

# Of actions `x`, as `to_action` reads each of them.
ACTIONS = """json_agg(json_build_object(
          'id', x.id, 'step_id', x.step_id, 'account_id', x.account_id,
          'version_id', x.version_id, 'status', x.status, 'round', x.round,
          'content_hash', encode(x.content_hash, 'hex'), 'draft_id', x.draft_id,
          'thread_id', x.thread_id, 'provider_id', x.provider_id, 'message_id', x.message_id,
          'planned_at', x.planned_at, 'attempted_at', x.attempted_at,
          'confirmed_at', x.confirmed_at, 'settled_at', x.settled_at, 'activity', x.activity,
          'check_at', x.check_at, 'outcomes', x.outcomes))"""
# A statement of its own behind the lock: a join would show these as they were before the wait.
_REST = Question(f"""
select {PLACE_COLUMNS},
       c.name as campaign_name, c.type as campaign_type, c.created_at as campaign_created_at,
       c.status as campaign_status, c.deleted_at, c.track_opens, c.track_clicks,
       coalesce(r.pinned_version_id, c.version_id) as version_id,
       c.paused_at as campaign_paused_at, c.resumed_at as campaign_resumed_at, c.dry_run,
       l.email as lead_email,
       exists (select 1 from suppressions s where s.key_hash = any (l.suppression_keys))
         as is_suppressed,
       a.id as account_id, a.user_id as account_user_id,
       a.kind as account_kind, coalesce(a.send_as, a.email) as account_email,
       a.display_name as account_name, a.signature as account_signature,
       a.status as account_status,
       a.status_reason as account_trouble, a.blocked_until, a.block_reason, a.failures,
       a.last_polled_at,
       least(a.daily_limit, a.daily_ceiling) as daily_limit, a.limits as account_limits,
       coalesce(a.ramp_from_at, a.created_at) as ramp_from_at,
       case when :with_content or 'lead' = any (c.needs) then to_jsonb(l) end as lead,
       case when 'accounts' = any (c.needs) then (select json_agg(json_build_object(
          'id', o.id, 'user_id', o.user_id, 'kind', o.kind, 'status', o.status,
          'status_reason', o.status_reason, 'blocked_until', o.blocked_until,
          'block_reason', o.block_reason, 'failures', o.failures,
          'daily_limit', least(o.daily_limit, o.daily_ceiling), 'limits', o.limits,
          'ramp_from_at', coalesce(o.ramp_from_at, o.created_at),
          'invitations_held_until', li.invitations_held_until,
          'is_named', o.id = any (c.account_ids)) order by o.is_primary desc, o.created_at, o.id)
        from accounts o left join linkedin_accounts li on li.account_id = o.id
        where o.kind not in ('gmail', 'smtp') and o.status <> 'disconnected') end
         as other_accounts,
       case when :with_content then (select to_jsonb(co) from companies co) end as company,
       case when :with_content then (select jsonb_build_object('name', p.product_name,
         'description', p.description) from products p where p.id = c.product_id) end as product,
       (select {ACTIONS}
        from actions x where x.recipient_id = :id) as actions
from recipients r
join campaigns c on c.id = r.campaign_id
join leads l on l.id = r.lead_id
left join accounts a on a.id = coalesce(r.account_id, c.account_id,
  (select p.id from accounts p where p.is_primary and p.status <> 'disconnected' limit 1))
where r.id = :id
""")  # noqa: S608 - made of our own words


async def find_situation(
    connection: AsyncConnection, recipient_id: UUID, shelf: VersionShelf
) -> Situation:
    """Read a recipient of the company that the transaction is in. Raises NotFound."""
    values = {"id": recipient_id, "with_content": False}
    return await _put_together(connection, shelf, values, _READ)


async def lock_situation(
    connection: AsyncConnection,
    company_id: UUID,
    recipient_id: UUID,
    shelf: VersionShelf,
    *,
    with_content: bool = False,
) -> Situation:
    """Read a recipient and hold its row until the transaction ends, which this lets in first.

    Raises NotFound. `with_content` adds the lead and the company, for templates.
    """
    values = {"id": recipient_id, "company_id": company_id, "with_content": with_content}
    return await _put_together(connection, shelf, values, _LOCK)


async def _put_together(
    connection: AsyncConnection, shelf: VersionShelf, values: dict[str, Any], first: Question
) -> Situation:
    found, rest = await ask_together(connection, values, first, _REST)
    if not found:
        raise NotFound(f"Recipient {values['id']} is not there")
    recipient, row = found[0], rest[0]
    actions = {a.step_id: a for a in map(to_action, row.actions or [])}
    needed = {a.version_id for a in actions.values()} | {row.version_id} - {None}
    versions = {version_id: await shelf.get(connection, version_id) for version_id in needed}
    return Situation(recipient=recipient, rest=row, versions=versions, actions=actions)


def to_action(row: dict[str, Any]) -> Action:
    return Action(
        id=UUID(row["id"]),
        step_id=UUID(row["step_id"]),
        account_id=UUID(row["account_id"]) if row["account_id"] else None,
        version_id=UUID(row["version_id"]),
        status=ActionStatus(row["status"]),
        round=row["round"],
        content_hash=row["content_hash"],
        draft_id=row["draft_id"],
        thread_id=row["thread_id"],
        provider_id=row["provider_id"],
        message_id=row["message_id"],
        planned_at=datetime.fromisoformat(row["planned_at"]),
        attempted_at=datetime.fromisoformat(row["attempted_at"]),
        confirmed_at=instant(row["confirmed_at"]),
        settled_at=instant(row["settled_at"]),
        activity=ActivityName(row["activity"]) if row["activity"] else None,
        check_at=instant(row["check_at"]),
        outcomes={
            StepOutcome(name): datetime.fromisoformat(at) for name, at in row["outcomes"].items()
        },
    )
