"""/api/suppressions: who must never be contacted."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, File, Query, Response, UploadFile, status
from fastapi.responses import StreamingResponse

from api.dependencies import Answerer, Reader, Services, Writer
from api.documentation import problems
from api.schemas.paging import Page, cut_page, read_cursor
from api.schemas.suppressions import (
    AddedSuppression,
    ImportedSuppressions,
    NewSuppression,
    RefusedEntry,
    SuppressionAnswer,
    SuppressionSelection,
)
from api.services.suppressions import Asked

router = APIRouter(prefix="/api/suppressions", tags=["suppressions"])

_CSV: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "kind, value, reason, source and created_at of each.",
        "content": {
            "text/csv": {
                "schema": {"type": "string"},
                "example": "kind,value,reason,source,created_at\r\ndomain,example.com,manual,...",
            }
        },
    }
}


@router.get("", responses=problems(422))
async def list_suppressions(
    selection: Annotated[SuppressionSelection, Query()], caller: Reader, services: Services
) -> Page[SuppressionAnswer]:
    """Newest first."""
    asked = Asked(
        limit=selection.limit,
        after=read_cursor(selection.cursor),
        kind=selection.kind,
        reason=selection.reason,
        value=selection.value,
    )
    rows = await services.suppressions.list(caller, asked)
    page, next_cursor = cut_page(rows, selection.limit)
    items = [SuppressionAnswer.model_validate(row) for row in page]
    return Page(items=items, next_cursor=next_cursor)


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    responses={200: {"description": "It was suppressed before.", "model": AddedSuppression}},
)
async def add_suppression(
    body: NewSuppression, response: Response, caller: Answerer, services: Services
) -> AddedSuppression:
    """Never contact this again, in no campaign; whoever is waiting to be reached there is ended."""
    added = await services.suppressions.add(
        caller, body.kind, body.value, reason=body.reason, is_value_kept=body.is_value_kept
    )
    if not added.is_new:
        response.status_code = status.HTTP_200_OK
    answer = SuppressionAnswer.model_validate(added.row)
    return AddedSuppression(**answer.model_dump(), is_new=added.is_new, ended=added.ended)


@router.post("/import", responses=problems(413))
async def import_suppressions(
    file: Annotated[
        UploadFile,
        File(description="CSV with a column `email`, or `kind` and `value`, or a bare list."),
    ],
    caller: Writer,
    services: Services,
) -> ImportedSuppressions:
    """Take in up to 50,000 at once; what cannot be read is listed with its row and the reason."""
    done = await services.suppressions.take_in(caller, await file.read())
    return ImportedSuppressions(
        added=done.added,
        already=done.already,
        ended=done.ended,
        refused_count=done.refused_count,
        refused=[RefusedEntry.model_validate(it) for it in done.refused],
    )


@router.get("/export", responses={**_CSV, **problems(403)})
async def export_suppressions(caller: Writer, services: Services) -> StreamingResponse:
    """All of them as CSV, which can be imported again."""
    headers = {"Content-Disposition": 'attachment; filename="suppressions.csv"'}
    pieces = services.suppressions.export(caller)
    return StreamingResponse(pieces, media_type="text/csv", headers=headers)


@router.delete("/{suppression_id}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(404))
async def remove_suppression(suppression_id: UUID, caller: Writer, services: Services) -> None:
    """It may be contacted again from now on; recipients that were ended stay so."""
    await services.suppressions.remove(caller, suppression_id)
