"""Whose something is that came back: the surest way first."""

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, DateTime, Row, Text, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.inbound import InboundEvent

# Named, in the thread, answering a mail of ours, from the lead's address within a campaign. Of
# several: who wrote it, the mail it answers most directly, what left from this mailbox, the newest.
_MATCH = text("""
select id, lead_id from (
  select r.id, r.lead_id, 1 as way, 0 as rank, r.created_at as at
  from recipients r where r.id = :recipient_id
  union all
  select r.id, r.lead_id, 2, case when l.email = :address then 0 else 1 end, x.attempted_at
  from actions x join recipients r on r.id = x.recipient_id join leads l on l.id = r.lead_id
  where x.thread_id = :thread_id and x.account_id is not distinct from
    coalesce(:account_id, x.account_id)
  union all
  select r.id, r.lead_id, 2, 0, x.attempted_at
  from actions x join recipients r on r.id = x.recipient_id
  where x.provider_id = :thread_id and x.activity = 'bland.call'
  union all
  select r.id, r.lead_id, 3, array_position(:message_ids, x.message_id), x.attempted_at
  from actions x join recipients r on r.id = x.recipient_id
  where x.message_id = any (:message_ids)
  union all
  select r.id, r.lead_id, 4, case when x.account_id = :account_id then 0 else 1 end,
    x.attempted_at
  from leads l join recipients r on r.lead_id = l.id join actions x on x.recipient_id = r.id
  where l.email = :address and x.status in ('sent', 'reserved', 'unconfirmed', 'placed')
    and x.attempted_at <= coalesce(:stored_at, x.attempted_at)
) found order by way, rank, at desc limit 1
""").bindparams(
    bindparam("message_ids", type_=ARRAY(Text)),
    bindparam("stored_at", type_=DateTime(timezone=True)),
)
_HAS_RECIPIENTS = text("""
select exists (select from leads l join recipients r on r.lead_id = l.id where l.email = :address)
""")


async def find_owner(
    connection: AsyncConnection, event: InboundEvent, *, stored_at: datetime | None = None
) -> Row[Any] | None:
    """The recipient's `id` and `lead_id`. What was stored before a mail left does not answer it."""
    asked = {
        "recipient_id": event.recipient_id,
        "account_id": event.account_id,
        "thread_id": event.thread_id,
        "message_ids": list(event.message_ids),
        "address": event.address,
        "stored_at": stored_at,
    }
    return (await connection.execute(_MATCH, asked)).one_or_none()


async def has_recipients(connection: AsyncConnection, address: str | None) -> bool:
    """Whether a lead with this address is in a campaign."""
    if address is None:
        return False
    return bool(await connection.scalar(_HAS_RECIPIENTS, {"address": address}))
