"""/api/campaigns: made, read, changed, and brought to run."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response, status

from api.dependencies import Known, Reader, Services, Writer
from api.documentation import problems
from api.etags import IfMatch, show_version
from api.presenting import executed_answer
from api.presenting_campaigns import (
    activated_answer,
    asked_for,
    campaign_answer,
    campaign_fields,
    campaign_list,
)
from api.routes.sequences import step_answer
from api.schemas.campaigns import (
    ActivatedAnswer,
    CampaignAnswer,
    CampaignChange,
    CampaignSelection,
    ExecutedAnswer,
    NewCampaign,
    NewRun,
    Results,
    RunAnswer,
    WholeCampaignAnswer,
)
from api.schemas.statistics import CampaignStats
from api.services.campaigns import WholeCampaign

router = APIRouter(prefix="/api/campaigns", tags=["campaigns"])


@router.get("", response_model=list[CampaignAnswer])
async def list_campaigns(
    *,
    request: Request,
    identity: Known,
    services: Services,
    asked: Annotated[CampaignSelection, Query()],
) -> Response:
    """The company's campaigns with their counts, newest first; a page goes on at `Link`."""
    listed = await services.overview.list_campaigns(identity, None, asked_for(asked))
    return campaign_list(request, listed)


@router.post("", status_code=status.HTTP_201_CREATED)
async def create_campaign(body: NewCampaign, caller: Writer, services: Services) -> CampaignAnswer:
    """Make a campaign. It is a draft until it is activated."""
    return campaign_answer(
        await services.campaigns.create(caller, body.model_dump(exclude_unset=True))
    )


@router.get("/{campaign_id}", responses=problems(404))
async def get_campaign(
    campaign_id: UUID, caller: Reader, services: Services, response: Response
) -> WholeCampaignAnswer:
    """One campaign with its steps, its counts and its results."""
    campaign = await services.campaigns.get(caller, campaign_id)
    show_version(response, campaign.row)
    return _whole_answer(campaign)


@router.put("/{campaign_id}", responses=problems(404, 412))
async def update_campaign(
    *,
    campaign_id: UUID,
    body: CampaignChange,
    caller: Writer,
    services: Services,
    response: Response,
    if_match: IfMatch = None,
) -> CampaignAnswer:
    """Change the fields that are given; a campaign that was read may be sent back whole."""
    fields = body.model_dump(exclude_unset=True)
    campaign = await services.campaigns.change(caller, campaign_id, fields, expected=if_match)
    show_version(response, campaign.row)
    return campaign_answer(campaign)


@router.delete("/{campaign_id}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(404))
async def delete_campaign(campaign_id: UUID, caller: Writer, services: Services) -> None:
    """End everybody inside and hide the campaign, in whatever status it is."""
    await services.campaigns.delete(caller, campaign_id)


@router.post("/{campaign_id}/activate", responses=problems(404, 409))
async def activate_campaign(
    campaign_id: UUID, caller: Writer, services: Services
) -> ActivatedAnswer:
    """Start sending, or go on after a pause. A 409 lists in `missing` what is to be done first."""
    return activated_answer(await services.lifecycle.activate(caller, campaign_id))


@router.post("/{campaign_id}/pause", responses=problems(404, 409))
async def pause_campaign(campaign_id: UUID, caller: Writer, services: Services) -> CampaignAnswer:
    """Nothing is sent from the next moment on."""
    return campaign_answer(await services.lifecycle.pause(caller, campaign_id))


@router.post("/{campaign_id}/resume", responses=problems(404, 409))
async def resume_campaign(campaign_id: UUID, caller: Writer, services: Services) -> CampaignAnswer:
    """Go on where everybody was."""
    return campaign_answer(await services.lifecycle.resume(caller, campaign_id))


@router.post("/{campaign_id}/complete", responses=problems(404, 409))
async def complete_campaign(
    campaign_id: UUID, caller: Writer, services: Services
) -> CampaignAnswer:
    """End the campaign and whoever is still inside, for good."""
    return campaign_answer(await services.lifecycle.complete(caller, campaign_id))


@router.post("/{campaign_id}/archive", responses=problems(404, 409))
async def archive_campaign(campaign_id: UUID, caller: Writer, services: Services) -> CampaignAnswer:
    """Put it aside: `archived_at` is set. One that is active is a 409."""
    return campaign_answer(await services.lifecycle.archive(caller, campaign_id))


@router.post(
    "/{campaign_id}/run", status_code=status.HTTP_202_ACCEPTED, responses=problems(404, 409)
)
async def run_campaign(
    campaign_id: UUID, caller: Writer, services: Services, body: NewRun | None = None
) -> RunAnswer:
    """Enrol every lead that has the first step's address, or `lead_ids`, and activate.

    The task tells who was enrolled and who was refused; the sending shows in the stats.
    """
    lead_ids = body.lead_ids if body else None
    return RunAnswer(task_id=await services.running.run(caller, campaign_id, lead_ids))


@router.post("/{campaign_id}/execute-next", responses=problems(404, 409))
async def execute_next_steps(
    *,
    campaign_id: UUID,
    caller: Writer,
    services: Services,
    limit: Annotated[int, Query(ge=1, le=200, description="Recipients at the most.")] = 50,
    wait: Annotated[
        float, Query(ge=0, le=20, description="Seconds to wait for what becomes of them.")
    ] = 5,
) -> ExecutedAnswer:
    """Do each recipient's next step now: without its wait, but within stops and limits."""
    steps = await services.steering.execute_next(
        caller, campaign_id, limit=limit, wait_seconds=wait
    )
    return ExecutedAnswer(executed=[executed_answer(step) for step in steps])


@router.post("/{campaign_id}/recount", responses=problems(404))
async def recount_campaign(campaign_id: UUID, caller: Writer, services: Services) -> CampaignStats:
    """Count the recipients and actions again, should the statistics ever be in doubt."""
    return await services.campaigns.recount(caller, campaign_id)


@router.get("/{campaign_id}/stats", responses=problems(404))
async def get_campaign_stats(
    campaign_id: UUID, caller: Reader, services: Services
) -> CampaignStats:
    """Recipients by status, and what each step achieved."""
    return await services.campaigns.count(caller, campaign_id)


def _whole_answer(campaign: WholeCampaign) -> WholeCampaignAnswer:
    sent = {name: channel.sent for name, channel in campaign.stats.channels.items()}
    return WholeCampaignAnswer(
        **campaign_fields(campaign.row),
        stats=campaign.stats,
        sequences=[step_answer(step) for step in campaign.steps],
        results=Results(messages_sent=sum(sent.values()), channels_used=sent),
    )
