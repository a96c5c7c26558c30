"""Texts that people keep, and how a text comes out for a lead."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from api.callers import Caller
from api.schemas.templates import Rendered
from api.services.versions import must_match
from shared.content import MissingVariable, Values, check_template, fill_in, read_template
from shared.db.models import TemplateRow
from shared.db.session import Database
from shared.errors import NotFound
from shared.providers.html_mail import as_text
from shared.templating.variables import facts_of, is_known, missing, values_of

# Whoever writes a text without a lead at hand sees this one's.
EXAMPLE_LEAD: Mapping[str, Any] = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "email": "ada@example.com",
    "phone": "+442079460000",
    "title": "Analyst",
    "role": "analyst",
    "company_name": "Analytical Engines",
    "industry": "Software",
    "city": "London",
    "country": "GB",
    "budget_min": 400_000,
    "budget_max": 650_000,
    "beds": 3,
    "areas": ["Camden", "Hackney", "Islington"],
    "status": "new",
    "custom": {
        "property": {
            "title": "A house with a garden",
            "price_amount": 595_000,
            "city": "London",
            "area": "Camden",
            "beds": 3,
            "baths": 2,
        }
    },
}
_EXAMPLE = {"campaign_name": "Spring", "campaign_type": "email", "product": None}

_ABOUT = text("""
select (select to_jsonb(co) from companies co) as company,
       (select to_jsonb(l) from leads l where l.id = :lead_id) as lead,
       coalesce(a.send_as, a.email) as account_email, a.display_name as account_name,
       a.signature as account_signature
from (select 1) one left join accounts a on a.id =
  (select p.id from accounts p where p.is_primary and p.status <> 'disconnected' limit 1)
""")


class TemplateService:
    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def create(self, caller: Caller, fields: Mapping[str, Any]) -> TemplateRow:
        _check(fields)
        row = TemplateRow(created_by=caller.user_id, **fields)
        async with self._database.company_session(caller.company_id) as session:
            session.add(row)
            await session.flush()
            await session.refresh(row)
        return row

    async def list_templates(
        self, caller: Caller, *, limit: int, after: UUID | None
    ) -> Sequence[TemplateRow]:
        """Newest first, one more than asked for if there are more."""
        query = select(TemplateRow).order_by(TemplateRow.id.desc()).limit(limit + 1)
        if after:
            query = query.where(TemplateRow.id < after)
        async with self._database.company_session(caller.company_id) as session:
            return (await session.scalars(query)).all()

    async def get(self, caller: Caller, template_id: UUID) -> TemplateRow:
        async with self._database.company_session(caller.company_id) as session:
            return await _get(session, template_id)

    async def change(
        self, caller: Caller, template_id: UUID, fields: Mapping[str, Any], *, expected: str | None
    ) -> TemplateRow:
        _check(fields)
        async with self._database.company_session(caller.company_id) as session:
            row = await _get(session, template_id, is_locked=True)
            must_match(row, expected)
            for name, value in fields.items():
                setattr(row, name, value)
            await session.flush()
            await session.refresh(row)
            return row

    async def delete(self, caller: Caller, template_id: UUID) -> None:
        """Steps that began with it keep their text."""
        async with self._database.company_session(caller.company_id) as session:
            await session.delete(await _get(session, template_id, is_locked=True))

    async def render(
        self, caller: Caller, template: str, *, subject: str | None, lead_id: UUID | None
    ) -> Rendered:
        """Raises Invalid, with line and column, and NotFound."""
        async with self._database.company_session(caller.company_id) as session:
            row = (await session.execute(_ABOUT, {"lead_id": lead_id})).one()
        if lead_id and row.lead is None:
            raise NotFound(f"Lead {lead_id} is not there")
        return rendered(template, subject, _values(row._mapping))


def rendered(template: str, subject: str | None, values: Values) -> Rendered:
    body = read_template(template, field="template")
    line = read_template(subject, field="subject", is_line=True) if subject else None
    needs = [*(line.needs if line else ()), *body.needs]
    unknown = {*body.uses, *(line.uses if line else ())}
    answer = Rendered(
        subject=None,
        text=None,
        html=None,
        missing_variables=missing(needs, values),
        unknown_variables=sorted(name for name in unknown if not is_known(name)),
    )
    try:
        answer.subject = fill_in(line, values) if line else None
        filled = fill_in(body, values)
    except MissingVariable as error:
        return answer.model_copy(update={"subject": None, "error": str(error)})
    answer.text = as_text(filled) if body.is_html else filled
    answer.html = filled if body.is_html else None
    return answer


def _values(row: Mapping[Any, Any]) -> Values:
    lead = row["lead"] or EXAMPLE_LEAD
    now = datetime.now(UTC)
    known = _Row({**row, **_EXAMPLE, "lead": lead, "campaign_created_at": now})
    return values_of(facts_of(known), unsubscribe_url="https://example.com/u/example")


class _Row:
    """Columns as attributes, as a row of the database has them."""

    def __init__(self, columns: Mapping[str, Any]) -> None:
        self.__dict__.update(columns)


def _check(fields: Mapping[str, Any]) -> None:
    for field in ("subject", "message_template"):
        if template := fields.get(field):
            check_template(template, field=field)


async def _get(session: AsyncSession, template_id: UUID, *, is_locked: bool = False) -> TemplateRow:
    query = select(TemplateRow).where(TemplateRow.id == template_id)
    row = await session.scalar(query.with_for_update() if is_locked else query)
    if row is None:
        raise NotFound(f"Template {template_id} is not there")
    return row
