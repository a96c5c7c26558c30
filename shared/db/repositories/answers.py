"""What a reply means, on its event and in its lead's status."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.repositories.meeting_todos import MeetingTodo, ask_to_agree, writers_of
from shared.domain.inbound import STATUS_OF_CLASS, ClassSource, ReplyClass
from shared.domain.mail_domains import company_domain
from shared.domain.meeting_words import asks_to_meet

DUE = timedelta(days=1)

_NOTE = text("""
update inbound_events e set reply_class = :reply_class, class_source = :source,
  class_asked_at = case when :source = 'model' then clock_timestamp() end
from (select id, reply_class from inbound_events where id = :id for update) old
where e.id = old.id and (e.class_source is distinct from 'model' or :source = 'model')
returning old.reply_class as before, e.recipient_id, e.text
""")
_SHOW = text("update recipients set reply_class = :reply_class where id = :recipient_id")
# A status that a person has set meanwhile stays.
_LEAD_STATUS = text("""
update leads set status = :status
where id = (select lead_id from recipients where id = :recipient_id) and status = :before
  and status <> :status
""")

_REPLIER = text("""
select l.email from recipients r join leads l on l.id = r.lead_id
join campaigns c on c.id = r.campaign_id
where r.id = :recipient_id and coalesce((c.stop_rules ->> 'colleagues')::boolean, (
  select (settings ->> 'reply_holds_colleagues')::boolean from companies), false)
""")
_HOLD = text("""
update recipients r set paused_at = clock_timestamp() from leads l
where l.id = r.lead_id and r.ended_at is null and r.paused_at is null
  and split_part(l.email, '@', 2) = :domain
""")


async def hold_colleagues(connection: AsyncConnection, recipient_id: UUID) -> None:
    """Where the campaign, or else the company, wants it: everybody at the domain waits until a
    person lets them go on.
    """
    email = await connection.scalar(_REPLIER, {"recipient_id": recipient_id})
    if domain := company_domain(email):
        await connection.execute(_HOLD, {"domain": domain})


async def note_class(
    connection: AsyncConnection,
    event_id: UUID,
    reply_class: ReplyClass | None,
    *,
    source: ClassSource = ClassSource.RULES,
) -> None:
    """None: it says none of these. A model's word is not replaced by a rule's."""
    noted = {"id": event_id, "reply_class": reply_class, "source": source}
    row = (await connection.execute(_NOTE, noted)).one_or_none()
    if row is None or row.recipient_id is None:
        return
    shown = {"recipient_id": row.recipient_id, "reply_class": reply_class}
    await connection.execute(_SHOW, shown)
    changed = {
        "recipient_id": row.recipient_id,
        "before": _status(row.before),
        "status": _status(reply_class),
    }
    await connection.execute(_LEAD_STATUS, changed)
    if reply_class is ReplyClass.INTERESTED and asks_to_meet(row.text or ""):
        todo = MeetingTodo(
            id=uuid5(event_id, "to-do"),
            recipient_id=row.recipient_id,
            words="They ask to meet: answer their reply with a time, or with the booking link.",
            due_at=datetime.now(UTC).replace(microsecond=0) + DUE,
            people=await writers_of(connection, row.recipient_id),
        )
        await ask_to_agree(connection, todo)


def _status(reply_class: str | None) -> str:
    return STATUS_OF_CLASS[ReplyClass(reply_class)] if reply_class else "replied"
