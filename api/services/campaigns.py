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
from shared.content import check_template
from shared.db.models import AccountRow, CampaignRow, StepRow
from shared.db.models.campaigns import CampaignStatus
from shared.db.repositories.counters import recount_campaign
from shared.db.repositories.wakings import ask_waking
from shared.db.session import Database
from shared.domain.channels import MAIL_KINDS, Channel
from shared.errors import Conflict, Invalid, NotFound

# Also in a paused one somebody may wait for an instant that is not right any more.
RUNNING = frozenset({CampaignStatus.ACTIVE, CampaignStatus.PAUSED})


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


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstStep:
    """`field`: where its text came from."""

    channel: Channel
    text: str
    field: str
    subject: str | None = None


class CampaignService:
    def __init__(self, *, database: Database, conducting: Conducting) -> None:
        self._database = database
        self._conducting = conducting

    async def create(
        self, caller: Caller, fields: Mapping[str, Any], *, first: FirstStep | None = None
    ) -> CountedCampaign:
        """`first`: a first step without a delay."""
        if first:
            check_template(first.text, field=first.field)
            if first.subject:
                check_template(first.subject, field="subject")
        async with self._database.company_session(caller.company_id) as session:
            campaign = CampaignRow(created_by=caller.user_id)
            await change_campaign(session, campaign, fields)
            session.add(campaign)
            await session.flush()
            if first:
                step = StepRow(campaign_id=campaign.id, position=1, channel=first.channel)
                step.subject, step.message_template = first.subject, first.text
                step.key = f"{first.channel}-1"
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
            await change_campaign(session, campaign, fields)
            await session.flush()
            answer = await counted(session, campaign)
            waking = None
            if OF_CAMPAIGNS & fields.keys() and campaign.status in RUNNING:
                waking = await ask_waking(session, campaign_id=campaign_id, waiting=True)
        await self._conducting.wake_many(waking)
        return answer

    async def delete(self, caller: Caller, campaign_id: UUID) -> None:
        """End everybody inside, then hide the campaign. Works in every status."""
        async with self._database.company_session(caller.company_id) as session:
            await get_campaign(session, campaign_id)
            # Recipients before their campaign, as whoever finishes the last one locks them.
            ending = await end_open_recipients(session, caller.company_id, campaign_id)
            campaign = await get_campaign(session, campaign_id, is_locked=True)
            campaign.deleted_at = await session.scalar(select(func.clock_timestamp()))
            waking = await ending.ask(session, campaign_id)
        await ending.tell(self._conducting, waking)

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


async def change_campaign(
    session: AsyncSession, campaign: CampaignRow, fields: Mapping[str, Any]
) -> None:
    values = dict(fields)
    if "account_ids" in values:
        chosen = values.pop("account_ids") or []
        senders = await _senders_of(session, chosen)
        campaign.account_ids = chosen
        campaign.account_id = senders[0] if senders else None
    values |= {name: values[name] or {} for name in ("limits", "stop_rules") if name in values}
    if values.get("dry_run", campaign.dry_run) != campaign.dry_run and campaign.activated_at:
        raise Conflict("Some have begun: make a new campaign to go from a dry run to a real one")
    product_id = values.get("product_id", campaign.product_id)
    if product_id != campaign.product_id:
        await must_be_offered(session, product_id)
    for name, value in values.items():
        setattr(campaign, name, value)


async def _senders_of(session: AsyncSession, account_ids: Sequence[UUID]) -> list[UUID]:
    """Those that send mail, in their order. Raises Invalid for one that is not there."""
    found = select(AccountRow.id, AccountRow.kind).where(AccountRow.id.in_(account_ids))
    known = {row.id: row.kind for row in await session.execute(found)}
    for place, account_id in enumerate(account_ids):
        if account_id not in known:
            raise Invalid(f"Account {account_id} is not there", field=f"account_ids.{place}")
    return [account_id for account_id in account_ids if known[account_id] in MAIL_KINDS]
