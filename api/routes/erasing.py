"""/api/companies/{company_id}/leads/{lead_id}/erase: data protection."""

from uuid import UUID

from fastapi import APIRouter, status

from api.dependencies import CompanyWriter, Services
from api.documentation import problems

router = APIRouter(prefix="/api/companies/{company_id}/leads/{lead_id}", tags=["leads"])


@router.post("/erase", status_code=status.HTTP_204_NO_CONTENT, responses=problems(404))
async def erase_lead(lead_id: UUID, caller: CompanyWriter, services: Services) -> None:
    """Remove everything that names this person, in every campaign, log and uploaded file.

    Keyed hashes of the addresses stay, so that the person is not contacted again by any later
    upload. It cannot be undone.
    """
    await services.erasing.erase(caller, lead_id)
