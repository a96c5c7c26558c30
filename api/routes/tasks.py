"""/api/tasks: background work that somebody waits for."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from api.dependencies import Reader, Services, Writer
from api.documentation import problems
from api.presenting_tasks import task_answer
from api.schemas.paging import LARGEST_ARRAY, ArrayLimit, Cursor, cut_array, read_cursor
from api.schemas.tasks import ConfirmedMapping, TaskAnswer
from shared.db.models import JobKind

router = APIRouter(prefix="/api/tasks", tags=["tasks"])

_CSV: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "number, reason, and the cells of each refused row.",
        "content": {
            "text/csv": {
                "schema": {"type": "string"},
                "example": "number,reason,Email\r\n7,Email is no such address,ada@\r\n",
            }
        },
    }
}


@router.get("")
async def list_tasks(
    *,
    request: Request,
    response: Response,
    caller: Reader,
    services: Services,
    kind: Annotated[JobKind | None, Query(description="Only these.")] = None,
    limit: ArrayLimit = None,
    cursor: Cursor = None,
) -> list[TaskAnswer]:
    """The company's tasks, newest first; a page goes on at `Link`."""
    most = limit or LARGEST_ARRAY
    rows = await services.tasks.list_tasks(caller, kind=kind, limit=most, after=read_cursor(cursor))
    return [task_answer(row) for row in cut_array(rows, limit, request, response)]


@router.get("/{task_id}", responses=problems(404))
async def get_task(task_id: UUID, caller: Reader, services: Services) -> TaskAnswer:
    """How far it is."""
    return task_answer(await services.tasks.get(caller, task_id))


@router.post("/{task_id}/cancel", responses=problems(404, 409))
async def cancel_task(task_id: UUID, caller: Writer, services: Services) -> TaskAnswer:
    """Stop it; what it has done stays."""
    return task_answer(await services.tasks.cancel(caller, task_id))


@router.post("/{task_id}/mapping", responses=problems(404, 409))
async def confirm_mapping(
    task_id: UUID, body: ConfirmedMapping, caller: Writer, services: Services
) -> TaskAnswer:
    """Take in a file that was uploaded with `apply=false`, with the mapping that you see."""
    return task_answer(await services.imports.confirm(caller, task_id, body.mapping))


@router.get("/{task_id}/refused", responses={**_CSV, **problems(404)})
async def get_refused_rows(task_id: UUID, caller: Reader, services: Services) -> StreamingResponse:
    """Every refused row of an import as CSV: mend it and upload it again."""
    rows = await services.imports.refused(caller, task_id)
    headers = {"Content-Disposition": f'attachment; filename="refused-{task_id}.csv"'}
    return StreamingResponse(rows, media_type="text/csv", headers=headers)
