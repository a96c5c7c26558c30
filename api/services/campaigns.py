"""Campaigns: made, read, changed, deleted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.callers import Caller
from api.conducting import Conducting
from api.schemas.statistics import CampaignCounts, CampaignStats
from api.services.endings import end_open_recipients
from api.services.pacing import OF_CAMPAIGNS
from api.services.products import must_be_offered
from api.services.statistics import count_campaign, count_recipients
from api.services.versions import must_match
from api.services.waking import list_waiting
from shared.content import check_template
from shared.db.models import AccountRow, CampaignRow, StepRow
from shared.db.models.campaigns import CampaignStatus, Channel
from shared.db.repositories.counters import recount_campaign
from shared.db.session import Database
from shared.domain.recipient import EndReason
from shared.errors import Invalid, NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedCampaign:
    row: CampaignRow
    stats: CampaignCounts
    warnings: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeCampaign:
    row: CampaignRow
    stats: CampaignStats
    steps: Sequence[StepRow]


class CampaignService:
    def __init__(self, *, database: Database, conducting: Conducting) -> None:
        self._database = database
        self._conducting = conducting

    async def create(
        self,
        caller: Caller,
        fields: Mapping[str, Any],
        *,
        first_mail: tuple[str, str] | None = None,
    ) -> CountedCampaign:
        """`first_mail`: subject and text of a first step without a delay."""
        if first_mail:
            for field, template in zip(("subject", "template"), first_mail, strict=True):
                check_template(template, field=field)
        async with self._database.company_session(caller.company_id) as session:
            campaign = CampaignRow(created_by=caller.user_id)
            await _change(session, campaign, fields)
            session.add(campaign)
            await session.flush()
            if first_mail:
                subject, text = first_mail
                step = StepRow(campaign_id=campaign.id, position=1, channel=Channel.EMAIL)
                step.subject, step.message_template = subject, text
                session.add(step)
            return CountedCampaign(row=campaign, stats=CampaignCounts())

    async def get(self, caller: Caller, campaign_id: UUID) -> WholeCampaign:
        async with self._database.company_session(caller.company_id) as session:
            campaign = await get_campaign(session, campaign_id)
            return WholeCampaign(
                row=campaign,
                stats=await count_campaign(session, campaign_id),
                steps=await list_steps(session, campaign_id),
            )

    async def change(
        self, caller: Caller, campaign_id: UUID, fields: Mapping[str, Any], *, expected: str | None
    ) -> CountedCampaign:
        async with self._database.company_session(caller.company_id) as session:
            campaign = await get_campaign(session, campaign_id, is_locked=True)
            must_match(campaign, expected)
            await _change(session, campaign, fields)
            await session.flush()
            answer = await counted(session, campaign)
            waiting = []
            if OF_CAMPAIGNS & fields.keys() and campaign.status is CampaignStatus.ACTIVE:
                company_id = caller.company_id
                waiting = await list_waiting(session, company_id, campaign_id=campaign_id)
        await self._conducting.wake(waiting)
        return answer

    async def delete(self, caller: Caller, campaign_id: UUID) -> None:
        """End everybody inside, then hide the campaign. Works in every status."""
        async with self._database.company_session(caller.company_id) as session:
            await get_campaign(session, campaign_id)
            # Recipients before their campaign, as whoever finishes the last one locks them.
            running = await end_open_recipients(session, caller.company_id, campaign_id)
            campaign = await get_campaign(session, campaign_id, is_locked=True)
            campaign.deleted_at = await session.scalar(select(func.clock_timestamp()))
        await self._conducting.stop(running, EndReason.CAMPAIGN_ENDED)

    async def count(self, caller: Caller, campaign_id: UUID) -> CampaignStats:
        async with self._database.company_session(caller.company_id) as session:
            await get_campaign(session, campaign_id)
            return await count_campaign(session, campaign_id)

    async def recount(self, caller: Caller, campaign_id: UUID) -> CampaignStats:
        async with self._database.company_session(caller.company_id) as session:
            await get_campaign(session, campaign_id)
            await recount_campaign(session, campaign_id)
            return await count_campaign(session, campaign_id)


async def get_campaign(
    session: AsyncSession, campaign_id: UUID, *, is_locked: bool = False
) -> CampaignRow:
    """Raises NotFound, also for one that was deleted."""
    query = select(CampaignRow).where(
        CampaignRow.id == campaign_id, CampaignRow.deleted_at.is_(None)
    )
    if is_locked:
        # Waited for by other edits, not by new recipients, whose foreign key only shares the key.
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    campaign = await session.scalar(query)
    if campaign is None:
        raise NotFound(f"Campaign {campaign_id} is not there")
    return campaign


async def list_steps(session: AsyncSession, campaign_id: UUID) -> Sequence[StepRow]:
    """As they are in the database now: numbers change by statements of their own."""
    found = select(StepRow).where(StepRow.campaign_id == campaign_id).order_by(StepRow.position)
    return (await session.scalars(found.execution_options(populate_existing=True))).all()


async def counted(session: AsyncSession, campaign: CampaignRow) -> CountedCampaign:
    """The campaign as it is in the database now, with its counts."""
    await session.refresh(campaign)
    return CountedCampaign(row=campaign, stats=await count_recipients(session, campaign.id))


async def _change(session: AsyncSession, campaign: CampaignRow, fields: Mapping[str, Any]) -> None:
    values = dict(fields)
    if "account_ids" in values:
        chosen = values.pop("account_ids") or []
        await _must_be_there(session, chosen)
        campaign.account_ids = chosen
        campaign.account_id = chosen[0] if chosen else None
    values |= {"limits": values["limits"] or {}} if "limits" in values else {}
    product_id = values.get("product_id", campaign.product_id)
    if product_id != campaign.product_id:
        await must_be_offered(session, product_id)
    for name, value in values.items():
        setattr(campaign, name, value)


async def _must_be_there(session: AsyncSession, account_ids: Sequence[UUID]) -> None:
    known = set(await session.scalars(select(AccountRow.id).where(AccountRow.id.in_(account_ids))))
    for place, account_id in enumerate(account_ids):
        if account_id not in known:
            raise Invalid(f"Account {account_id} is not there", field=f"account_ids.{place}")
