"""/api/campaigns: made, read, changed, and brought to run."""

from uuid import UUID

from fastapi import APIRouter, Request, Response, status

from api.dependencies import Reader, Services, Writer
from api.documentation import problems
from api.routes.sequences import step_answer
from api.schemas.campaigns import (
    CampaignAnswer,
    CampaignChange,
    NewCampaign,
    Results,
    WholeCampaignAnswer,
)
from api.schemas.paging import (
    LARGEST_ARRAY,
    ArrayLimit,
    Cursor,
    link_next,
    make_cursor,
    read_cursor,
)
from api.schemas.statistics import CampaignStats
from api.services.campaigns import CountedCampaign, WholeCampaign
from shared.db.models import CampaignRow

router = APIRouter(prefix="/api/campaigns", tags=["campaigns"])


@router.get("")
async def list_campaigns(
    *,
    request: Request,
    response: Response,
    caller: Reader,
    services: Services,
    limit: ArrayLimit = None,
    cursor: Cursor = None,
) -> list[CampaignAnswer]:
    """The company's campaigns with their counts, newest first; a page goes on at `Link`."""
    most = limit or LARGEST_ARRAY
    rows = await services.campaigns.list_campaigns(caller, limit=most, after=read_cursor(cursor))
    if limit and len(rows) > limit:
        link_next(request, response, make_cursor(rows[limit - 1].row.id))
    return [_answer(campaign) for campaign in rows[:most]]


@router.post("", status_code=status.HTTP_201_CREATED)
async def create_campaign(body: NewCampaign, caller: Writer, services: Services) -> CampaignAnswer:
    """Make a campaign. It is a draft until it is activated."""
    return _answer(await services.campaigns.create(caller, body.model_dump(exclude_unset=True)))


@router.get("/{campaign_id}", responses=problems(404))
async def get_campaign(
    campaign_id: UUID, caller: Reader, services: Services
) -> WholeCampaignAnswer:
    """One campaign with its steps, its counts and its results."""
    return _whole_answer(await services.campaigns.get(caller, campaign_id))


@router.put("/{campaign_id}", responses=problems(404))
async def update_campaign(
    campaign_id: UUID, body: CampaignChange, caller: Writer, services: Services
) -> CampaignAnswer:
    """Change the fields that are given; a campaign that was read may be sent back whole."""
    fields = body.model_dump(exclude_unset=True)
    return _answer(await services.campaigns.change(caller, campaign_id, fields))


@router.delete("/{campaign_id}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(404))
async def delete_campaign(campaign_id: UUID, caller: Writer, services: Services) -> None:
    """End everybody inside and hide the campaign, in whatever status it is."""
    await services.campaigns.delete(caller, campaign_id)


@router.post("/{campaign_id}/activate", responses=problems(404, 409))
async def activate_campaign(
    campaign_id: UUID, caller: Writer, services: Services
) -> CampaignAnswer:
    """Start sending, or go on after a pause. A 409 lists in `missing` what is to be done first."""
    return _answer(await services.lifecycle.activate(caller, campaign_id))


@router.post("/{campaign_id}/pause", responses=problems(404, 409))
async def pause_campaign(campaign_id: UUID, caller: Writer, services: Services) -> CampaignAnswer:
    """Nothing is sent from the next moment on."""
    return _answer(await services.lifecycle.pause(caller, campaign_id))


@router.post("/{campaign_id}/resume", responses=problems(404, 409))
async def resume_campaign(campaign_id: UUID, caller: Writer, services: Services) -> CampaignAnswer:
    """Go on where everybody was."""
    return _answer(await services.lifecycle.resume(caller, campaign_id))


@router.post("/{campaign_id}/complete", responses=problems(404, 409))
async def complete_campaign(
    campaign_id: UUID, caller: Writer, services: Services
) -> CampaignAnswer:
    """End the campaign and whoever is still inside, for good."""
    return _answer(await services.lifecycle.complete(caller, campaign_id))


@router.get("/{campaign_id}/stats", responses=problems(404))
async def get_campaign_stats(
    campaign_id: UUID, caller: Reader, services: Services
) -> CampaignStats:
    """Recipients by status, and what each step achieved."""
    return await services.campaigns.count(caller, campaign_id)


def _answer(campaign: CountedCampaign) -> CampaignAnswer:
    return CampaignAnswer(**_fields(campaign.row), stats=campaign.stats)


def _whole_answer(campaign: WholeCampaign) -> WholeCampaignAnswer:
    sent = {name: channel.sent for name, channel in campaign.stats.channels.items()}
    return WholeCampaignAnswer(
        **_fields(campaign.row),
        stats=campaign.stats,
        sequences=[step_answer(step) for step in campaign.steps],
        results=Results(messages_sent=sum(sent.values()), channels_used=sent),
    )


def _fields(row: CampaignRow) -> dict[str, object]:
    fields = CampaignAnswer.model_fields.keys() - {"account_ids", "stats"}
    account_ids = [row.account_id] if row.account_id else []
    return {name: getattr(row, name) for name in fields} | {"account_ids": account_ids}
