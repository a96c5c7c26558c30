"""/api/todos: what people do by hand, for a campaign or for themselves."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response, status

from api.dependencies import Answerer, Reader, Services
from api.documentation import problems
from api.etags import IfMatch, show_version
from api.presenting_todos import todo_answer
from api.schemas.paging import USUAL_PAGE, Cursor, Limit, Page, make_page, read_cursor
from api.schemas.todos import NewTodo, TodoAnswer, TodoChange, TodoDone, TodoNote
from api.services.todo_steps import Report
from api.services.todos import TodoFilter
from shared.db.models import TodoStatus

router = APIRouter(prefix="/api/todos", tags=["todos"])

_ASSIGNEE = "A member's user_id, `me`, or `nobody`: those that anybody may take."


@router.get("")
async def list_todos(
    *,
    caller: Reader,
    services: Services,
    status: Annotated[TodoStatus | None, Query(description="Only these.")] = None,
    assignee: Annotated[UUID | Literal["me", "nobody"] | None, Query(description=_ASSIGNEE)] = None,
    overdue: Annotated[bool, Query(description="Only open ones whose date is past.")] = False,
    campaign_id: UUID | None = None,
    lead_id: UUID | None = None,
    limit: Limit = USUAL_PAGE,
    cursor: Cursor = None,
) -> Page[TodoAnswer]:
    """The company's to-dos, the soonest due first; those without a date come last."""
    wanted = TodoFilter(
        status=status,
        assignee=assignee,
        is_overdue=overdue,
        campaign_id=campaign_id,
        lead_id=lead_id,
    )
    rows = await services.todos.list_todos(caller, wanted, limit=limit, after=read_cursor(cursor))
    return make_page(rows, limit, todo_answer)


@router.post("", status_code=status.HTTP_201_CREATED, responses=problems(404))
async def create_todo(body: NewTodo, caller: Answerer, services: Services) -> TodoAnswer:
    """Note something to do, for oneself or for a colleague; no campaign waits for it."""
    return todo_answer(await services.todos.create(caller, body.model_dump()))


@router.get("/{todo_id}", responses=problems(404))
async def get_todo(
    todo_id: UUID, caller: Reader, services: Services, response: Response
) -> TodoAnswer:
    """One to-do, with the ETag for changing it."""
    todo = await services.todos.get(caller, todo_id)
    show_version(response, todo.row)
    return todo_answer(todo)


@router.put("/{todo_id}", responses=problems(404, 409, 412))
async def update_todo(
    *,
    todo_id: UUID,
    body: TodoChange,
    caller: Answerer,
    services: Services,
    response: Response,
    if_match: IfMatch = None,
) -> TodoAnswer:
    """Give it to somebody else, or another date. A step's title and text stay as they are."""
    fields = body.model_dump(exclude_unset=True)
    todo = await services.todos.change(caller, todo_id, fields, expected=if_match)
    show_version(response, todo.row)
    return todo_answer(todo)


@router.post("/{todo_id}/done", responses=problems(404, 409))
async def finish_todo(
    todo_id: UUID, caller: Answerer, services: Services, body: TodoDone | None = None
) -> TodoAnswer:
    """It was done: its step counts as sent, and the campaign goes on.

    Repeated it changes nothing, but an `outcome` that is told later is added.
    """
    said = body or TodoDone()
    report = Report(status=TodoStatus.DONE, note=said.note, outcome=said.outcome)
    return todo_answer(await services.todos.settle(caller, todo_id, report))


@router.post("/{todo_id}/skip", responses=problems(404, 409))
async def skip_todo(
    todo_id: UUID, caller: Answerer, services: Services, body: TodoNote | None = None
) -> TodoAnswer:
    """It will not be done: its step is skipped, and the steps behind it come as planned."""
    report = Report(status=TodoStatus.SKIPPED, note=body.note if body else None)
    return todo_answer(await services.todos.settle(caller, todo_id, report))


@router.post("/{todo_id}/fail", responses=problems(404, 409))
async def fail_todo(
    todo_id: UUID, caller: Answerer, services: Services, body: TodoNote | None = None
) -> TodoAnswer:
    """It could not be done, and the note says why: its step has failed, with that outcome.

    The lead stays in the campaign, where another channel may reach them: to end it remove the
    recipient, or suppress the lead.
    """
    report = Report(status=TodoStatus.FAILED, note=body.note if body else None)
    return todo_answer(await services.todos.settle(caller, todo_id, report))
