"""The people to reach."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from api.callers import Caller
from api.schemas.leads import LeadFilter
from api.schemas.paging import read_cursor
from api.services.imports import home_region
from api.services.selecting import conditions_of
from api.services.versions import must_match
from shared.db.models import CompanyRow, LeadRow, RecipientRow
from shared.db.session import Database
from shared.errors import Conflict, Invalid, NotFound
from shared.importing.addresses import NoAddress, normal_phone
from shared.importing.regions import region_of
from shared.keyring import Keyring
from shared.suppression import lead_keys


class LeadService:
    def __init__(self, *, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    async def create(self, caller: Caller, fields: Mapping[str, Any]) -> LeadRow:
        """Raises Conflict, naming the lead that has this email address already."""
        values = {"id": uuid7(), **fields}
        async with self._database.company_session(caller.company_id) as session:
            await _dial(session, values, values.get("country"), caller.company_id)
            values["suppression_keys"] = self._keys(values)
            lead: LeadRow | None = await session.scalar(
                insert(LeadRow)
                .values(values)
                .on_conflict_do_nothing(index_elements=[LeadRow.company_id, LeadRow.email])
                .returning(LeadRow)
            )
            if lead is None:
                raise await _taken(session, values["email"])
            return lead

    async def list_leads(self, caller: Caller, asked: LeadFilter) -> Sequence[LeadRow]:
        """Newest first, one more than asked for if there are more."""
        query = select(LeadRow).order_by(LeadRow.id.desc()).limit(asked.limit + 1)
        if after := read_cursor(asked.cursor):
            query = query.where(LeadRow.id < after)
        async with self._database.company_session(caller.company_id) as session:
            query = query.where(*await conditions_of(session, asked))
            return (await session.scalars(query)).all()

    async def get(self, caller: Caller, lead_id: UUID) -> LeadRow:
        async with self._database.company_session(caller.company_id) as session:
            return await _get(session, lead_id)

    async def change(
        self, caller: Caller, lead_id: UUID, fields: Mapping[str, Any], *, expected: str | None
    ) -> LeadRow:
        try:
            async with self._database.company_session(caller.company_id) as session:
                lead = await _get(session, lead_id, is_locked=True)
                must_match(lead, expected)
                values = dict(fields)
                if values.get("phone") != lead.phone:
                    country = values.get("country", lead.country)
                    await _dial(session, values, country, caller.company_id)
                for name, value in values.items():
                    setattr(lead, name, value)
                lead.suppression_keys = self._keys(vars(lead))
                await session.flush()
                await session.refresh(lead)
                return lead
        except IntegrityError:
            # The address is the only thing about a lead that has to be unique.
            async with self._database.company_session(caller.company_id) as session:
                raise await _taken(session, fields["email"]) from None

    async def delete(self, caller: Caller, lead_id: UUID) -> None:
        """Raises Conflict while a campaign's ledger names the lead."""
        async with self._database.company_session(caller.company_id) as session:
            lead = await _get(session, lead_id, is_locked=True)
            campaign_id = await session.scalar(
                select(RecipientRow.campaign_id).where(RecipientRow.lead_id == lead_id).limit(1)
            )
            if campaign_id:
                raise Conflict(
                    f"The lead is a recipient of campaign {campaign_id}, whose record names it"
                )
            await session.delete(lead)

    def _keys(self, fields: Mapping[str, Any]) -> list[bytes]:
        return lead_keys(
            self._keyring,
            email=fields.get("email"),
            phone=fields.get("phone"),
            linkedin_url=fields.get("linkedin_url"),
        )


async def _get(session: AsyncSession, lead_id: UUID, *, is_locked: bool = False) -> LeadRow:
    lead = await session.get(LeadRow, lead_id, with_for_update=is_locked)
    if lead is None:
        raise NotFound(f"Lead {lead_id} is not there")
    return lead


async def _dial(
    session: AsyncSession, values: dict[str, Any], country: str | None, company_id: UUID
) -> None:
    """Give a national number its country's code, as an import does. Raises Invalid."""
    phone = values.get("phone")
    if phone is None or phone.startswith("+"):
        return
    region = region_of(country) if country else None
    if region is None:
        region = home_region(await session.get_one(CompanyRow, company_id))
    try:
        values["phone"] = normal_phone(phone, region=region)
    except NoAddress as error:
        raise Invalid(str(error), field="phone") from None


async def _taken(session: AsyncSession, email: str) -> Conflict:
    owner = await session.scalar(select(LeadRow.id).where(LeadRow.email == email))
    return Conflict(f"The lead {owner} has this email address already: change it with PUT")
