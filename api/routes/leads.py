"""/api/companies/{company_id}/leads: the people to reach."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, status

from api.dependencies import CompanyReader, CompanyWriter, Services
from api.documentation import problems
from api.schemas.leads import LeadAnswer, LeadFields, LeadFilter, NewLead
from api.schemas.paging import Page, cut_page

router = APIRouter(prefix="/api/companies/{company_id}/leads", tags=["leads"])


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
    page, next_cursor = cut_page(rows, asked.limit)
    return Page(items=[LeadAnswer.model_validate(r) for r in page], next_cursor=next_cursor)


@router.get("/{lead_id}", responses=problems(404))
async def get_lead(lead_id: UUID, caller: CompanyReader, services: Services) -> LeadAnswer:
    """One person."""
    return LeadAnswer.model_validate(await services.leads.get(caller, lead_id))


@router.put("/{lead_id}", responses=problems(404, 409))
async def update_lead(
    lead_id: UUID, body: LeadFields, caller: CompanyWriter, services: Services
) -> LeadAnswer:
    """Change the fields that are given."""
    lead = await services.leads.change(caller, lead_id, body.model_dump(exclude_unset=True))
    return LeadAnswer.model_validate(lead)


@router.delete("/{lead_id}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(404, 409))
async def delete_lead(lead_id: UUID, caller: CompanyWriter, services: Services) -> None:
    """Remove a person whom no campaign has taken in."""
    await services.leads.delete(caller, lead_id)
