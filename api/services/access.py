"""From credentials to a caller inside one company."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from uuid_utils.compat import uuid7

from api.callers import Caller, Identity
from api.openid import OpenIdPerson, OpenIdProvider
from api.services.browser_sessions import BrowserSessionService
from api.tokens import AccessTokens
from shared.db.models import ApiKeyRow, MembershipRow, SessionRow, UserRow
from shared.db.session import Database
from shared.errors import Conflict, NotAllowed, NotAuthenticated, NotFound
from shared.keyring import Keyring

_OF_KEY = text("select company_id, id from company_of_api_key(:hash)")
_MEMBERSHIPS = text("select company_id from memberships_of(:user_id)")


class AccessService:
    def __init__(
        self,
        *,
        database: Database,
        keyring: Keyring,
        tokens: AccessTokens,
        browser_sessions: BrowserSessionService,
        openid: OpenIdProvider | None = None,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._tokens = tokens
        self._browser_sessions = browser_sessions
        self._openid = openid

    async def identify(
        self, bearer: str | None, api_key: str | None, cookie: str | None = None
    ) -> Identity:
        """By the first of them that there is. Raises NotAuthenticated."""
        if bearer is not None and self._openid and self._openid.has_issued(bearer):
            person = await self._openid.read(bearer)
            return Identity(user_id=await self._sign_in(person))
        if bearer is not None:
            return self._tokens.read(bearer)
        if api_key is None and cookie is not None:
            return await self._browser_sessions.identify(cookie)
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

    async def _sign_in(self, person: OpenIdPerson) -> UUID:
        """The user of this person, made on the first visit.

        Whoever had registered the address here had not shown that it is theirs: their password
        and their logins end.
        """
        async with self._database.outside_session() as session:
            known = select(UserRow.id).where(UserRow.oidc_subject == person.subject)
            user_id: UUID | None = await session.scalar(known)
            if user_id is not None:
                return user_id
            mine = {"oidc_subject": person.subject, "password_hash": None}
            made: UUID | None = await session.scalar(
                insert(UserRow)
                .values(id=uuid7(), email=person.email, name=person.name, **mine)
                .on_conflict_do_update(
                    index_elements=[UserRow.email], set_=mine, where=UserRow.oidc_subject.is_(None)
                )
                .returning(UserRow.id)
            )
            if made is None:
                raise NotAuthenticated("This address belongs to somebody else's sign-in")
            logins = (SessionRow.user_id == made) & SessionRow.revoked_at.is_(None)
            ended = update(SessionRow).where(logins).values(revoked_at=datetime.now(UTC))
            await session.execute(ended)
            return made

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
