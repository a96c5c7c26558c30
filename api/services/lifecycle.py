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
from api.services.gaps import about_campaign, missing_for_all
from api.services.linting import (
    errors_of,
    find_problems,
    problems_around,
    template_problems,
    warnings_of,
)
from api.services.step_rows import tree_of
from shared.contracts.operations import WakingOrder
from shared.db.models import AccountRow, CampaignRow, StepRow
from shared.db.models.accounts import AccountStatus
from shared.db.models.campaigns import CampaignStatus, CampaignType
from shared.db.repositories.versions import publish_version
from shared.db.repositories.wakings import ask_waking
from shared.db.session import Database
from shared.domain.channels import MAIL_KINDS, Channel
from shared.domain.linting import find_structure_problems
from shared.errors import Conflict


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
            waking = await ask_waking(session, campaign_id=campaign_id, parked=True)
            steps = await list_steps(session, campaign_id)
            found = warnings_of(await find_problems(session, campaign, steps))
            answer = replace(await counted(session, campaign), warnings=found)
        await self._go_on(caller.company_id, campaign_id, waking)
        return answer

    async def pause(self, caller: Caller, campaign_id: UUID) -> CountedCampaign:
        """The row alone: every attempt reads it before it sends."""
        async with self._database.company_session(caller.company_id) as session:
            campaign = await get_campaign(session, campaign_id, is_locked=True)
            _must_not_be(campaign, CampaignStatus.DRAFT, CampaignStatus.COMPLETED, to="pause")
            if campaign.status is CampaignStatus.ACTIVE:
                campaign.status = CampaignStatus.PAUSED
                campaign.paused_at = await session.scalar(select(func.clock_timestamp()))
            await session.flush()
            return await counted(session, campaign)

    async def resume(self, caller: Caller, campaign_id: UUID) -> CountedCampaign:
        async with self._database.company_session(caller.company_id) as session:
            campaign = await get_campaign(session, campaign_id, is_locked=True)
            _must_not_be(campaign, CampaignStatus.DRAFT, CampaignStatus.COMPLETED, to="resume")
            await set_active(session, campaign, caller)
            await session.flush()
            waking = await ask_waking(session, campaign_id=campaign_id, parked=True)
            answer = await counted(session, campaign)
        await self._go_on(caller.company_id, campaign_id, waking)
        return answer

    async def complete(self, caller: Caller, campaign_id: UUID) -> CountedCampaign:
        """End whoever is still inside, for good."""
        async with self._database.company_session(caller.company_id) as session:
            campaign = await get_campaign(session, campaign_id)
            _must_not_be(campaign, CampaignStatus.DRAFT, to="complete")
            # Recipients before their campaign, as whoever finishes the last one locks them.
            ending = await end_open_recipients(session, caller.company_id, campaign_id)
            campaign = await get_campaign(session, campaign_id, is_locked=True)
            if campaign.status is not CampaignStatus.COMPLETED:
                campaign.status = CampaignStatus.COMPLETED
                campaign.completed_at = await session.scalar(select(func.clock_timestamp()))
            await session.flush()
            waking = await ending.ask(session, campaign_id)
            answer = await counted(session, campaign)
        await ending.tell(self._conducting, waking)
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

    async def _go_on(self, company_id: UUID, campaign_id: UUID, waking: WakingOrder) -> None:
        await self._conducting.launch(company_id, campaign_id)
        await self._conducting.wake_many(waking)


async def set_active(session: AsyncSession, campaign: CampaignRow, caller: Caller) -> None:
    """A draft is checked and published; a paused campaign goes on. Raises Conflict."""
    if campaign.status is CampaignStatus.DRAFT:
        steps = await list_steps(session, campaign.id)
        accounts = await find_accounts(session, campaign)
        missing = missing_in_accounts(accounts) if is_mailed(campaign, steps) else []
        missing += missing_in_steps(steps)
        if not missing:
            missing = missing_for_all(steps, await about_campaign(session, campaign.id))
            missing += await missing_around(session, campaign, steps)
        if missing:
            raise Conflict("The campaign cannot be activated yet", missing=tuple(missing))
        campaign.account_id = accounts[0].id if accounts else None
        campaign.version_id = await publish_version(session, campaign.id, created_by=caller.user_id)
        campaign.activated_at = await session.scalar(select(func.clock_timestamp()))
    elif campaign.status is CampaignStatus.PAUSED:
        campaign.resumed_at = await session.scalar(select(func.clock_timestamp()))
    campaign.status, campaign.archived_at = CampaignStatus.ACTIVE, None


async def find_accounts(session: AsyncSession, campaign: CampaignRow) -> Sequence[AccountRow]:
    """Those that send its mail: the campaign's own, else the primary one, which is then kept."""
    sends = AccountRow.kind.in_(MAIL_KINDS)
    if campaign.account_id:
        ids = campaign.account_ids or [campaign.account_id]
        own = await session.scalars(select(AccountRow).where(AccountRow.id.in_(ids), sends))
        return sorted(own, key=lambda account: ids.index(account.id))
    connected = sends & (AccountRow.status != AccountStatus.DISCONNECTED)
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


def missing_in_steps(steps: Sequence[StepRow]) -> list[str]:
    if not steps:
        return ["The campaign has no steps: add one with POST /api/campaigns/{id}/sequences"]
    nodes = tree_of(steps)
    return errors_of([*find_structure_problems(nodes), *template_problems(nodes)])


async def missing_around(
    session: AsyncSession, campaign: CampaignRow, steps: Sequence[StepRow]
) -> list[str]:
    """What its accounts, its window and its settings lack for these steps."""
    nodes = tree_of(steps)
    return errors_of(await problems_around(session, campaign, nodes, with_mail=False))


def is_mailed(campaign: CampaignRow, steps: Sequence[StepRow]) -> bool:
    """Whether an account has to send mail; without steps the campaign's type says so."""
    if not steps:
        return campaign.type in (CampaignType.EMAIL, CampaignType.MULTI)
    return any(it.channel is Channel.EMAIL and not it.options.get("by_hand") for it in steps)


def _must_not_be(campaign: CampaignRow, *statuses: CampaignStatus, to: str) -> None:
    if campaign.status in statuses:
        raise Conflict(f"A campaign that is {campaign.status} has nothing to {to}")
