"""Pauses an account whose mails come back or are complained about, before its name is gone."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.domain.pacing import GUARDED, Health, trouble_of

# Of the account that wrote to this recipient last.
_HEALTH = text("""
select a.id, count(*) as sent,
  count(*) filter (where x.responded_at is not null and r.end_reason = 'bounced') as bounced,
  count(*) filter (where x.responded_at is not null and r.end_reason = 'complaint') as complaints
from accounts a
join actions x on x.account_id = a.id and x.status = 'sent'
  and x.attempted_at > greatest(:since, a.trusted_from_at)
join recipients r on r.id = x.recipient_id
where a.status = 'active' and a.id = (
  select account_id from actions where recipient_id = :recipient_id and status = 'sent'
  order by settled_at desc limit 1)
group by a.id
""")
_PAUSE = text(
    "update accounts set status = 'needs_attention', status_reason = :reason"
    " where id = :id and status = 'active'"
)


async def guard_account(connection: AsyncConnection, recipient_id: UUID, *, at: datetime) -> None:
    """Ask once a bounce or a complaint of this recipient is recorded.

    What its recipients are due is held until a person resumes the account.
    """
    values = {"recipient_id": recipient_id, "since": at - GUARDED}
    row = (await connection.execute(_HEALTH, values)).one_or_none()
    if row is None:
        return
    health = Health(sent=row.sent, bounced=row.bounced, complaints=row.complaints)
    if reason := trouble_of(health):
        await connection.execute(_PAUSE, {"id": row.id, "reason": reason})
