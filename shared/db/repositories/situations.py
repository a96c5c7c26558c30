"""One recipient with everything that decides its next move, read in two statements."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.models.accounts import AccountKind, AccountStatus
from shared.db.models.campaigns import CampaignStatus
from shared.db.models.recipients import ActionStatus
from shared.db.repositories.places import PLACE_COLUMNS, calendar_of, window_of
from shared.db.repositories.versions import Version, VersionShelf
from shared.domain.pacing import limits_of
from shared.domain.recipient import ActivityName, EndReason, HoldReason, Progress, Step, anchor
from shared.domain.slots import Limit, Slot
from shared.errors import NotFound

# How an account of each kind sends mail; versions name the first one for every step that is mail.
MAIL_ACTIVITY = {
    AccountKind.GMAIL: ActivityName.GMAIL_SEND,
    AccountKind.SMTP: ActivityName.SMTP_SEND,
}
SETTLED = frozenset({ActionStatus.SENT, ActionStatus.REFUSED, ActionStatus.SKIPPED})

_COLUMNS = (
    "select id, company_id, campaign_id, lead_id, account_id, started_at, launched_at, paused_at,"
    " away_until, hurried_step_id, hurried_at, slot_at, slot_step_id, slot_words, last_action_at,"
    " end_reason, ended_at"
)
_READ = text(_COLUMNS + " from recipients where id = :id")
_LOCK = text(_COLUMNS + " from lock_recipient(:company_id, :id)")

# A statement of its own behind the lock: a join would show these as they were before the wait.
_REST = text(f"""
select {PLACE_COLUMNS},
       c.name as campaign_name, c.type as campaign_type, c.created_at as campaign_created_at,
       c.status as campaign_status, c.deleted_at, c.version_id, c.track_opens, c.track_clicks,
       l.email as lead_email,
       exists (select 1 from suppressions s where s.key_hash = any (l.suppression_keys))
         as is_suppressed,
       a.id as account_id, a.user_id as account_user_id,
       a.kind as account_kind, coalesce(a.send_as, a.email) as account_email,
       a.display_name as account_name, a.signature as account_signature,
       a.status as account_status,
       a.status_reason as account_trouble, a.blocked_until, a.last_polled_at,
       least(a.daily_limit, a.daily_ceiling) as daily_limit, a.limits as account_limits,
       coalesce(a.ramp_from_at, a.created_at) as ramp_from_at,
       case when :with_content then to_jsonb(l) end as lead,
       case when :with_content then (select to_jsonb(co) from companies co) end as company,
       case when :with_content then (select jsonb_build_object('name', p.product_name,
         'description', p.description) from products p where p.id = c.product_id) end as product,
       (select json_agg(json_build_object(
          'id', x.id, 'step_id', x.step_id, 'account_id', x.account_id,
          'version_id', x.version_id, 'status', x.status, 'round', x.round,
          'content_hash', encode(x.content_hash, 'hex'), 'draft_id', x.draft_id,
          'thread_id', x.thread_id, 'provider_id', x.provider_id, 'message_id', x.message_id,
          'planned_at', x.planned_at, 'attempted_at', x.attempted_at,
          'confirmed_at', x.confirmed_at, 'settled_at', x.settled_at))
        from actions x where x.recipient_id = :id) as actions
from campaigns c
join leads l on l.id = :lead_id
left join accounts a on a.id = coalesce(:account_id, c.account_id,
  (select p.id from accounts p where p.is_primary and p.status <> 'disconnected' limit 1))
where c.id = :campaign_id
""")  # noqa: S608 - made of our own words


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One row of the ledger as it was read. Times are aware UTC."""

    id: UUID
    step_id: UUID
    account_id: UUID
    version_id: UUID
    status: ActionStatus
    round: int
    planned_at: datetime
    attempted_at: datetime
    content_hash: str | None = None
    draft_id: str | None = None
    thread_id: str | None = None
    provider_id: str | None = None
    message_id: str | None = None
    confirmed_at: datetime | None = None
    settled_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """`recipient` and `rest` are rows of the two statements above.

    `versions`: the current one and those that the actions were done in, by id.
    """

    recipient: Row[Any]
    rest: Row[Any]
    versions: dict[UUID, Version]
    actions: dict[UUID, Action]

    @property
    def version(self) -> Version | None:
        return self.versions.get(self.rest.version_id)

    @property
    def steps(self) -> tuple[Step, ...]:
        """With the activity that the account's kind asks for."""
        steps = self.version.steps if self.version else ()
        if self.rest.account_kind != AccountKind.SMTP:
            return steps
        return tuple(_over_smtp(step) for step in steps)

    @property
    def last_settled(self) -> Action | None:
        settled = [action for action in self.actions.values() if action.status in SETTLED]
        return max(settled, key=_settled_at, default=None)

    @property
    def last_sent(self) -> Action | None:
        """What a follow-up follows: a step that was skipped has sent nothing."""
        sent = [a for a in self.actions.values() if a.status is ActionStatus.SENT]
        return max(sent, key=_settled_at, default=None)

    @property
    def limits(self) -> tuple[Limit, ...]:
        """Of its account; empty when it has none."""
        rest = self.rest
        return limits_of(rest.daily_limit, rest.account_limits, begun_at=rest.ramp_from_at)

    @property
    def open_action(self) -> Action | None:
        """What an earlier attempt reserved and nobody has settled."""
        unsettled = {ActionStatus.RESERVED, ActionStatus.UNCONFIRMED}
        return next((a for a in self.actions.values() if a.status in unsettled), None)

    def to_progress(self, now: datetime) -> Progress:
        last, row = self.last_settled, self.recipient
        started_at = row.started_at or now.replace(microsecond=0)
        return Progress(
            started_at=max(started_at, self.rest.start_at or started_at),
            done=frozenset(a.step_id for a in self.actions.values() if a.status in SETTLED),
            trail=self.versions[last.version_id].trail_to(last.step_id) if last else (),
            anchor_at=anchor(planned_at=last.planned_at, done_at=_settled_at(last))
            if last
            else None,
            not_before=self.recipient.away_until,
            account_free_at=self.rest.blocked_until,
            ended=self._ended(),
            held=self._held(),
            trouble=self.rest.account_trouble,
            hurried_step_id=self.recipient.hurried_step_id,
            hurried_at=self.recipient.hurried_at,
            calendar=calendar_of(self.rest, now),
            window=window_of(self.rest, now),
            seed=str(row.id),
            slot=Slot(at=row.slot_at, words=row.slot_words or "") if row.slot_at else None,
            slot_step_id=row.slot_step_id,
        )

    def _ended(self) -> EndReason | None:
        if self.recipient.end_reason:
            return EndReason(self.recipient.end_reason)
        if self.rest.is_suppressed:
            return EndReason.SUPPRESSED
        is_over = self.rest.deleted_at or self.rest.campaign_status == CampaignStatus.COMPLETED
        return EndReason.CAMPAIGN_ENDED if is_over else None

    def _held(self) -> HoldReason | None:
        if any(a.status is ActionStatus.UNCONFIRMED for a in self.actions.values()):
            return HoldReason.UNCONFIRMED
        match self.rest.campaign_status:
            case CampaignStatus.DRAFT:
                return HoldReason.CAMPAIGN_DRAFT
            case CampaignStatus.PAUSED:
                return HoldReason.CAMPAIGN_PAUSED
        if self.recipient.paused_at:
            return HoldReason.RECIPIENT_PAUSED
        if self.rest.account_id is None:
            return HoldReason.NO_ACCOUNT
        is_down = self.rest.account_status != AccountStatus.ACTIVE
        return HoldReason.ACCOUNT_DOWN if is_down else None


async def find_situation(
    connection: AsyncConnection, recipient_id: UUID, shelf: VersionShelf
) -> Situation:
    """Read a recipient of the company that the transaction is in. Raises NotFound."""
    found = await connection.execute(_READ, {"id": recipient_id})
    return await _add_rest(connection, recipient_id, found.one_or_none(), shelf)


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
    found = await connection.execute(_LOCK, {"company_id": company_id, "id": recipient_id})
    row = found.one_or_none()
    return await _add_rest(connection, recipient_id, row, shelf, with_content=with_content)


async def _add_rest(
    connection: AsyncConnection,
    recipient_id: UUID,
    recipient: Row[Any] | None,
    shelf: VersionShelf,
    *,
    with_content: bool = False,
) -> Situation:
    if recipient is None:
        raise NotFound(f"Recipient {recipient_id} is not there")
    rest = await connection.execute(
        _REST,
        {
            "id": recipient_id,
            "campaign_id": recipient.campaign_id,
            "lead_id": recipient.lead_id,
            "account_id": recipient.account_id,
            "with_content": with_content,
        },
    )
    row = rest.one()
    actions = {a.step_id: a for a in map(_to_action, row.actions or [])}
    needed = {a.version_id for a in actions.values()} | {row.version_id} - {None}
    versions = {version_id: await shelf.get(connection, version_id) for version_id in needed}
    return Situation(recipient=recipient, rest=row, versions=versions, actions=actions)


def _over_smtp(step: Step) -> Step:
    is_mail = step.activity is ActivityName.GMAIL_SEND
    return replace(step, activity=ActivityName.SMTP_SEND) if is_mail else step


def _to_action(row: dict[str, Any]) -> Action:
    return Action(
        id=UUID(row["id"]),
        step_id=UUID(row["step_id"]),
        account_id=UUID(row["account_id"]),
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
        confirmed_at=_instant(row["confirmed_at"]),
        settled_at=_instant(row["settled_at"]),
    )


def _instant(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def _settled_at(action: Action) -> datetime:
    return action.settled_at or action.attempted_at
