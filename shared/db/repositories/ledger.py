"""Writes of the hot path: each is one statement, made under the recipient's lock."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.models.recipients import ActionStatus
from shared.db.repositories.situations import SETTLED, Action, Situation
from shared.domain.branches import StepOutcome
from shared.domain.channels import MAIL_KINDS
from shared.domain.moves import next_step
from shared.domain.recipient import ActivityName, Finished, Outcome, Parked, Planned, Step
from shared.domain.slots import Slot

LONGEST_PARKING = timedelta(days=7)

_RESERVE = """
insert into actions (id, recipient_id, campaign_id, step_id, account_id, version_id,
                     activity, content_hash, planned_at, attempted_at)
values (:id, :recipient_id, :campaign_id, :step_id, :account_id, :version_id,
        :activity, :content_hash, :planned_at, :now)
on conflict (company_id, recipient_id, step_id) do update
  set status = 'reserved', round = actions.round + 1, account_id = excluded.account_id,
      version_id = excluded.version_id, activity = excluded.activity,
      content_hash = excluded.content_hash, draft_id = null, check_at = null, outcomes = '{}',
      thread_id = null, provider_id = null, confirmed_at = null, settled_at = null,
      planned_at = excluded.planned_at, attempted_at = excluded.attempted_at
  where actions.status = 'abandoned'
returning round
"""
_RESERVE_NEXT = text(_RESERVE)
# A follow-up stays on the mailbox that the first mail went from.
_PIN = "with pinned as (update recipients set account_id = :account_id where id = :recipient_id)"
_RESERVE_FIRST = text(_PIN + _RESERVE)
_SETTLE = """
with settled as (
  update actions set status = :status, provider_id = coalesce(:provider_id, provider_id),
    thread_id = coalesce(:thread_id, thread_id), refusal = :refusal, settled_at = :settled_at,
    check_at = :check_at, outcomes = outcomes || cast(:outcomes as jsonb)
  where id = :action_id)
"""
_CONTACTED = ", contacted as (update leads set status = 'contacted' where id = :lead_id)"
_MOVE = """
update recipients set next_activity = :next_activity, next_step_id = :next_step_id,
  next_at = :next_at, parked_at = :parked_at, hold_reason = :hold_reason,
  current_step = coalesce(:current_step, current_step),
  last_action_at = coalesce(:last_action_at, last_action_at),
  end_reason = coalesce(end_reason, :end_reason),
  ended_at = coalesce(ended_at, case when :end_reason is not null then clock_timestamp() end),
  closed_at = coalesce(:closed_at, closed_at),
  next_account_id = :next_account_id,
  slot_at = :slot_at, slot_step_id = :slot_step_id, slot_words = :slot_words,
  started_at = coalesce(started_at, date_trunc('second', cast(:now as timestamptz)))
where id = :id
"""
_MOVE_ONLY = text(_MOVE)
_SETTLE_AND_MOVE = text(_SETTLE + _MOVE)
_FIRST_CONTACT = text(_SETTLE.rstrip() + _CONTACTED + _MOVE)
# Of two who end at once neither sees the other's end, so the last ones take turns. No worker has
# as many connections as a campaign that needs no turns has open recipients.
_TAKE_TURNS = text("""
select pg_advisory_xact_lock(hashtextextended('completing/' || :campaign_id, 0))
where (select count(*) from (
  select 1 from recipients where campaign_id = :campaign_id and ended_at is null limit 200
) open) < 200
""")
_IS_ANYBODY_OPEN = text(
    "select exists (select 1 from recipients where campaign_id = :campaign_id and ended_at is null)"
)
_LOCK_CAMPAIGN = text("select 1 from campaigns where id = :campaign_id for update")
_COMPLETE_CAMPAIGN = text("""
update campaigns c set status = 'completed', completed_at = now(), updated_at = now()
where c.id = :campaign_id and c.status = 'active'
  and not exists (select 1 from recipients r where r.campaign_id = c.id and r.ended_at is null)
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What became of an action. `position`: the step's number, for lists.

    `check_at`: when what was handed over is asked for. `outcomes`: what came of it, and when.
    """

    action_id: UUID
    status: ActionStatus
    position: int
    provider_id: str | None = None
    thread_id: str | None = None
    refusal: str | None = None
    is_first_contact: bool = False
    check_at: datetime | None = None
    outcomes: Mapping[StepOutcome, datetime] = field(default_factory=dict)

    @property
    def is_contact(self) -> bool:
        """Whether the lead was reached, or is being called."""
        is_calling = self.status is ActionStatus.PLACED and self.check_at is not None
        return is_calling or self.status is ActionStatus.SENT


def action_id_of(recipient_id: UUID, step_id: UUID) -> UUID:
    """The id that the action of a step has, known before there is a row."""
    return uuid5(recipient_id, str(step_id))


async def reserve_action(
    connection: AsyncConnection,
    situation: Situation,
    plan: Planned,
    *,
    content_hash: bytes,
    now: datetime,
) -> Action:
    """Take the step for this attempt."""
    assert plan.step_id is not None and situation.version is not None  # noqa: S101, PT018 - the caller has just planned it
    action_id = action_id_of(situation.recipient.id, plan.step_id)
    account = situation.account_for(plan.step_id)
    account_id = account.id if account else None
    is_mailbox = account is not None and account.kind in MAIL_KINDS
    is_pinned = situation.recipient.account_id is not None or not is_mailbox
    round_ = await connection.scalar(
        _RESERVE_NEXT if is_pinned else _RESERVE_FIRST,
        {
            "id": action_id,
            "recipient_id": situation.recipient.id,
            "campaign_id": situation.recipient.campaign_id,
            "step_id": plan.step_id,
            "account_id": account_id,
            "version_id": situation.version.id,
            "activity": plan.activity,
            "content_hash": content_hash,
            "planned_at": plan.at,
            "now": now,
        },
    )
    return Action(
        id=action_id,
        step_id=plan.step_id,
        account_id=account_id,
        version_id=situation.version.id,
        activity=plan.activity,
        status=ActionStatus.RESERVED,
        round=round_,
        content_hash=content_hash.hex(),
        planned_at=plan.at,
        attempted_at=now,
    )


async def write_move(
    connection: AsyncConnection,
    situation: Situation,
    outcome: Outcome,
    *,
    now: datetime,
    settlement: Settlement | None = None,
    slot: Slot | None = None,
) -> None:
    """Leave on the row what comes next, so that the rows alone can rebuild everything.

    `slot`: what the account has booked for it; without one an earlier slot is free again.
    """
    values = {"id": situation.recipient.id, "now": now, **_move_values(outcome, now)}
    values |= {"slot_at": None, "slot_step_id": None, "slot_words": None}
    values["next_account_id"] = _next_account_id(situation, outcome, now)
    if slot is not None and isinstance(outcome, Planned):
        values |= {"slot_at": slot.at, "slot_step_id": outcome.step_id, "slot_words": slot.words}
    if settlement is None:
        values |= {"current_step": None, "last_action_at": None}
        await connection.execute(_MOVE_ONLY, values)
    else:
        statement = _FIRST_CONTACT if settlement.is_first_contact else _SETTLE_AND_MOVE
        await connection.execute(statement, values | _settle_values(settlement, situation, now))
    if isinstance(outcome, Finished):
        await complete_if_last(connection, situation.recipient.campaign_id)


def _next_account_id(situation: Situation, outcome: Outcome, now: datetime) -> UUID | None:
    """The account that the next step goes through, also while the recipient is parked for it."""
    step_id = None
    if isinstance(outcome, Planned):
        step_id = outcome.step_id
    elif isinstance(outcome, Parked):
        step = next_step(situation.steps, situation.to_progress(now), now)
        step_id = step.id if isinstance(step, Step) else None
    account = situation.account_for(step_id)
    return account.id if account else None


async def complete_if_last(connection: AsyncConnection, campaign_id: UUID) -> None:
    """Complete the campaign when nobody in it is open any more."""
    campaign = {"campaign_id": campaign_id}
    await connection.execute(_TAKE_TURNS, campaign)
    if await connection.scalar(_IS_ANYBODY_OPEN, campaign):
        return
    # Locked first, in a statement of its own: somebody may just be adding recipients.
    await connection.execute(_LOCK_CAMPAIGN, campaign)
    await connection.execute(_COMPLETE_CAMPAIGN, campaign)


def _move_values(outcome: Outcome, now: datetime) -> dict[str, object]:
    values: dict[str, object] = dict.fromkeys(
        ("next_activity", "next_step_id", "next_at", "parked_at", "hold_reason", "end_reason")
    )
    values["closed_at"] = None
    match outcome:
        case Planned():
            values |= {"next_activity": outcome.activity, "next_step_id": outcome.step_id}
            values["next_at"] = outcome.at
        case Parked():
            values |= {"parked_at": now, "hold_reason": outcome.reason}
            values |= {"next_activity": ActivityName.RECIPIENT_PLAN}
            values["next_at"] = now + LONGEST_PARKING
        case Finished():
            values |= {"end_reason": outcome.reason, "closed_at": now}
    return values


def _settle_values(
    settlement: Settlement, situation: Situation, now: datetime
) -> dict[str, object]:
    is_done = settlement.status in SETTLED
    values: dict[str, object] = {
        "action_id": settlement.action_id,
        "status": settlement.status,
        "provider_id": settlement.provider_id,
        "thread_id": settlement.thread_id,
        "refusal": settlement.refusal,
        "settled_at": now if is_done else None,
        "current_step": settlement.position if is_done else None,
        "last_action_at": now if settlement.is_contact else None,
        "check_at": settlement.check_at,
        "outcomes": json.dumps({name: at.isoformat() for name, at in settlement.outcomes.items()}),
    }
    if settlement.is_first_contact:
        values["lead_id"] = situation.recipient.lead_id
    return values


def after(situation: Situation, settlement: Settlement, now: datetime) -> Situation:
    """The situation as it will be once the settlement is written, without reading again."""
    old = next(a for a in situation.actions.values() if a.id == settlement.action_id)
    new = replace(
        old,
        status=settlement.status,
        thread_id=settlement.thread_id or old.thread_id,
        provider_id=settlement.provider_id or old.provider_id,
        settled_at=now if settlement.status in SETTLED else None,
        check_at=settlement.check_at,
        outcomes={**old.outcomes, **settlement.outcomes},
    )
    return replace(situation, actions=situation.actions | {old.step_id: new})
