"""The single door for everything that comes back: record it, commit, then say whose it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.conductor import Conductor
from shared.contracts.inbound import InboundEvent
from shared.contracts.recipient import RecipientRef, StopSignal, WakeSignal
from shared.db.repositories.answers import hold_colleagues, note_class
from shared.db.repositories.guards import guard_account
from shared.db.repositories.matching import find_owner, has_recipients
from shared.db.repositories.outcomes import note_event
from shared.db.repositories.suppressions import suppress_lead
from shared.db.session import Database
from shared.domain.inbound import PERSON, Effect, InboundKind, StopRules, effect_of
from shared.domain.pacing import JUDGED
from shared.domain.recipient import EndReason, is_end_replaced
from shared.keyring import Keyring
from shared.providers.reply_class import class_of
from shared.telemetry import INBOUND

_STORE = text("""
insert into inbound_events (account_id, provider, provider_event_id, kind, thread_id, message_ids,
  address, subject, text, returns_at, delivery_status, occurred_at)
values (:account_id, :provider, :provider_event_id, :kind, :thread_id, :message_ids,
  :address, :subject, :text, :returns_at, :delivery_status, :occurred_at)
on conflict (company_id, account_id, provider_event_id) do nothing returning id
""")
_LOCK_LEAD = text("""
select r.id, r.campaign_id, r.started_at, r.end_reason, r.closed_at, c.stop_rules
from recipients r join campaigns c on c.id = r.campaign_id
where r.lead_id = :lead_id order by r.id for update of r
""")
_TIE = text("update inbound_events set recipient_id = :recipient_id where id = :id")
_END = text("""
update recipients set end_reason = :reason, ended_at = clock_timestamp() where id = any (:ids)
""")
_AWAY = text("""
update recipients set away_until = greatest(away_until, :returns_at) where id = any (:ids)
""")
_LEAD_STATUS = text(
    "update leads set status = :status where id = :lead_id returning email, phone, linkedin_url"
)
_ANSWERED = text("""
update actions set responded_at = :at where id = (
  select id from actions where recipient_id = :recipient_id and status in ('sent', 'placed')
    and responded_at is null order by settled_at desc limit 1)
""")
_SOFT_BOUNCES = text("""
select count(*) from recipients r join inbound_events e on e.recipient_id = r.id
where r.lead_id = :lead_id and e.kind = 'soft_bounce'
""")
_WARN = text("update accounts set warning = :warning, warned_at = :at where id = :id")
_SIGNALLED = text("""
update inbound_events set signalled_at = clock_timestamp() where id = :id returning recipient_id
""")
_UNSIGNALLED = text("""
select kind, recipient_id, subject, text from inbound_events
where id = :id and signalled_at is null
""")
_SIBLINGS = text("""
select r.id, r.campaign_id, r.end_reason from recipients r
where r.started_at is not null and r.closed_at is null and r.lead_id = (
  select lead_id from recipients where id = :recipient_id)
""")
_UNMATCHED = text("""
select company_id, account_id, provider, provider_event_id, kind, thread_id, message_ids, address,
  subject, text, returns_at, delivery_status, occurred_at, stored_at
from inbound_events where id = :id and recipient_id is null for update
""")
_TRIED = text("update inbound_events set match_tried_at = clock_timestamp() where id = :id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A stored event and the workflows it concerns. `id` None: it was stored before."""

    id: UUID | None
    stops: tuple[tuple[RecipientRef, EndReason], ...] = ()
    wakes: tuple[RecipientRef, ...] = ()


async def receive_inbound(
    database: Database, keyring: Keyring, conductor: Conductor | None, event: InboundEvent
) -> bool:
    """Store an event once, end what it ends, commit, and only then signal. True: it was new.

    `conductor` None: whom it concerns knows. When a signal fails the event stays unsignalled, and
    the sweep repeats it. What a reply means is found out behind the signal: nothing waits for it.
    """
    async with database.company_transaction(event.company_id) as connection:
        recorded = await record_inbound(connection, keyring, event)
    if recorded.id is None:
        return False
    INBOUND.labels(kind=event.kind).inc()
    if conductor is not None:
        await _signal(conductor, recorded, recorded.id)
    async with database.company_transaction(event.company_id) as connection:
        await _settle(connection, recorded.id, event)
    return True


async def record_inbound(
    connection: AsyncConnection, keyring: Keyring, event: InboundEvent
) -> Recorded:
    """Store the event, find whose it is, and end or postpone what it ends or postpones."""
    owner = await find_owner(connection, event)
    if owner is None and not await _is_kept(connection, event):
        return Recorded(id=None)
    event_id = await connection.scalar(_STORE, _values(event))
    if event_id is None:
        return Recorded(id=None)
    if event.kind is InboundKind.BLOCKED and event.account_id:
        await _warn(connection, event)
    if owner is None:
        return Recorded(id=event_id)
    return await _tie(connection, keyring, event, event_id, owner)


async def match_again(
    database: Database, keyring: Keyring, conductor: Conductor, company_id: UUID, event_id: UUID
) -> bool:
    """Look once more whose an event is that was nobody's when it came. True: it has an owner."""
    async with database.company_transaction(company_id) as connection:
        row = (await connection.execute(_UNMATCHED, {"id": event_id})).one_or_none()
        if row is None:
            return False
        event = _to_event(row)
        owner = await find_owner(connection, event, stored_at=row.stored_at)
        if owner is None:
            await connection.execute(_TRIED, {"id": event_id})
            return False
        recorded = await _tie(connection, keyring, event, event_id, owner)
    await _signal(conductor, recorded, event_id)
    async with database.company_transaction(company_id) as connection:
        await _settle(connection, event_id, event)
    return True


async def repeat_signals(
    database: Database, conductor: Conductor, company_id: UUID, event_id: UUID
) -> bool:
    """Tell the workflows of an event again that may not have been told. True: it was needed."""
    async with database.company_transaction(company_id) as connection:
        event = (await connection.execute(_UNSIGNALLED, {"id": event_id})).one_or_none()
        if event is None:
            return False
        rows = (await connection.execute(_SIBLINGS, {"recipient_id": event.recipient_id})).all()
    ended = tuple(
        (_ref(company_id, row), EndReason(row.end_reason)) for row in rows if row.end_reason
    )
    is_waking = effect_of(InboundKind(event.kind)).wakes
    wakes = tuple(_ref(company_id, row) for row in rows if is_waking and not row.end_reason)
    await _signal(conductor, Recorded(id=event_id, stops=ended, wakes=wakes), event_id)
    async with database.company_transaction(company_id) as connection:
        await _settle(connection, event_id, event)
    return True


async def _signal(conductor: Conductor, recorded: Recorded, event_id: UUID) -> None:
    for recipient, reason in recorded.stops:
        await conductor.stop(recipient, StopSignal(event_id=event_id, reason=reason))
    for recipient in recorded.wakes:
        await conductor.wake(recipient, WakeSignal(event_id=event_id))


async def _settle(
    connection: AsyncConnection, event_id: UUID, event: InboundEvent | Row[Any]
) -> None:
    """Everybody was told. Now there is time for colleagues, and to read what a reply means."""
    recipient_id = await connection.scalar(_SIGNALLED, {"id": event_id})
    if event.kind == InboundKind.REPLY and recipient_id:
        await hold_colleagues(connection, recipient_id)
    if event.kind == InboundKind.REPLY and event.text:
        await note_class(connection, event_id, class_of(event.text, subject=event.subject or ""))


async def _is_kept(connection: AsyncConnection, event: InboundEvent) -> bool:
    """Private mail in a mailbox is not stored. A lead's may be matched a little later."""
    return event.is_kept_unmatched or await has_recipients(connection, event.address)


async def _tie(
    connection: AsyncConnection,
    keyring: Keyring,
    event: InboundEvent,
    event_id: UUID,
    owner: Row[Any],
) -> Recorded:
    await connection.execute(_TIE, {"id": event_id, "recipient_id": owner.id})
    locked = (await connection.execute(_LOCK_LEAD, {"lead_id": owner.lead_id})).all()
    effect = await _effect(connection, event, owner)
    concerned = [row for row in locked if _is_concerned(row, owner.id, effect)]
    # A person who says that it was an answer means that it is over.
    if event.kind is InboundKind.REPLY and event.provider != PERSON:
        rules = {row.id: StopRules(**row.stop_rules) for row in locked}
        concerned = [row for row in concerned if _is_stopped(row, owner.id, rules)]
    await _apply(connection, event, owner, effect, [row.id for row in concerned])
    if effect.ends in JUDGED:
        await guard_account(connection, owner.id, at=event.occurred_at or datetime.now(UTC))
    if effect.lead_status:
        changed = {"lead_id": owner.lead_id, "status": effect.lead_status}
        lead = (await connection.execute(_LEAD_STATUS, changed)).one_or_none()
        if effect.suppresses and lead:
            key_of, source = keyring.suppression_key, event.provider
            await suppress_lead(connection, key_of, lead, reason=event.kind, source=source)
    return _recorded(event, event_id, effect, concerned)


async def _effect(connection: AsyncConnection, event: InboundEvent, owner: Row[Any]) -> Effect:
    if event.kind is not InboundKind.SOFT_BOUNCE:
        return effect_of(event.kind)
    count = await connection.scalar(_SOFT_BOUNCES, {"lead_id": owner.lead_id})
    return effect_of(event.kind, soft_bounces=count or 0)


def _is_concerned(row: Row[Any], owner_id: UUID, effect: Effect) -> bool:
    """An answer in one campaign ends the lead's other open ones; a closed one gets its reason."""
    current = EndReason(row.end_reason) if row.end_reason else None
    if effect.ends:
        is_touched = row.id == owner_id or current is None
        return is_touched and is_end_replaced(current, effect.ends)
    return effect.wakes and current is None


def _is_stopped(row: Row[Any], owner_id: UUID, rules: Mapping[UUID, StopRules]) -> bool:
    answered = rules.get(owner_id, StopRules())
    return answered.ends(None if row.id == owner_id else rules[row.id])


async def _apply(
    connection: AsyncConnection,
    event: InboundEvent,
    owner: Row[Any],
    effect: Effect,
    ids: list[UUID],
) -> None:
    if effect.ends and ids:
        await connection.execute(_END, {"ids": ids, "reason": effect.ends})
    if event.returns_at and ids:
        await connection.execute(_AWAY, {"ids": ids, "returns_at": event.returns_at})
    await note_event(connection, event, owner.id, at=event.occurred_at)
    if effect.ends:
        answered = {"recipient_id": owner.id, "at": event.occurred_at}
        await connection.execute(_ANSWERED, answered)


async def _warn(connection: AsyncConnection, event: InboundEvent) -> None:
    said = f" ({event.delivery_status})" if event.delivery_status else ""
    warning = (
        f"A receiving server refuses mails of this mailbox by its policy{said}: look at its SPF,"
        " DKIM and DMARC records and its reputation"
    )
    values = {"id": event.account_id, "warning": warning, "at": event.occurred_at}
    await connection.execute(_WARN, values)


def _recorded(
    event: InboundEvent, event_id: UUID, effect: Effect, concerned: Sequence[Row[Any]]
) -> Recorded:
    running = [row for row in concerned if row.started_at and row.closed_at is None]
    refs = tuple(_ref(event.company_id, row) for row in running)
    if effect.ends:
        return Recorded(id=event_id, stops=tuple((ref, effect.ends) for ref in refs))
    return Recorded(id=event_id, wakes=refs)


def _ref(company_id: UUID, row: Row[Any]) -> RecipientRef:
    return RecipientRef(company_id=company_id, campaign_id=row.campaign_id, recipient_id=row.id)


def _values(event: InboundEvent) -> dict[str, object]:
    return {
        "account_id": event.account_id,
        "provider": event.provider,
        "provider_event_id": event.provider_event_id,
        "kind": event.kind,
        "thread_id": event.thread_id,
        "message_ids": list(event.message_ids),
        "address": event.address,
        "subject": event.subject,
        "text": event.text,
        "returns_at": event.returns_at,
        "delivery_status": event.delivery_status,
        "occurred_at": event.occurred_at or datetime.now(UTC),
    }


def _to_event(row: Row[Any]) -> InboundEvent:
    fields = row._asdict()
    del fields["stored_at"]
    kind, message_ids = InboundKind(fields.pop("kind")), tuple(fields.pop("message_ids"))
    return InboundEvent(**fields, kind=kind, message_ids=message_ids)
