"""/api/companies/{company_id}/audit: who has written what."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.dependencies import CompanyAdmin, Services
from api.documentation import problems
from api.schemas.audit import AuditAnswer
from api.schemas.paging import USUAL_PAGE, Cursor, Limit, Page, make_page, read_cursor

router = APIRouter(prefix="/api/companies/{company_id}/audit", tags=["companies"])

Subject = Annotated[str, Query(pattern="^[a-z_]{1,60}$", description="A table's name.")]


@router.get("", responses=problems(404))
async def list_audit(
    *,
    caller: CompanyAdmin,
    services: Services,
    subject: Subject | None = None,
    subject_id: UUID | None = None,
    limit: Limit = USUAL_PAGE,
    cursor: Cursor = None,
) -> Page[AuditAnswer]:
    """What people and API keys have written, newest first. Kept in the write's transaction."""
    rows = await services.audit.list_changes(
        caller, subject=subject, subject_id=subject_id, limit=limit, after=read_cursor(cursor)
    )
    return make_page(rows, limit, AuditAnswer.model_validate)
