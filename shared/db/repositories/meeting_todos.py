"""The to-do to agree on a time with a lead who wants to meet, with the booking link to send."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# Not tied to the recipient, whose end would take it out of people's hands. It is for whoever comes
# first of `people` and is a member still; for nobody in particular, if none is.
_ASK = text("""
with person as (
  select m.user_id, k.booking_url from memberships m left join calendars k on k.user_id = m.user_id
  where m.user_id = any (:people)
  order by array_position(cast(:people as uuid[]), m.user_id) limit 1)
insert into todos (id, campaign_id, lead_id, title, text, due_at, assignee_id)
select :id, r.campaign_id, r.lead_id,
  'Agree on a time with ' || coalesce(nullif(l.name, ''),
    nullif(concat_ws(' ', l.first_name, l.last_name), ''), l.email, 'the lead'),
  cast(:words as text) || coalesce(E'\\nBooking link: ' || p.booking_url, ''), :due_at, p.user_id
from recipients r join leads l on l.id = r.lead_id left join person p on true
where r.id = :recipient_id
on conflict (id) do nothing
""")
_WRITER = text("""
select a.user_id from recipients r join campaigns c on c.id = r.campaign_id
join accounts a on a.id = coalesce(r.account_id, c.account_id) where r.id = :recipient_id
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingTodo:
    """`id` is the same however often it is asked for. `people`: whose it is, first of all."""

    id: UUID
    recipient_id: UUID
    words: str
    due_at: datetime
    people: Sequence[UUID]


async def ask_to_agree(connection: AsyncConnection, todo: MeetingTodo) -> None:
    await connection.execute(_ASK, asdict(todo) | {"people": list(todo.people)})


async def writers_of(connection: AsyncConnection, recipient_id: UUID) -> Sequence[UUID]:
    """From whose mailbox the lead is written to."""
    return (await connection.scalars(_WRITER, {"recipient_id": recipient_id})).all()
