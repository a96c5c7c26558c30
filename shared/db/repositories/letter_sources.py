"""What a letter to one lead is made of, also before the lead is in the campaign."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from shared.db.models import StepRow
from shared.db.models.recipients import ActionStatus
from shared.db.repositories.places import PLACE_COLUMNS
from shared.db.repositories.situations import MAIL_ACTIVITIES
from shared.errors import NotFound

# The same names as in `situations`, so that both are read alike.
_SOURCE = text(f"""
select {PLACE_COLUMNS}, c.id as campaign_id, c.company_id, c.name as campaign_name,
       c.type as campaign_type, c.created_at as campaign_created_at, c.status as campaign_status,
       c.track_opens, c.track_clicks,
       l.id as lead_id, l.email as lead_email, to_jsonb(l) as lead,
       (select to_jsonb(co) from companies co) as company,
       (select jsonb_build_object('name', p.product_name, 'description', p.description)
        from products p where p.id = c.product_id) as product,
       r.id as recipient_id, r.started_at, r.ended_at, a.id as account_id,
       a.user_id as account_user_id, a.kind as account_kind, a.status as account_status,
       coalesce(a.send_as, a.email) as account_email, a.display_name as account_name,
       a.signature as account_signature
from campaigns c
join leads l on l.id = :lead_id
left join recipients r on r.campaign_id = c.id and r.lead_id = l.id
left join accounts a on a.id = coalesce(r.account_id, c.account_id,
  (select p.id from accounts p where p.is_primary and p.status <> 'disconnected' limit 1))
where c.id = :campaign_id and c.deleted_at is null
""")  # noqa: S608 - made of our own words
_DONE = text("""
select id, step_id, account_id, activity, status, round, thread_id, provider_id, message_id,
  settled_at
from actions where recipient_id = :recipient_id
order by coalesce(settled_at, attempted_at), id
""")
# Whoever waits in the campaign comes first, then anybody; with an address, if somebody has one.
_LEAD_TO_SHOW = text("""
(select r.lead_id from recipients r join leads l on l.id = r.lead_id
 where r.campaign_id = :campaign_id and l.email is not null order by r.id limit 1)
union all
(select r.lead_id from recipients r where r.campaign_id = :campaign_id order by r.id limit 1)
union all
(select l.id from leads l where l.email is not null order by l.id limit 1)
union all
(select l.id from leads l order by l.id limit 1)
limit 1
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterSource:
    """`row` has the columns above; `done` the lead's actions, oldest first."""

    row: Row[Any]
    done: Sequence[Row[Any]]

    @property
    def recipient_id(self) -> UUID:
        """Of a lead who is not in the campaign: the same one whenever it is asked."""
        known: UUID | None = self.row.recipient_id
        return known or uuid5(self.row.campaign_id, str(self.row.lead_id))

    def round_of(self, step_id: UUID) -> int:
        return next((action.round for action in self.done if action.step_id == step_id), 1)

    def find_thread(self, step: StepRow) -> Row[Any] | None:
        """The last mail sent, when the step goes on in its thread."""
        sent = [
            one
            for one in self.done
            if one.status == ActionStatus.SENT and one.activity in MAIL_ACTIVITIES
        ]
        if step.subject or not sent:
            return None
        last = sent[-1]
        return last if last.thread_id and last.account_id == self.row.account_id else None


async def find_letter_source(
    connection: AsyncConnection | AsyncSession, campaign_id: UUID, lead_id: UUID
) -> LetterSource:
    """Raises NotFound."""
    named = {"campaign_id": campaign_id, "lead_id": lead_id}
    row = (await connection.execute(_SOURCE, named)).one_or_none()
    if row is None:
        raise NotFound(f"Lead {lead_id} is not there")
    done = await connection.execute(_DONE, {"recipient_id": row.recipient_id})
    return LetterSource(row=row, done=done.all())


async def find_lead_to_show(session: AsyncSession, campaign_id: UUID) -> UUID | None:
    """Somebody to write to when nobody is named."""
    found: UUID | None = await session.scalar(_LEAD_TO_SHOW, {"campaign_id": campaign_id})
    return found
