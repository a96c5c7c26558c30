"""Whom to wake when something that held them has changed: a bounded page of them."""

from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.conducting import MOST_TOLD
from shared.contracts.recipient import RecipientRef
from shared.db.models import RecipientRow
from shared.domain.recipient import HoldReason

OPEN = RecipientRow.launched_at.is_not(None) & RecipientRow.ended_at.is_(None)


async def list_parked(
    session: AsyncSession,
    company_id: UUID,
    *,
    campaign_id: UUID | None = None,
    account_id: UUID | None = None,
) -> list[RecipientRef]:
    """Those who wait for somebody; the sweeper wakes whoever is beyond this page."""
    query = select(RecipientRow).where(RecipientRow.parked_at.is_not(None), OPEN)
    if campaign_id:
        query = query.where(RecipientRow.campaign_id == campaign_id)
    if account_id:
        # Whoever had no account at all may have this one now.
        has_none = RecipientRow.hold_reason == HoldReason.NO_ACCOUNT
        query = query.where((RecipientRow.account_id == account_id) | has_none)
    return await _page(session, company_id, query.order_by(RecipientRow.parked_at).limit(MOST_TOLD))


async def list_waiting(
    session: AsyncSession,
    company_id: UUID,
    *,
    campaign_id: UUID | None = None,
    account_id: UUID | None = None,
) -> list[RecipientRef]:
    """Those with a plan, the farthest first: an edit may bring it forward."""
    query = select(RecipientRow).where(RecipientRow.parked_at.is_(None), OPEN)
    if campaign_id:
        query = query.where(RecipientRow.campaign_id == campaign_id)
    if account_id:
        query = query.where(RecipientRow.account_id == account_id)
    farthest_first = RecipientRow.next_at.desc()
    return await _page(session, company_id, query.order_by(farthest_first).limit(MOST_TOLD))


async def _page(
    session: AsyncSession, company_id: UUID, query: Select[RecipientRow]
) -> list[RecipientRef]:
    return [
        RecipientRef(company_id=company_id, campaign_id=row.campaign_id, recipient_id=row.id)
        for row in await session.scalars(query)
    ]
