"""Campaigns in the words of the contract."""

from typing import Any

from fastapi import Request, Response

from api.schemas.campaigns import ActivatedAnswer, CampaignAnswer, CampaignSelection
from api.schemas.paging import LARGEST_ARRAY, link_next, make_cursor, read_cursor
from api.services.campaigns import CountedCampaign
from api.services.overview import Asked, Listed
from shared.db.models import CampaignRow

_FIELDS = CampaignAnswer.model_fields.keys() - {"account_ids", "stats"}


def campaign_answer(campaign: CountedCampaign) -> CampaignAnswer:
    return CampaignAnswer(**campaign_fields(campaign.row), stats=campaign.stats)


def activated_answer(campaign: CountedCampaign) -> ActivatedAnswer:
    fields = campaign_fields(campaign.row)
    return ActivatedAnswer(**fields, stats=campaign.stats, warnings=list(campaign.warnings))


def campaign_fields(row: CampaignRow) -> dict[str, Any]:
    account_ids = row.account_ids or ([row.account_id] if row.account_id else [])
    return {name: getattr(row, name) for name in _FIELDS} | {"account_ids": account_ids}


def asked_for(selection: CampaignSelection) -> Asked:
    return Asked(
        limit=selection.limit or LARGEST_ARRAY,
        after=read_cursor(selection.cursor),
        status=selection.status,
        type=selection.type,
    )


def campaign_list(request: Request, listed: Listed) -> Response:
    """The JSON as Postgres has written it."""
    response = Response(listed.body, media_type="application/json")
    if listed.last_id:
        link_next(request, response, make_cursor(listed.last_id))
    return response
