"""What makes a campaign run: activate, pause, resume, complete. Each may be repeated."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.callers import Caller
from api.conducting import Conducting
from api.services.campaigns import CountedCampaign, counted, get_campaign, list_steps
from api.services.endings import end_open_recipients
from api.services.gaps import about_campaign, count_gaps, in_words, missing_for_all
from api.services.waking import list_parked
from shared.content import check_template
from shared.contracts.recipient import RecipientRef
from shared.db.models import AccountRow, CampaignRow, StepRow
from shared.db.models.accounts import AccountStatus
from shared.db.models.campaigns import CampaignStatus
from shared.db.repositories.versions import publish_version
from shared.db.session import Database
from shared.domain.recipient import EndReason
from shared.errors import Conflict, Invalid

# Leads whose values are looked at while somebody waits for the answer.
LOOKED_AT = 10_000


class LifecycleService:
    def __init__(self, *, database: Database, conducting: Conducting) -> None:
        self._database = database
        self._conducting = conducting

    async def activate(self, caller: Caller, campaign_id: UUID) -> CountedCampaign:
        """Check everything, publish version 1, and start whoever waits.

        A paused campaign goes on. Raises Conflict with everything that is missing.
        """
        async with self._database.company_session(caller.company_id) as session:
            campaign = await get_campaign(session, campaign_id, is_locked=True)
            match campaign.status:
                case CampaignStatus.COMPLETED:
                    raise Conflict("The campaign is completed: make a new one")
                case CampaignStatus.DRAFT | CampaignStatus.PAUSED:
                    await set_active(session, campaign, caller)
            await session.flush()
            parked = await list_parked(session, caller.company_id, campaign_id=campaign_id)
            steps = await list_steps(session, campaign_id)
            gaps = await count_gaps(session, campaign_id, steps, most=LOOKED_AT)
            answer = replace(
                await counted(session, campaign), warnings=in_words(gaps, most=LOOKED_AT)
            )
        await self._go_on(caller.company_id, campaign_id, parked)
        return answer

    async def pause(self, caller: Caller, campaign_id: UUID) -> CountedCampaign:
        """The row alone: every attempt reads it before it sends."""
        async with self._database.company_session(caller.company_id) as session:
            campaign = await get_campaign(session, campaign_id, is_locked=True)
            _must_not_be(campaign, CampaignStatus.DRAFT, CampaignStatus.COMPLETED, to="pause")
            campaign.status = CampaignStatus.PAUSED
            await session.flush()
            return await counted(session, campaign)

    async def resume(self, caller: Caller, campaign_id: UUID) -> CountedCampaign:
        async with self._database.company_session(caller.company_id) as session:
            campaign = await get_campaign(session, campaign_id, is_locked=True)
            _must_not_be(campaign, CampaignStatus.DRAFT, CampaignStatus.COMPLETED, to="resume")
            campaign.status = CampaignStatus.ACTIVE
            await session.flush()
            parked = await list_parked(session, caller.company_id, campaign_id=campaign_id)
            answer = await counted(session, campaign)
        await self._go_on(caller.company_id, campaign_id, parked)
        return answer

    async def complete(self, caller: Caller, campaign_id: UUID) -> CountedCampaign:
        """End whoever is still inside, for good."""
        async with self._database.company_session(caller.company_id) as session:
            campaign = await get_campaign(session, campaign_id)
            _must_not_be(campaign, CampaignStatus.DRAFT, to="complete")
            # Recipients before their campaign, as whoever finishes the last one locks them.
            running = await end_open_recipients(session, caller.company_id, campaign_id)
            campaign = await get_campaign(session, campaign_id, is_locked=True)
            if campaign.status is not CampaignStatus.COMPLETED:
                campaign.status = CampaignStatus.COMPLETED
                campaign.completed_at = await session.scalar(select(func.clock_timestamp()))
            await session.flush()
            answer = await counted(session, campaign)
        await self._conducting.stop(running, EndReason.CAMPAIGN_ENDED)
        return answer

    async def archive(self, caller: Caller, campaign_id: UUID) -> CountedCampaign:
        """Put it aside. It stays readable, and activating it takes it out again."""
        async with self._database.company_session(caller.company_id) as session:
            campaign = await get_campaign(session, campaign_id, is_locked=True)
            if campaign.status is CampaignStatus.ACTIVE:
                raise Conflict("The campaign is active: pause or complete it first")
            now = await session.scalar(select(func.clock_timestamp()))
            campaign.archived_at = campaign.archived_at or now
            await session.flush()
            return await counted(session, campaign)

    async def _go_on(self, company_id: UUID, campaign_id: UUID, parked: list[RecipientRef]) -> None:
        await self._conducting.launch(company_id, campaign_id)
        await self._conducting.wake(parked)


async def set_active(session: AsyncSession, campaign: CampaignRow, caller: Caller) -> None:
    """A draft is checked and published; a paused campaign goes on. Raises Conflict."""
    if campaign.status is CampaignStatus.DRAFT:
        steps = await list_steps(session, campaign.id)
        accounts = await find_accounts(session, campaign)
        missing = [*missing_in_accounts(accounts), *_missing_in_steps(steps)]
        if not missing:
            missing = missing_for_all(steps, await about_campaign(session, campaign.id))
        if missing:
            raise Conflict("The campaign cannot be activated yet", missing=tuple(missing))
        campaign.account_id = accounts[0].id
        campaign.version_id = await publish_version(session, campaign.id, created_by=caller.user_id)
        campaign.activated_at = await session.scalar(select(func.clock_timestamp()))
    campaign.status, campaign.archived_at = CampaignStatus.ACTIVE, None


async def find_accounts(session: AsyncSession, campaign: CampaignRow) -> Sequence[AccountRow]:
    """The campaign's own, else the primary one, which is then kept."""
    if campaign.account_id:
        ids = campaign.account_ids or [campaign.account_id]
        own = await session.scalars(select(AccountRow).where(AccountRow.id.in_(ids)))
        return sorted(own, key=lambda account: ids.index(account.id))
    connected = AccountRow.status != AccountStatus.DISCONNECTED
    primary_first = AccountRow.is_primary.desc(), AccountRow.id
    found = select(AccountRow).where(connected).order_by(*primary_first).limit(1)
    return (await session.scalars(found)).all()


def missing_in_accounts(accounts: Sequence[AccountRow]) -> list[str]:
    if not accounts:
        return ["No account is connected: connect one with POST /api/accounts/gmail/connect"]
    missing = []
    for account in accounts:
        if account.status is not AccountStatus.ACTIVE:
            reason = account.status_reason or f"it is {account.status}"
            missing.append(f"The account {account.email} cannot send ({reason}): connect it again")
    return missing


def _missing_in_steps(steps: Sequence[StepRow]) -> list[str]:
    if not steps:
        return ["The campaign has no steps: add one with POST /api/campaigns/{id}/sequences"]
    missing = [wrong for step in steps for wrong in _wrong_templates(step)]
    if not steps[0].subject:
        missing.insert(0, "Step 1 has no subject, and there is no thread that it could go into")
    return missing


def _wrong_templates(step: StepRow) -> list[str]:
    wrong = []
    for field in ("subject", "message_template"):
        try:
            check_template(getattr(step, field) or "", field=field)
        except Invalid as error:
            wrong.append(f"Step {step.position}, {field}: {error}")
    return wrong


def _must_not_be(campaign: CampaignRow, *statuses: CampaignStatus, to: str) -> None:
    if campaign.status in statuses:
        raise Conflict(f"A campaign that is {campaign.status} has nothing to {to}")
