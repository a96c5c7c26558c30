"""A to-do in the words that people read."""

from datetime import UTC, datetime

from api.schemas.todos import TodoAnswer, TodoLead
from api.services.todos import KnownTodo
from shared.db.models import LeadRow, TodoStatus

_OWN = TodoAnswer.model_fields.keys() - {"is_overdue", "is_held", "lead"}


def todo_answer(known: KnownTodo) -> TodoAnswer:
    row = known.row
    is_late = row.due_at is not None and row.due_at < datetime.now(UTC)
    return TodoAnswer(
        is_overdue=row.status is TodoStatus.OPEN and is_late,
        is_held=known.is_held,
        lead=_lead(known.lead) if known.lead else None,
        **{name: getattr(row, name) for name in _OWN},
    )


def _lead(lead: LeadRow) -> TodoLead:
    names = filter(None, (lead.first_name, lead.last_name))
    return TodoLead(
        id=lead.id,
        name=lead.name or " ".join(names) or None,
        email=lead.email,
        phone=lead.phone,
        linkedin_url=lead.linkedin_url,
        company_name=lead.company_name,
    )
