"""/api/companies/{company_id}/leads: the people to reach."""

from collections.abc import AsyncIterator
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, File, Query, Response, UploadFile, status

from api.dependencies import CompanyReader, CompanyWriter, Services
from api.documentation import problems
from api.etags import IfMatch, show_version
from api.schemas.leads import LeadAnswer, LeadFields, LeadFilter, NewLead
from api.schemas.paging import Cursor, Limit, Page, make_cursor, make_page, read_cursor
from api.schemas.tasks import StartedTask, TimelineEntry
from api.services.imports import must_be_text, read_mapping

router = APIRouter(prefix="/api/companies/{company_id}/leads", tags=["leads"])

PIECE_BYTES = 256 * 1024
# Of the marks at the beginning of files that are no CSV.
LONGEST_MARK = 8


@router.post("", status_code=status.HTTP_201_CREATED, responses=problems(404, 409))
async def create_lead(body: NewLead, caller: CompanyWriter, services: Services) -> LeadAnswer:
    """Add a person. An email address that a lead has already is a 409 that names the lead."""
    lead = await services.leads.create(caller, body.model_dump(exclude_unset=True))
    return LeadAnswer.model_validate(lead)


@router.get("", responses=problems(404))
async def list_leads(
    asked: Annotated[LeadFilter, Query()], caller: CompanyReader, services: Services
) -> Page[LeadAnswer]:
    """The company's leads, newest first."""
    rows = await services.leads.list_leads(caller, asked)
    return make_page(rows, asked.limit, LeadAnswer.model_validate)


@router.post("/upload", status_code=status.HTTP_202_ACCEPTED, responses=problems(404, 415))
async def upload_leads(
    *,
    file: Annotated[UploadFile, File(description="CSV in any encoding, with any delimiter.")],
    caller: CompanyWriter,
    services: Services,
    mapping: Annotated[
        str | None, Query(max_length=5_000, description="JSON: header to field, `custom`, or null.")
    ] = None,
    apply: Annotated[
        bool, Query(description="false: propose a mapping and wait for it to be confirmed.")
    ] = True,
    unmapped: Annotated[
        Literal["custom", "ignore"], Query(description="What becomes of columns nobody knows.")
    ] = "custom",
) -> StartedTask:
    """Take in a file of leads, in the background.

    A row is known by its email address, else its LinkedIn profile, else its phone number. A lead
    that has it already is changed: a later value wins unless it is empty, lists are united,
    status and consent stay. A row with a cell that cannot be read is refused as a whole, with its
    number and the reason, and can be downloaded from the task.
    """
    wanted = read_mapping(mapping)
    must_be_text(await file.read(LONGEST_MARK))
    await file.seek(0)
    task_id = await services.imports.upload(
        caller,
        file.filename or "",
        _pieces(file),
        mapping=wanted,
        is_applied=apply,
        keeps_unmapped=unmapped == "custom",
    )
    return StartedTask(task_id=task_id)


async def _pieces(file: UploadFile) -> AsyncIterator[bytes]:
    while piece := await file.read(PIECE_BYTES):
        yield piece


@router.get("/{lead_id:uuid}", responses=problems(404))
async def get_lead(
    lead_id: UUID, caller: CompanyReader, services: Services, response: Response
) -> LeadAnswer:
    """One person."""
    lead = await services.leads.get(caller, lead_id)
    show_version(response, lead)
    return LeadAnswer.model_validate(lead)


@router.put("/{lead_id:uuid}", responses=problems(404, 409, 412))
async def update_lead(
    *,
    lead_id: UUID,
    body: LeadFields,
    caller: CompanyWriter,
    services: Services,
    response: Response,
    if_match: IfMatch = None,
) -> LeadAnswer:
    """Change the fields that are given."""
    fields = body.model_dump(exclude_unset=True)
    lead = await services.leads.change(caller, lead_id, fields, expected=if_match)
    show_version(response, lead)
    return LeadAnswer.model_validate(lead)


@router.delete(
    "/{lead_id:uuid}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(404, 409)
)
async def delete_lead(lead_id: UUID, caller: CompanyWriter, services: Services) -> None:
    """Remove a person whom no campaign has taken in."""
    await services.leads.delete(caller, lead_id)


@router.get("/{lead_id:uuid}/timeline", responses=problems(404))
async def get_timeline(
    *,
    lead_id: UUID,
    caller: CompanyReader,
    services: Services,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[TimelineEntry]:
    """Everything that was done for this person and came back, in every campaign, newest first."""
    after = read_cursor(cursor)
    offset = min(after.int, 10**9) if after else 0
    rows = await services.timeline.of_lead(caller, lead_id, limit=limit, offset=offset)
    entries = [TimelineEntry.model_validate(row, from_attributes=True) for row in rows[:limit]]
    # Its rows are of two kinds, so the place in the list is the cursor.
    following = make_cursor(UUID(int=offset + limit)) if len(rows) > limit else None
    return Page(items=entries, next_cursor=following)
