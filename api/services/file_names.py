"""A campaign's settings as its file has them: accounts and product by name instead of by id."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.schemas.campaign_file import CampaignFile
from api.services.campaigns import list_steps
from api.services.step_rows import tree_of
from api.trees import tree_fields
from shared.db.models import AccountRow, CampaignRow, ProductRow
from shared.errors import Invalid

# Columns that are fields of the file as they are.
_PLAIN = tuple(
    name
    for name, field in CampaignFile.model_fields.items()
    if name not in {"accounts", "product", "steps"} and not field.exclude
)
_USUAL: tuple[object, ...] = (None, {}, False)


async def file_fields(session: AsyncSession, campaign: CampaignRow) -> dict[str, Any]:
    """The whole file, without what is usual."""
    await session.flush()
    names = await _names(session, campaign)
    plain = {name: getattr(campaign, name) for name in _PLAIN}
    if campaign.start_at:
        plain["start_at"] = campaign.start_at.isoformat()
    first: dict[str, Any] = {"name": campaign.name, "type": campaign.type.value}
    fields = first | names | {name: v for name, v in plain.items() if name not in first}
    shown = {name: value for name, value in fields.items() if value not in _USUAL}
    return shown | {"steps": tree_fields(tree_of(await list_steps(session, campaign.id)))}


async def to_settings(
    session: AsyncSession, campaign: CampaignRow, body: CampaignFile
) -> dict[str, Any]:
    """Fields of the campaign; what the file leaves out is as usual. Raises Invalid."""
    fields = body.model_dump(include=set(_PLAIN))
    usual = {name: False for name in ("draft_edits", "dry_run") if fields.get(name, 1) is None}
    fields |= usual
    fields["product_id"] = await _product(session, campaign, body.product)
    if body.accounts is not None:
        fields["account_ids"] = await _accounts(session, body.accounts)
    elif campaign.account_ids:
        fields["account_ids"] = []
    return fields


async def _names(session: AsyncSession, campaign: CampaignRow) -> dict[str, Any]:
    product = await session.scalar(
        select(ProductRow.product_name).where(ProductRow.id == campaign.product_id)
    )
    if not campaign.account_ids:
        return {"product": product}
    known = await _addresses(session)
    taken = [known[account_id] for account_id in campaign.account_ids if account_id in known]
    return {"product": product, "accounts": taken}


async def _addresses(session: AsyncSession) -> dict[UUID, str]:
    """What each account is called: its address, or its id where two have the same."""
    rows = (await session.execute(select(AccountRow.id, AccountRow.email))).all()
    emails = [row.email for row in rows]
    return {row.id: row.email if emails.count(row.email) == 1 else str(row.id) for row in rows}


async def _accounts(session: AsyncSession, names: Sequence[str]) -> list[UUID]:
    by_name = {name: account_id for account_id, name in (await _addresses(session)).items()}
    by_name |= {str(account_id): account_id for account_id in by_name.values()}
    for place, name in enumerate(names):
        if name not in by_name:
            raise Invalid(
                f"No account is called {name}: GET /api/accounts lists their addresses",
                field=f"accounts.{place}",
            )
    return [by_name[name] for name in names]


async def _product(session: AsyncSession, campaign: CampaignRow, name: str | None) -> UUID | None:
    if name is None:
        return None
    found = select(ProductRow.id).where(
        ProductRow.product_name == name, ProductRow.deleted_at.is_(None)
    )
    ids = (await session.scalars(found.order_by(ProductRow.created_at))).all()
    if campaign.product_id in ids:
        return campaign.product_id
    if len(ids) != 1:
        problem = "Several products are" if ids else "No product is"
        raise Invalid(f"{problem} called {name}", field="product")
    return ids[0]
