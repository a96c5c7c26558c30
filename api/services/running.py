"""The one-shot run: everybody who can be reached, now."""

from collections.abc import Sequence
from uuid import UUID

from api.callers import Caller
from api.conducting import Conducting
from api.schemas.leads import LeadSelection
from api.services.campaigns import get_campaign, list_steps
from api.services.enlisting import enrol_job, finish_job, start_job
from api.services.lifecycle import find_accounts, is_mailed, missing_in_accounts, set_active
from shared.db.models import JobKind
from shared.db.models.campaigns import CampaignStatus
from shared.db.repositories.wakings import ask_waking
from shared.db.session import Database
from shared.errors import Conflict


class RunService:
    def __init__(self, *, database: Database, conducting: Conducting) -> None:
        self._database = database
        self._conducting = conducting

    async def run(self, caller: Caller, campaign_id: UUID, lead_ids: Sequence[UUID] | None) -> UUID:
        """Check, enrol and activate, all or nothing; returns the task with the result.

        Raises Conflict without an account that can send, and without content.
        """
        async with self._database.company_session(caller.company_id) as session:
            campaign = await get_campaign(session, campaign_id, is_locked=True)
            if campaign.status is CampaignStatus.COMPLETED:
                raise Conflict("The campaign is completed: make a new one")
            steps = await list_steps(session, campaign_id)
            accounts = await find_accounts(session, campaign)
            missing = missing_in_accounts(accounts) if is_mailed(campaign, steps) else []
            if missing:
                raise Conflict("No credentials to send with", missing=tuple(missing))
            if not steps:
                raise Conflict(
                    "no content: add a step with POST /api/campaigns/{id}/sequences first"
                )
            # Who runs it in one go wants to see what comes of it, unless they have said otherwise.
            if campaign.track_opens is None:
                campaign.track_opens = True
            job = await start_job(session, JobKind.RUN, by=caller.user_id)
            wanted = LeadSelection() if lead_ids is None else lead_ids
            enrolled = await enrol_job(session, campaign, wanted, job)
            finish_job(job, campaign_id, enrolled)
            await set_active(session, campaign, caller)
            waking = await ask_waking(session, campaign_id=campaign_id, parked=True)
        await self._conducting.launch(caller.company_id, campaign_id)
        await self._conducting.wake_many(waking)
        return job.id
