"""The leads inside a campaign."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Select, delete, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.callers import Caller
from api.conducting import Conducting
from api.services.campaigns import get_campaign
from api.services.enlisting import Wanted, enrol_wanted
from api.services.enrolling import Enrolled
from api.services.outlook import explain_situation
from api.services.statuses import IS_LISTED, has_status
from shared.contracts.recipient import RecipientRef
from shared.db.models import ActionRow, ActionStatus, LeadRow, RecipientRow
from shared.db.models.campaigns import CampaignStatus
from shared.db.repositories.situation_rows import find_situation
from shared.db.repositories.versions import VersionShelf
from shared.db.session import Database
from shared.domain.explanation import Explanation
from shared.domain.recipient import EndReason, HoldReason, Parked, RecipientStatus, Step
from shared.errors import Conflict, NotFound

# What may have reached the lead: such an action is never forgotten.
MAY_BE_SENT = (ActionStatus.RESERVED, ActionStatus.SENT, ActionStatus.UNCONFIRMED)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRecipient:
    row: RecipientRow
    lead: LeadRow
    campaign_status: CampaignStatus

    @property
    def id(self) -> UUID:
        return self.row.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    enrolled: Enrolled
    recipients: Sequence[KnownRecipient]
    task_id: UUID | None


class RecipientService:
    def __init__(self, *, database: Database, conducting: Conducting) -> None:
        self._database = database
        self._conducting = conducting
        self._shelf = VersionShelf()

    async def add(self, caller: Caller, campaign_id: UUID, wanted: Wanted) -> Added:
        """Rows first; after the commit a few are started here, many by the launcher."""
        company_id = caller.company_id
        async with self._database.company_session(company_id) as session:
            # Locked, so that it does not complete at this moment for want of recipients.
            campaign = await get_campaign(session, campaign_id, is_locked=True)
            if campaign.status is CampaignStatus.COMPLETED:
                raise Conflict("The campaign is completed: add the leads to another one")
            enrolled, task_id = await enrol_wanted(session, campaign, wanted, by=caller.user_id)
        if campaign.status is CampaignStatus.ACTIVE:
            await self._conducting.start_new(company_id, campaign_id, added=enrolled.added)
        async with self._database.company_session(company_id) as session:
            query = select(RecipientRow).where(RecipientRow.id.in_(enrolled.ids))
            query = query.order_by(RecipientRow.id)
            known = await _with_leads(session, query, campaign.status)
        return Added(enrolled=enrolled, recipients=known, task_id=task_id)

    async def list_recipients(
        self,
        caller: Caller,
        campaign_id: UUID,
        *,
        status: RecipientStatus | None,
        limit: int,
        after: UUID | None,
    ) -> Sequence[KnownRecipient]:
        """In the order of adding, one more than asked for if there are more."""
        query = select(RecipientRow).where(RecipientRow.campaign_id == campaign_id, IS_LISTED)
        if status:
            query = query.where(has_status(status))
        if after:
            query = query.where(RecipientRow.id > after)
        query = query.order_by(RecipientRow.id).limit(limit + 1)
        async with self._database.company_session(caller.company_id) as session:
            campaign = await get_campaign(session, campaign_id)
            return await _with_leads(session, query, campaign.status)

    async def get(self, caller: Caller, campaign_id: UUID, recipient_id: UUID) -> KnownRecipient:
        async with self._database.company_session(caller.company_id) as session:
            campaign = await get_campaign(session, campaign_id)
            query = select(RecipientRow).where(RecipientRow.id == recipient_id)
            query = query.where(RecipientRow.campaign_id == campaign_id, IS_LISTED)
            for known in await _with_leads(session, query, campaign.status):
                return known
        raise NotFound(f"Recipient {recipient_id} is not there")

    async def find_of_lead(
        self, caller: Caller, campaign_id: UUID, lead_id: UUID
    ) -> KnownRecipient | None:
        async with self._database.company_session(caller.company_id) as session:
            campaign = await get_campaign(session, campaign_id)
            query = select(RecipientRow).where(RecipientRow.lead_id == lead_id)
            query = query.where(RecipientRow.campaign_id == campaign_id, IS_LISTED)
            found = await _with_leads(session, query, campaign.status)
        return found[0] if found else None

    async def remove(self, caller: Caller, campaign_id: UUID, recipient_id: UUID) -> None:
        """End it. One that was never written to leaves no trace, so that it may be added again."""
        async with self._database.company_session(caller.company_id) as session:
            await get_campaign(session, campaign_id)
            recipient = await lock_recipient(session, campaign_id, recipient_id)
            is_running = recipient.started_at is not None and recipient.closed_at is None
            contacted = exists().where(
                ActionRow.recipient_id == recipient_id, ActionRow.status.in_(MAY_BE_SENT)
            )
            if await session.scalar(select(contacted)):
                _end_as_removed(recipient, await session.scalar(select(func.clock_timestamp())))
            else:
                await session.execute(delete(RecipientRow).where(RecipientRow.id == recipient_id))
        if is_running:
            ref = make_ref(caller, campaign_id, recipient_id)
            await self._conducting.stop([ref], EndReason.REMOVED)

    async def pause(self, caller: Caller, campaign_id: UUID, recipient_id: UUID) -> KnownRecipient:
        async with self._database.company_session(caller.company_id) as session:
            await get_campaign(session, campaign_id)
            recipient = await lock_recipient(session, campaign_id, recipient_id)
            _must_be_open(recipient)
            recipient.paused_at = recipient.paused_at or datetime.now(UTC)
        return await self.get(caller, campaign_id, recipient_id)

    async def resume(self, caller: Caller, campaign_id: UUID, recipient_id: UUID) -> KnownRecipient:
        async with self._database.company_session(caller.company_id) as session:
            await get_campaign(session, campaign_id)
            recipient = await lock_recipient(session, campaign_id, recipient_id)
            _must_be_open(recipient)
            recipient.paused_at = None
            is_launched = recipient.launched_at is not None
        if is_launched:
            await self._conducting.wake([make_ref(caller, campaign_id, recipient_id)])
        return await self.get(caller, campaign_id, recipient_id)

    async def explain(
        self, caller: Caller, campaign_id: UUID, recipient_id: UUID, *, now: datetime | None = None
    ) -> tuple[Explanation, tuple[Step, ...]]:
        """Asks the function that decides, with what it would be given now; and the steps.

        `now`: another one, where time is skipped.
        """
        known = await self.get(caller, campaign_id, recipient_id)
        if known.campaign_status is CampaignStatus.DRAFT and known.row.end_reason is None:
            # Without a version there are no steps to decide by, which is not the end.
            return _NOT_ACTIVATED, ()
        now = now or datetime.now(UTC)
        async with self._database.company_transaction(caller.company_id) as connection:
            situation = await find_situation(connection, recipient_id, self._shelf)
            found = await explain_situation(
                connection,
                situation,
                now,
                is_launched=known.row.launched_at is not None,
                is_parked=known.row.parked_at is not None,
            )
        return found, situation.steps


async def lock_recipient(
    session: AsyncSession, campaign_id: UUID, recipient_id: UUID
) -> RecipientRow:
    """Raises NotFound, also for one that was removed."""
    recipient = await session.scalar(
        select(RecipientRow)
        .where(RecipientRow.id == recipient_id, RecipientRow.campaign_id == campaign_id, IS_LISTED)
        .with_for_update()
    )
    if recipient is None:
        raise NotFound(f"Recipient {recipient_id} is not there")
    return recipient


def make_ref(caller: Caller, campaign_id: UUID, recipient_id: UUID) -> RecipientRef:
    return RecipientRef(
        company_id=caller.company_id, campaign_id=campaign_id, recipient_id=recipient_id
    )


def _end_as_removed(recipient: RecipientRow, at: datetime | None) -> None:
    recipient.end_reason = EndReason.REMOVED
    recipient.ended_at = recipient.ended_at or at
    # Due at once, so that the sweeper tells its workflow should our signal not come through.
    recipient.next_at = at


def _must_be_open(recipient: RecipientRow) -> None:
    if recipient.end_reason:
        raise Conflict(f"The recipient has ended: {recipient.end_reason}")


async def _with_leads(
    session: AsyncSession, query: Select[RecipientRow], status: CampaignStatus
) -> list[KnownRecipient]:
    joined = query.join(LeadRow, LeadRow.id == RecipientRow.lead_id).add_columns(LeadRow)
    rows = await session.execute(joined)
    return [KnownRecipient(row=row, lead=lead, campaign_status=status) for row, lead in rows]


_NOT_ACTIVATED = Explanation(
    move=Parked(reason=HoldReason.CAMPAIGN_DRAFT),
    because=("nothing is planned before the campaign is activated",),
    blocked_by=(str(HoldReason.CAMPAIGN_DRAFT),),
)
