"""The single door for everything that comes back: record it, commit, then say whose it is."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.conductor import Conductor
from shared.contracts.inbound import InboundEvent
from shared.contracts.recipient import RecipientRef, StopSignal, WakeSignal
from shared.db.session import Database
from shared.domain.inbound import ENDS, LEAD_STATUS, SUPPRESSES, WAKES, InboundKind
from shared.domain.recipient import EndReason, is_end_replaced
from shared.keyring import Keyring
from shared.telemetry import INBOUND

_STORE = text("""
insert into inbound_events (account_id, provider, provider_event_id, kind, thread_id, message_ids,
  address, subject, text, returns_at, occurred_at)
values (:account_id, :provider, :provider_event_id, :kind, :thread_id, :message_ids,
  :address, :subject, :text, :returns_at, :occurred_at)
on conflict (company_id, account_id, provider_event_id) do nothing returning id
""")
# The nearest way first: named, in the thread, answering a message of ours, from the address.
_MATCH = text("""
select id, lead_id from (
  select r.id, r.lead_id, 1 as way, r.created_at from recipients r where r.id = :recipient_id
  union all
  select r.id, r.lead_id, 2, x.attempted_at
  from actions x join recipients r on r.id = x.recipient_id
  where x.thread_id = :thread_id and x.account_id is not distinct from
    coalesce(:account_id, x.account_id)
  union all
  select r.id, r.lead_id, 3, x.attempted_at
  from actions x join recipients r on r.id = x.recipient_id
  where x.message_id = any (:message_ids)
  union all
  select r.id, r.lead_id, 4, r.last_action_at from leads l join recipients r on r.lead_id = l.id
  where l.email = :address and r.last_action_at is not null
) found order by way, created_at desc limit 1
""")
_LOCK_LEAD = text("""
select id, campaign_id, started_at, end_reason, closed_at from recipients
where lead_id = :lead_id order by id for update
""")
_TIE = text("update inbound_events set recipient_id = :recipient_id where id = :id")
_END = text("""
update recipients set end_reason = :reason, ended_at = clock_timestamp() where id = any (:ids)
""")
_AWAY = text("""
update recipients set away_until = greatest(away_until, :returns_at) where id = any (:ids)
""")
_SUPPRESS = text("""
insert into suppressions (key_hash, kind, value, reason)
values (:key_hash, 'email', :value, :reason)
on conflict (company_id, key_hash) do nothing
""")
_LEAD_STATUS = text("update leads set status = :status where id = :lead_id returning email")
_ANSWERED = text("""
update actions set responded_at = :at where id = (
  select id from actions where recipient_id = :recipient_id and status = 'sent'
    and responded_at is null order by settled_at desc limit 1)
""")
_SIGNALLED = text("update inbound_events set signalled_at = clock_timestamp() where id = :id")


_UNSIGNALLED = text(
    "select kind, recipient_id from inbound_events where id = :id and signalled_at is null"
)
_SIBLINGS = text("""
select r.id, r.campaign_id from recipients r
where r.started_at is not null and r.closed_at is null and r.lead_id = (
  select lead_id from recipients where id = :recipient_id)
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A stored event and the workflows it concerns. `id` None: it was stored before."""

    id: UUID | None
    stops: tuple[RecipientRef, ...] = ()
    wakes: tuple[RecipientRef, ...] = ()
    reason: EndReason | None = None


async def receive_inbound(
    database: Database, keyring: Keyring, conductor: Conductor, event: InboundEvent
) -> bool:
    """Store an event once, end what it ends, commit, and only then signal. True: it was new.

    When a signal fails the event stays unsignalled, and the sweep repeats it.
    """
    async with database.company_transaction(event.company_id) as connection:
        recorded = await record_inbound(connection, keyring, event)
    if recorded.id is None:
        return False
    INBOUND.labels(kind=event.kind).inc()
    await _signal(conductor, recorded, recorded.id)
    async with database.company_transaction(event.company_id) as connection:
        await connection.execute(_SIGNALLED, {"id": recorded.id})
    return True


async def record_inbound(
    connection: AsyncConnection, keyring: Keyring, event: InboundEvent
) -> Recorded:
    """Store the event, find whose it is, and end or postpone what it ends or postpones."""
    owner = (await connection.execute(_MATCH, _values(event))).one_or_none()
    if owner is None and not event.is_kept_unmatched:
        return Recorded(id=None)
    event_id = await connection.scalar(_STORE, _values(event))
    if event_id is None:
        return Recorded(id=None)
    if owner is None:
        return Recorded(id=event_id)

    await connection.execute(_TIE, {"id": event_id, "recipient_id": owner.id})
    locked = await connection.execute(_LOCK_LEAD, {"lead_id": owner.lead_id})
    siblings = [row for row in locked if _is_concerned(row, owner.id, event.kind)]
    await _apply(connection, keyring, event, owner, [row.id for row in siblings])
    return _recorded(event, event_id, siblings)


async def repeat_signals(
    database: Database, conductor: Conductor, company_id: UUID, event_id: UUID
) -> bool:
    """Tell the workflows of an event again that may not have been told. True: it was needed."""
    async with database.company_transaction(company_id) as connection:
        event = (await connection.execute(_UNSIGNALLED, {"id": event_id})).one_or_none()
        if event is None:
            return False
        rows = (await connection.execute(_SIBLINGS, {"recipient_id": event.recipient_id})).all()
    kind = InboundKind(event.kind)
    refs = tuple(_ref(company_id, row) for row in rows)
    recorded = Recorded(
        id=event_id,
        stops=refs if kind in ENDS else (),
        wakes=refs if kind in WAKES else (),
        reason=ENDS.get(kind),
    )
    await _signal(conductor, recorded, event_id)
    async with database.company_transaction(company_id) as connection:
        await connection.execute(_SIGNALLED, {"id": event_id})
    return True


async def _signal(conductor: Conductor, recorded: Recorded, event_id: UUID) -> None:
    for recipient in recorded.stops:
        assert recorded.reason is not None  # noqa: S101 - only what ends has stops
        await conductor.stop(recipient, StopSignal(event_id=event_id, reason=recorded.reason))
    for recipient in recorded.wakes:
        await conductor.wake(recipient, WakeSignal(event_id=event_id))


def _is_concerned(row: Row[Any], owner_id: UUID, kind: InboundKind) -> bool:
    """An answer in one campaign ends the lead's other open ones; a closed one gets its reason."""
    current = EndReason(row.end_reason) if row.end_reason else None
    if kind in ENDS:
        is_touched = row.id == owner_id or current is None
        return is_touched and is_end_replaced(current, ENDS[kind])
    return kind in WAKES and current is None


async def _apply(
    connection: AsyncConnection,
    keyring: Keyring,
    event: InboundEvent,
    owner: Row[Any],
    ids: list[UUID],
) -> None:
    if event.kind in ENDS and ids:
        await connection.execute(_END, {"ids": ids, "reason": ENDS[event.kind]})
    if event.returns_at and ids:
        await connection.execute(_AWAY, {"ids": ids, "returns_at": event.returns_at})
    if event.kind in ENDS:
        answered = {"recipient_id": owner.id, "at": event.occurred_at}
        await connection.execute(_ANSWERED, answered)
    if status := LEAD_STATUS.get(event.kind):
        changed = {"lead_id": owner.lead_id, "status": status}
        email = await connection.scalar(_LEAD_STATUS, changed)
        if event.kind in SUPPRESSES and email:
            key_hash = keyring.suppression_key("email", email)
            suppression = {"key_hash": key_hash, "value": email, "reason": event.kind}
            await connection.execute(_SUPPRESS, suppression)


def _recorded(event: InboundEvent, event_id: UUID, siblings: list[Row[Any]]) -> Recorded:
    running = [row for row in siblings if row.started_at and row.closed_at is None]
    refs = tuple(_ref(event.company_id, row) for row in running)
    if event.kind in ENDS:
        return Recorded(id=event_id, stops=refs, reason=ENDS[event.kind])
    return Recorded(id=event_id, wakes=refs)


def _ref(company_id: UUID, row: Row[Any]) -> RecipientRef:
    return RecipientRef(company_id=company_id, campaign_id=row.campaign_id, recipient_id=row.id)


def _values(event: InboundEvent) -> dict[str, object]:
    return {
        "account_id": event.account_id,
        "recipient_id": event.recipient_id,
        "provider": event.provider,
        "provider_event_id": event.provider_event_id,
        "kind": event.kind,
        "thread_id": event.thread_id,
        "message_ids": list(event.message_ids),
        "address": event.address,
        "subject": event.subject,
        "text": event.text,
        "returns_at": event.returns_at,
        "occurred_at": event.occurred_at or datetime.now(UTC),
    }
