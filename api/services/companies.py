"""Companies and the keys of their machines."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from uuid_utils.compat import uuid7

from api.callers import Caller
from api.services.versions import must_match
from shared.db.models import ApiKeyRow, CompanyRow, MembershipRow, Role, UserRow
from shared.db.session import Database
from shared.errors import NotAuthenticated, NotFound
from shared.keyring import Keyring

PREFIX_CHARACTERS = 12
SETTINGS = frozenset(
    {"brand_primary_color", "brand_tone", "opt_out_text", "one_campaign_at_a_time"}
    | {"asks_about_unconfirmed", "reply_holds_colleagues", "calls_without_consent_in"}
    | {"withdraw_invitations_after_days"}
)


class CompanyService:
    def __init__(self, *, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    async def create(self, user_id: UUID, fields: Mapping[str, Any]) -> CompanyRow:
        """Make a company whose first admin is its maker."""
        company_id = uuid7()
        async with self._database.company_session(company_id) as session:
            if await session.get(UserRow, user_id) is None:
                raise NotAuthenticated("This user is not there any more")
            company = CompanyRow(id=company_id, settings={})
            _change(company, fields)
            session.add(company)
            await session.flush()
            session.add(MembershipRow(user_id=user_id, role=Role.ADMIN))
        return company

    async def get(self, caller: Caller) -> CompanyRow:
        async with self._database.company_session(caller.company_id) as session:
            return await session.get_one(CompanyRow, caller.company_id)

    async def change(
        self, caller: Caller, fields: Mapping[str, Any], *, expected: str | None
    ) -> CompanyRow:
        async with self._database.company_session(caller.company_id) as session:
            company = await session.get_one(CompanyRow, caller.company_id, with_for_update=True)
            must_match(company, expected)
            _change(company, fields)
            await session.flush()
            await session.refresh(company)
            return company

    async def list_keys(
        self, caller: Caller, *, limit: int, after: UUID | None
    ) -> Sequence[ApiKeyRow]:
        """Newest first, one more than asked for if there are more."""
        query = select(ApiKeyRow).where(ApiKeyRow.revoked_at.is_(None))
        if after:
            query = query.where(ApiKeyRow.id < after)
        async with self._database.company_session(caller.company_id) as session:
            rows = await session.scalars(query.order_by(ApiKeyRow.id.desc()).limit(limit + 1))
            return rows.all()

    async def create_key(
        self, caller: Caller, *, name: str, scopes: list[str]
    ) -> tuple[ApiKeyRow, str]:
        """The row and the secret, which is kept as a hash only."""
        secret = f"drb_{secrets.token_urlsafe(32)}"
        async with self._database.company_session(caller.company_id) as session:
            key = ApiKeyRow(
                name=name,
                prefix=secret[:PREFIX_CHARACTERS],
                key_hash=self._keyring.token_hash(secret),
                scopes=sorted(set(scopes)),
                created_by=caller.user_id,
            )
            session.add(key)
            await session.flush()
        return key, secret

    async def delete_key(self, caller: Caller, key_id: UUID) -> None:
        live = (ApiKeyRow.id == key_id) & ApiKeyRow.revoked_at.is_(None)
        async with self._database.company_session(caller.company_id) as session:
            revoked = await session.scalar(
                update(ApiKeyRow)
                .where(live)
                .values(revoked_at=datetime.now(UTC))
                .returning(ApiKeyRow.id)
            )
            if revoked is None:
                raise NotFound(f"API key {key_id} is not there")


def _change(company: CompanyRow, fields: Mapping[str, Any]) -> None:
    for name, value in fields.items():
        if name not in SETTINGS:
            setattr(company, name, value)
    chosen = {name: fields[name] for name in SETTINGS & fields.keys()}
    company.settings = company.settings | chosen
