"""What people do by hand, and what their word does to the campaign that waits for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from api.callers import Caller
from api.conducting import Conducting
from api.services.todo_steps import Moved, Report, settle_step
from api.services.versions import must_match
from shared.db.models import CampaignRow, LeadRow, RecipientRow, TodoRow, TodoStatus
from shared.db.models.campaigns import CampaignStatus
from shared.db.repositories.situation_rows import lock_situation
from shared.db.repositories.versions import VersionShelf
from shared.db.session import Database
from shared.domain.branches import StepOutcome
from shared.domain.channels import Channel
from shared.errors import Conflict, Invalid, NotFound

# What a person may tell beside done, skipped and failed.
_OUTCOMES = {
    Channel.LINKEDIN_CONNECTION: frozenset({StepOutcome.CONNECTED}),
    Channel.CALL: frozenset({StepOutcome.ANSWERED, StepOutcome.VOICEMAIL, StepOutcome.NO_ANSWER}),
}
_IS_HELD = (
    select(RecipientRow.id)
    .join(CampaignRow, CampaignRow.id == RecipientRow.campaign_id)
    .where(
        RecipientRow.id == TodoRow.recipient_id,
        or_(RecipientRow.paused_at.is_not(None), CampaignRow.status == CampaignStatus.PAUSED),
    )
    .exists()
)
# Of a step's own words and of its lead nothing is changed here.
_OF_STEPS = frozenset({"title", "text"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TodoFilter:
    """`assignee`: a user, or whoever asks, or those that are nobody's."""

    status: TodoStatus | None = None
    assignee: UUID | Literal["me", "nobody"] | None = None
    is_overdue: bool = False
    campaign_id: UUID | None = None
    lead_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownTodo:
    """`is_held`: its recipient waits, or its whole campaign does."""

    row: TodoRow
    lead: LeadRow | None
    is_held: bool

    @property
    def id(self) -> UUID:
        return self.row.id


class TodoService:
    def __init__(self, *, database: Database, conducting: Conducting) -> None:
        self._database = database
        self._conducting = conducting
        self._shelf = VersionShelf()

    async def list_todos(
        self, caller: Caller, wanted: TodoFilter, *, limit: int, after: UUID | None
    ) -> Sequence[KnownTodo]:
        """The soonest due first, one more than asked for if there are more."""
        query = _narrowed(_todos(), caller, wanted)
        # Those without a date are the last ones of the index as well.
        query = query.order_by(TodoRow.due_at, TodoRow.id).limit(limit + 1)
        async with self._database.company_session(caller.company_id) as session:
            if after is not None:
                last = (await _get(session, after)).row
                query = query.where(_behind(last))
            return [_known(found) for found in await session.execute(query)]

    async def get(self, caller: Caller, todo_id: UUID) -> KnownTodo:
        async with self._database.company_session(caller.company_id) as session:
            return await _get(session, todo_id)

    async def create(self, caller: Caller, fields: Mapping[str, Any]) -> KnownTodo:
        """Raises NotFound for a lead or a member that is not there."""
        todo = TodoRow(id=uuid7(), created_by=caller.user_id, **fields)
        async with self._database.company_session(caller.company_id) as session:
            if todo.lead_id and await session.get(LeadRow, todo.lead_id) is None:
                raise NotFound(f"Lead {todo.lead_id} is not there")
            session.add(todo)
            await _flush(session, todo)
            return await _get(session, todo.id)

    async def change(
        self, caller: Caller, todo_id: UUID, fields: Mapping[str, Any], *, expected: str | None
    ) -> KnownTodo:
        """Raises Conflict for one that is over, and for the words of a step."""
        async with self._database.company_session(caller.company_id) as session:
            todo = (await _get(session, todo_id, is_locked=True)).row
            must_match(todo, expected)
            changed = {name for name, value in fields.items() if getattr(todo, name) != value}
            if changed and todo.status is not TodoStatus.OPEN:
                raise Conflict(f"The to-do is {todo.status}: nothing is left to change")
            if todo.action_id and changed & _OF_STEPS:
                raise Conflict("Its words come from its step: change the campaign's step")
            for name in changed:
                setattr(todo, name, fields[name])
            await _flush(session, todo)
            return await _get(session, todo_id)

    async def settle(self, caller: Caller, todo_id: UUID, report: Report) -> KnownTodo:
        """Take a person's word for it; the campaign goes on. Raises Conflict when it is over.

        The same word again changes nothing, but an outcome that it adds.
        """
        now = datetime.now(UTC)
        async with self._database.company_session(caller.company_id) as session:
            todo = (await _get(session, todo_id)).row
            _must_fit(todo, report)
            moved = await self._settle_step(session, todo, report, now)
            if todo.status is TodoStatus.OPEN:
                todo.status, todo.settled_at = report.status, now
                todo.settled_by = caller.user_id
            todo.note = report.note if report.note is not None else todo.note
            todo.outcome = report.outcome or todo.outcome
            await session.flush()
            known = await _get(session, todo_id)
        if moved is not None:
            await self._conducting.wake([moved.recipient], next=moved.next)
        return known

    async def _settle_step(
        self, session: AsyncSession, todo: TodoRow, report: Report, now: datetime
    ) -> Moved | None:
        """Its recipient is locked first: whatever has ended it has cancelled the to-do as well."""
        situation, connection = None, await session.connection()
        if todo.action_id and todo.recipient_id:
            situation = await lock_situation(
                connection, todo.company_id, todo.recipient_id, self._shelf
            )
        await session.refresh(todo, with_for_update=True)
        _must_agree(todo, report)
        if situation is None:
            return None
        return await settle_step(connection, situation, todo, report, now)


def _todos() -> Select[TodoRow, LeadRow | None, bool]:
    # Outer: not every to-do is about a lead.
    found: Select[TodoRow, LeadRow | None, bool] = select(TodoRow, LeadRow, _IS_HELD)
    return found.outerjoin(LeadRow, LeadRow.id == TodoRow.lead_id)


def _narrowed(
    query: Select[TodoRow, LeadRow | None, bool], caller: Caller, wanted: TodoFilter
) -> Select[TodoRow, LeadRow | None, bool]:
    if wanted.status is not None:
        query = query.where(TodoRow.status == wanted.status)
    if wanted.is_overdue:
        query = query.where(TodoRow.status == TodoStatus.OPEN, TodoRow.due_at < func.now())
    if wanted.assignee == "nobody":
        query = query.where(TodoRow.assignee_id.is_(None))
    elif wanted.assignee is not None:
        assignee_id = caller.person if wanted.assignee == "me" else wanted.assignee
        query = query.where(TodoRow.assignee_id == assignee_id)
    if wanted.campaign_id is not None:
        query = query.where(TodoRow.campaign_id == wanted.campaign_id)
    if wanted.lead_id is not None:
        query = query.where(TodoRow.lead_id == wanted.lead_id)
    return query


def _behind(last: TodoRow) -> ColumnElement[bool]:
    is_next = TodoRow.id > last.id
    if last.due_at is None:
        return TodoRow.due_at.is_(None) & is_next
    same = (TodoRow.due_at == last.due_at) & is_next
    return TodoRow.due_at.is_(None) | (TodoRow.due_at > last.due_at) | same


async def _get(session: AsyncSession, todo_id: UUID, *, is_locked: bool = False) -> KnownTodo:
    query = _todos().where(TodoRow.id == todo_id).execution_options(populate_existing=True)
    if is_locked:
        query = query.with_for_update(of=TodoRow)
    found = (await session.execute(query)).one_or_none()
    if found is None:
        raise NotFound(f"To-do {todo_id} is not there")
    return _known(found)


def _known(found: Row[TodoRow, LeadRow | None, bool]) -> KnownTodo:
    row, lead, is_held = found
    return KnownTodo(row=row, lead=lead, is_held=is_held and row.status is TodoStatus.OPEN)


async def _flush(session: AsyncSession, todo: TodoRow) -> None:
    # Read first: a flush that fails leaves nothing of the row to read.
    assignee = f"{todo.assignee_id} is no member of this company"
    try:
        await session.flush()
    except IntegrityError:
        raise Invalid(f"{assignee}: name a user_id of its members", field="assignee_id") from None


def _must_fit(todo: TodoRow, report: Report) -> None:
    allowed = _OUTCOMES.get(todo.channel, frozenset()) if todo.action_id else frozenset()
    if report.outcome is None or report.outcome in allowed:
        return
    choices = ", ".join(sorted(allowed)) or "leave it out"
    raise Invalid(f"This cannot come of it: {choices}", field="outcome")


def _must_agree(todo: TodoRow, report: Report) -> None:
    if todo.status is TodoStatus.CANCELLED:
        raise Conflict(f"The to-do was cancelled: {todo.reason}")
    if todo.status not in {TodoStatus.OPEN, report.status}:
        raise Conflict(f"The to-do is {todo.status} already")
