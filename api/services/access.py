"""From credentials to a caller inside one company."""

from uuid import UUID

from sqlalchemy import select, text

from api.callers import Caller, Identity
from api.tokens import AccessTokens
from shared.db.models import ApiKeyRow, MembershipRow
from shared.db.session import Database
from shared.errors import Conflict, NotAllowed, NotAuthenticated, NotFound
from shared.keyring import Keyring

_OF_KEY = text("select company_id, id from company_of_api_key(:hash)")
_MEMBERSHIPS = text("select company_id from memberships_of(:user_id)")


class AccessService:
    def __init__(self, *, database: Database, keyring: Keyring, tokens: AccessTokens) -> None:
        self._database = database
        self._keyring = keyring
        self._tokens = tokens

    async def identify(self, bearer: str | None, api_key: str | None) -> Identity:
        """Raises NotAuthenticated."""
        if bearer is not None:
            return self._tokens.read(bearer)
        if api_key is None:
            raise NotAuthenticated(
                "Send `Authorization: Bearer <token>` from POST /api/auth/login, or `X-Api-Key`"
            )
        async with self._database.outside_session() as session:
            known = {"hash": self._keyring.token_hash(api_key)}
            key = (await session.execute(_OF_KEY, known)).one_or_none()
        if key is None:
            raise NotAuthenticated("This API key is unknown or was deleted")
        return Identity(company_id=key.company_id, key_id=key.id)

    async def enter(self, identity: Identity, company_id: UUID | None) -> Caller:
        """Step into the company of the path, else the active one, else the only one.

        Raises NotFound for another company's id, so that nobody learns which ones exist.
        """
        if identity.user_id is None:
            return await self._enter_as_machine(identity, company_id)
        wanted = company_id or identity.company_id or await self._only_company(identity.user_id)
        async with self._database.company_session(wanted) as session:
            role = await session.scalar(
                select(MembershipRow.role).where(MembershipRow.user_id == identity.user_id)
            )
        if role is not None:
            return Caller(company_id=wanted, user_id=identity.user_id, role=role)
        if company_id:
            raise NotFound(f"Company {company_id} is not there")
        raise NotAllowed(
            "You are no member of the active company any more: use POST /api/auth/switch-company"
        )

    async def _enter_as_machine(self, identity: Identity, company_id: UUID | None) -> Caller:
        own = identity.company_id
        if own is None or company_id not in {None, own}:
            raise NotFound(f"Company {company_id} is not there")
        async with self._database.company_session(own) as session:
            key = await session.get_one(ApiKeyRow, identity.key_id)
        return Caller(company_id=own, scopes=frozenset(key.scopes))

    async def _only_company(self, user_id: UUID) -> UUID:
        async with self._database.outside_session() as session:
            companies = (await session.scalars(_MEMBERSHIPS, {"user_id": user_id})).all()
        match companies:
            case [UUID() as only]:
                return only
            case []:
                raise Conflict("You belong to no company yet: make one with POST /api/companies")
        raise Conflict(
            "You belong to several companies: choose one with POST /api/auth/switch-company"
        )
