"""/api/campaigns/{campaign_id}: its mails before they leave."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, status

from api.dependencies import Reader, Services, Writer
from api.documentation import problems
from api.schemas.previewing import GapsAnswer, NewSample, PreviewAnswer, SampleAnswer, ToPreview

router = APIRouter(prefix="/api/campaigns/{campaign_id}", tags=["previews"])

StepNumber = Annotated[int, Path(ge=1, le=1_000, description="1 is the first step.")]


@router.post("/preview", responses=problems(404, 409))
async def preview_campaign(
    campaign_id: UUID, body: ToPreview, caller: Reader, services: Services
) -> PreviewAnswer:
    """Every step as one lead would get it, with dates and what has no value."""
    return await services.previews.preview(caller, campaign_id, body.lead_id)


@router.get("/gaps", responses=problems(404))
async def count_campaign_gaps(campaign_id: UUID, caller: Reader, services: Services) -> GapsAnswer:
    """How many leads lack a variable that a step needs. They would wait at that step."""
    return await services.previews.count_gaps(caller, campaign_id)


@router.post(
    "/sequences/{step_number:int}/test-send",
    status_code=status.HTTP_202_ACCEPTED,
    responses=problems(404, 409),
)
async def send_test_mail(
    campaign_id: UUID, step_number: StepNumber, body: NewSample, caller: Writer, services: Services
) -> SampleAnswer:
    """Send a step's mail to somebody else. But for `To` it is the lead's mail, byte for byte.

    So its links are the lead's as well: whoever unsubscribes there unsubscribes the lead.
    """
    row = await services.previews.send_sample(
        caller, campaign_id, step_number, to=body.to, lead_id=body.lead_id
    )
    return SampleAnswer.model_validate(row)


@router.get("/test-mails/{sample_id}", responses=problems(404))
async def get_test_mail(
    campaign_id: UUID, sample_id: UUID, caller: Reader, services: Services
) -> SampleAnswer:
    """What became of a test mail. One that stays `sending` may have left: look for it."""
    return SampleAnswer.model_validate(
        await services.previews.get_sample(caller, campaign_id, sample_id)
    )
