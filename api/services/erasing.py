"""Erases a person: everything that names them goes, and that they never be contacted stays.

Rows first, then whoever still runs is stopped. A step that is under way meets no rows, and ends.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import TextClause, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from api.callers import Caller
from api.conducting import Conducting
from shared.contracts.recipient import RecipientRef
from shared.db.models import LeadRow, RecipientRow
from shared.db.session import Database
from shared.domain.recipient import EndReason
from shared.errors import NotFound
from shared.storage import Storage

UPLOADS = "leads-uploads"

_KEEP_SUPPRESSED = text("""
insert into suppressions (key_hash, kind, reason)
select key_hash, 'erased', 'the person asked to be erased'
from unnest(cast(:keys as bytea[])) key_hash
on conflict (company_id, key_hash) do update set value = null
""")
# In this order. `names`: LIKE patterns of the person's addresses.
_ERASE: tuple[TextClause, ...] = tuple(
    text(statement)
    for statement in (
        "delete from webhook_deliveries where data::text ~~* any(:names)"
        " or event_id in (select id from events where recipient_id = any(:recipients))",
        "delete from events where recipient_id = any(:recipients) or payload::text ~~* any(:names)",
        "delete from inbound_events where recipient_id = any(:recipients)"
        " or address ~~* any(:names) or subject ~~* any(:names) or text ~~* any(:names)",
        "delete from recipients where lead_id = :lead_id",
        "delete from leads where id = :lead_id",
        "delete from refused_rows where array_to_string(cells, ' ') ~~* any(:names)"
        " or reason ~~* any(:names)",
        "update jobs set errors = coalesce((select jsonb_agg(e) from jsonb_array_elements(errors) e"
        " where not e::text ~~* any(:names)), '[]') where errors::text ~~* any(:names)",
        "update jobs set more = more || '{\"samples\": {}}' where more::text ~~* any(:names)",
        # Last, because the statements above are in it too. That it happened, when, and by whom
        # stays; so does that the person was there.
        "update audit_log set before = null, after = null where subject_id = any(:subjects)"
        " or before::text ~~* any(:names) or after::text ~~* any(:names)",
        # Answers are sealed, so nobody can tell which ones show the person.
        "update idempotency_keys set answer = null where company_id = :company_id",
    )
)


class EraseService:
    def __init__(self, *, database: Database, conducting: Conducting, storage: Storage) -> None:
        self._database = database
        self._conducting = conducting
        self._storage = storage

    async def erase(self, caller: Caller, lead_id: UUID) -> None:
        """Raises NotFound, also the second time."""
        company_id = caller.company_id
        async with self._database.company_session(company_id) as session:
            recipients = await _lock_recipients(session, lead_id)
            lead = await session.get(LeadRow, lead_id, with_for_update=True)
            if lead is None:
                raise NotFound(f"Lead {lead_id} is not there")
            running = [r for r in recipients if r.started_at and r.closed_at is None]
            addresses = [it for it in (lead.email, lead.phone, lead.linkedin_url) if it]
            ids = [recipient.id for recipient in recipients]
            await session.execute(_KEEP_SUPPRESSED, {"keys": lead.suppression_keys})
            known = {
                "lead_id": lead_id,
                "company_id": company_id,
                "recipients": ids,
                "subjects": [lead_id, *ids],
                "names": [_pattern(address) for address in addresses],
            }
            for statement in _ERASE:
                await session.execute(statement, known)
        refs = [
            RecipientRef(company_id=company_id, campaign_id=it.campaign_id, recipient_id=it.id)
            for it in running
        ]
        await self._conducting.stop(refs, EndReason.REMOVED)
        await self._forget_uploads(company_id, addresses)

    async def _forget_uploads(self, company_id: UUID, addresses: Sequence[str]) -> None:
        """A file of many people that names this one goes as a whole; its leads are rows by now."""
        searched = [
            address.lower().encode(encoding)
            for address in addresses
            for encoding in ("utf-8", "utf-16-le", "utf-16-be")
        ]
        for key in await self._storage.list(f"{UPLOADS}/{company_id}/"):
            if await self._names_one_of(key, searched):
                await self._storage.delete(key)

    async def _names_one_of(self, key: str, searched: Sequence[bytes]) -> bool:
        longest, rest = max(map(len, searched), default=0), b""
        async for piece in self._storage.open(key):
            window = rest + piece.lower()
            if any(it in window for it in searched):
                return True
            rest = window[-longest:]
        return False


async def _lock_recipients(session: AsyncSession, lead_id: UUID) -> Sequence[RecipientRow]:
    """By id, and before anything else, as everybody locks them."""
    query = select(RecipientRow).where(RecipientRow.lead_id == lead_id).order_by(RecipientRow.id)
    return (await session.scalars(query.with_for_update())).all()


def _pattern(address: str) -> str:
    escaped = address.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
