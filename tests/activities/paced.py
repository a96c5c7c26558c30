"""Hours and limits, set past the API."""

from datetime import timedelta
from typing import Any

from sqlalchemy import update

from shared.db.models import AccountRow, CampaignRow
from tests.factories import Campaign, Company

WORKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
OFFICE = {"days": {day: ["09:00-12:30", "13:30-17:00"] for day in WORKDAYS}}
HOUR = timedelta(hours=1)


async def set_account(company: Company, **values: Any) -> None:
    async with company.session() as session:
        row = AccountRow.id == company.account_id
        await session.execute(update(AccountRow).where(row).values(**values))


async def set_campaign(company: Company, campaign: Campaign, **values: Any) -> None:
    async with company.session() as session:
        row = CampaignRow.id == campaign.id
        await session.execute(update(CampaignRow).where(row).values(**values))
