"""/api/companies/{company_id}/campaigns: the same campaigns, under their company."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response, status

from api.dependencies import CompanyWriter, Known, Services
from api.documentation import problems
from api.presenting_campaigns import asked_for, campaign_answer, campaign_list
from api.schemas.campaigns import CampaignAnswer, CampaignSelection, NewCompanyCampaign
from api.services.campaigns import FirstStep
from shared.domain.channels import Channel

router = APIRouter(prefix="/api/companies/{company_id}/campaigns", tags=["campaigns"])


@router.get("", response_model=list[CampaignAnswer], responses=problems(404))
async def list_company_campaigns(
    *,
    company_id: UUID,
    request: Request,
    identity: Known,
    services: Services,
    asked: Annotated[CampaignSelection, Query()],
) -> Response:
    """The company's campaigns with their counts, newest first; a page goes on at `Link`."""
    listed = await services.overview.list_campaigns(identity, company_id, asked_for(asked))
    return campaign_list(request, listed)


@router.post("", status_code=status.HTTP_201_CREATED, responses=problems(404, 409))
async def create_company_campaign(
    body: NewCompanyCampaign, caller: CompanyWriter, services: Services
) -> CampaignAnswer:
    """Make a campaign; with a `template` or a `script` its first step is there already."""
    fields = body.model_dump(exclude_unset=True, exclude={"template", "subject", "script"})
    return campaign_answer(await services.campaigns.create(caller, fields, first=_first(body)))


def _first(body: NewCompanyCampaign) -> FirstStep | None:
    if body.script:
        return FirstStep(channel=Channel.CALL, text=body.script, field="script")
    if body.template:
        subject = body.subject or body.name
        return FirstStep(
            channel=Channel.EMAIL, text=body.template, field="template", subject=subject
        )
    return None
