"""/api/companies/{company_id}/segments: filters of leads that have a name."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response, status

from api.dependencies import CompanyReader, CompanyWriter, Services
from api.documentation import problems
from api.etags import IfMatch, show_version
from api.schemas.paging import USUAL_PAGE, Cursor, Limit, Page, make_page, read_cursor
from api.schemas.segments import NewSegment, SegmentAnswer, SegmentChange

router = APIRouter(prefix="/api/companies/{company_id}/segments", tags=["segments"])


@router.post("", status_code=status.HTTP_201_CREATED, responses=problems(404, 409))
async def create_segment(
    body: NewSegment, caller: CompanyWriter, services: Services
) -> SegmentAnswer:
    """Keep a filter of leads: `segment_id` then means it in lists and in recipients' filters."""
    segment = await services.segments.create(caller, _kept(body))
    return SegmentAnswer.model_validate(segment)


@router.get("", responses=problems(404))
async def list_segments(
    caller: CompanyReader, services: Services, limit: Limit = USUAL_PAGE, cursor: Cursor = None
) -> Page[SegmentAnswer]:
    """The company's segments, newest first."""
    after = read_cursor(cursor)
    rows = await services.segments.list_segments(caller, limit=limit, after=after)
    return make_page(rows, limit, SegmentAnswer.model_validate)


@router.get("/{segment_id}", responses=problems(404))
async def get_segment(
    segment_id: UUID, caller: CompanyReader, services: Services, response: Response
) -> SegmentAnswer:
    """One segment, with the ETag for changing it."""
    segment = await services.segments.get(caller, segment_id)
    show_version(response, segment)
    return SegmentAnswer.model_validate(segment)


@router.put("/{segment_id}", responses=problems(404, 409, 412))
async def update_segment(
    *,
    segment_id: UUID,
    body: SegmentChange,
    caller: CompanyWriter,
    services: Services,
    response: Response,
    if_match: IfMatch = None,
) -> SegmentAnswer:
    """Change the fields that are given; whoever was added by the old filter stays."""
    segment = await services.segments.change(caller, segment_id, _kept(body), expected=if_match)
    show_version(response, segment)
    return SegmentAnswer.model_validate(segment)


@router.delete("/{segment_id}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(404))
async def delete_segment(segment_id: UUID, caller: CompanyWriter, services: Services) -> None:
    """Forget the filter; leads and recipients stay."""
    await services.segments.delete(caller, segment_id)


def _kept(body: NewSegment | SegmentChange) -> dict[str, Any]:
    """What was given, as JSON keeps it; what a filter leaves open is left out."""
    fields = body.model_dump(exclude_unset=True, exclude={"filter"})
    if body.filter is not None:
        fields["filter"] = body.filter.model_dump(mode="json", exclude_none=True)
    return fields
