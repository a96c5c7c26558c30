"""Erases a person: everything that names them goes, and that they never be contacted stays.

Files first, so that after a crash in between the lead is still there, to be erased again; then all
rows in one transaction; then whoever runs is stopped. A step under way meets no rows, and ends.
"""

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from api.callers import Caller
from api.conducting import Conducting
from api.services.traces import FIELDS, IGNORED, NAMES, Traces, squeezed, traces_of
from shared.contracts.recipient import RecipientRef
from shared.db.models import AuditRow, LeadRow, RecipientRow
from shared.db.session import Database
from shared.domain.recipient import EndReason
from shared.errors import NotFound
from shared.keyring import Keyring
from shared.storage import Storage
from shared.suppression import SuppressionKind, SuppressionReason

UPLOADS = "leads-uploads"

_KINDS = {
    "email": SuppressionKind.EMAIL,
    "phone": SuppressionKind.PHONE,
    "linkedin_url": SuppressionKind.LINKEDIN,
}
_TAKE_TIME = text("set local statement_timeout = '10min'")
# An import that reads the file at this moment would bring the person back.
_END_IMPORTS = text("""
update jobs set status = 'failed', finished_at = now(),
  errors = jsonb_build_array(jsonb_build_object('message',
    'A person in the file was erased, and the file with them: upload it again without them'))
where more ->> 'key' = any(:files) and finished_at is null
""")
_KEEP_SUPPRESSED = text("""
insert into suppressions (key_hash, kind, reason, source)
select key_hash, kind, :reason, 'erasure'
from unnest(cast(:keys as bytea[]), cast(:kinds as text[])) as u (key_hash, kind)
on conflict (company_id, key_hash) do update set value = null
""")
# In this order. `exact`: patterns of the person's addresses. LIKE[...]: also their name, however
# either was spelled.
_ERASE = """
delete from webhook_deliveries where data::text ~* any(:exact) or response_body ~* any(:exact)
  or event_id in (select id from events where recipient_id = any(:recipients));
delete from events where recipient_id = any(:recipients) or payload::text ~* any(:exact);
delete from inbound_events where recipient_id = any(:recipients)
  or address ~* any(:exact) or subject ~* any(:exact) or text ~* any(:exact);
delete from recipients where lead_id = :lead_id;
delete from leads where id = :lead_id;

-- A filter without the name that it asked for would be everybody.
delete from segments
where filter::text ~* any(:exact) or name ~* any(:exact) or description ~* any(:exact);

-- What colleagues have noted for each other.
delete from todos where action_id is null and LIKE[concat_ws(' ', title, text, note)];
update todos set note = null where LIKE[note];

-- Its number stays in the report of the import.
update refused_rows set cells = '{}', reason = 'a person in this row was erased'
where LIKE[array_to_string(cells, '')] or LIKE[reason];

update jobs set errors = coalesce((
  select jsonb_agg(e) from jsonb_array_elements(errors) e where not LIKE[e::text]
), '[]') where LIKE[errors::text];
update jobs set more = more || '{"samples": {}}' where LIKE[(more -> 'samples')::text];
-- A file without headers, whose first person was taken for them.
update jobs set more = more - cast('{headers,mapping,proposed,by_content,by_model}' as text[])
  || '{"wanted": {}}'
where LIKE[(more -> 'headers')::text];
update jobs set more = more || '{"file_name": ""}' where LIKE[more ->> 'file_name'];

-- Last, because the statements above are in it too. That it happened, when, and by whom stays; so
-- does that the person was there.
update audit_log set before = null, after = null where subject_id = any(:subjects)
  or before::text ~* any(:exact) or after::text ~* any(:exact)
  or subject = 'jobs' and LIKE[concat(before, after)];
-- Answers are sealed, so nobody can tell which ones show the person.
update idempotency_keys set answer = null where company_id = :company_id;
"""
_LIKE = re.compile(r"LIKE\[([^\]]+)\]")


def _statements() -> tuple[TextClause, ...]:
    written = _LIKE.sub(r"translate(lower(\1), :ignored, '') like any(:loose)", _ERASE)
    return tuple(text(it) for it in written.split(";\n") if it.strip())


ERASE = _statements()


class EraseService:
    def __init__(
        self, *, database: Database, conducting: Conducting, storage: Storage, keyring: Keyring
    ) -> None:
        self._database = database
        self._conducting = conducting
        self._storage = storage
        self._keyring = keyring

    async def erase(self, caller: Caller, lead_id: UUID) -> None:
        """Raises NotFound, also the second time."""
        company_id = caller.company_id
        async with self._database.company_session(company_id) as session:
            traces = traces_of(*await _states(session, lead_id))
        files = await self._delete_uploads(company_id, traces)
        async with self._database.company_session(company_id) as session:
            await session.execute(_TAKE_TIME)
            await session.execute(_END_IMPORTS, {"files": files})
            recipients = await _lock_recipients(session, lead_id)
            # Again: what was changed meanwhile is known as well.
            states = await _states(session, lead_id, is_locked=True)
            await session.execute(_KEEP_SUPPRESSED, self._own_keys(states))
            await _erase_rows(session, company_id, lead_id, recipients, traces_of(*states))
        refs = [
            RecipientRef(company_id=company_id, campaign_id=it.campaign_id, recipient_id=it.id)
            for it in recipients
            if it.started_at and it.closed_at is None
        ]
        await self._conducting.stop(refs, EndReason.REMOVED)

    def _own_keys(self, states: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """The person's own, of all times; their domain is other people's too."""
        known = {
            (_KINDS[name], state[name]) for state in states for name in FIELDS if state.get(name)
        }
        return {
            "keys": [self._keyring.suppression_key(kind, value) for kind, value in known],
            "kinds": [kind.value for kind, _ in known],
            "reason": SuppressionReason.ERASED.value,
        }

    async def _delete_uploads(self, company_id: UUID, traces: Traces) -> list[str]:
        """A file of many people that names this one goes as a whole; its leads are rows by now."""
        searched = traces.searched()
        keys = await self._storage.list(f"{UPLOADS}/{company_id}/")
        files = [key for key in keys if await self._names_one_of(key, searched)]
        for key in files:
            await self._storage.delete(key)
        return files

    async def _names_one_of(self, key: str, searched: Sequence[bytes]) -> bool:
        longest, rest = max(map(len, searched), default=0), b""
        async for piece in self._storage.open(key):
            window = rest + squeezed(piece)
            if any(it in window for it in searched):
                return True
            rest = window[-longest:]
        return False


async def _states(
    session: AsyncSession, lead_id: UUID, *, is_locked: bool = False
) -> list[dict[str, Any]]:
    """The lead's fields, now and as the log knows them from before. Raises NotFound."""
    lead = await session.get(LeadRow, lead_id, with_for_update=is_locked)
    if lead is None:
        raise NotFound(f"Lead {lead_id} is not there")
    now = {name: getattr(lead, name) for name in (*FIELDS, *NAMES)}
    changes = await session.execute(
        select(AuditRow.before, AuditRow.after).where(AuditRow.subject_id == lead_id)
    )
    before = [{**now, **state} for change in changes for state in change if state]
    return [now, *before]


async def _lock_recipients(session: AsyncSession, lead_id: UUID) -> Sequence[RecipientRow]:
    """By id, and before the lead, as everybody locks them."""
    query = select(RecipientRow).where(RecipientRow.lead_id == lead_id).order_by(RecipientRow.id)
    return (await session.scalars(query.with_for_update())).all()


async def _erase_rows(
    session: AsyncSession,
    company_id: UUID,
    lead_id: UUID,
    recipients: Sequence[RecipientRow],
    traces: Traces,
) -> None:
    ids = [recipient.id for recipient in recipients]
    known = {
        "lead_id": lead_id,
        "company_id": company_id,
        "recipients": ids,
        "subjects": [lead_id, *ids],
        "exact": traces.exact,
        "loose": [f"%{text}%" for text in traces.loose],
        "ignored": IGNORED,
    }
    for statement in ERASE:
        await session.execute(statement, known)
