"""Registration, login and the families of refresh tokens."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from api.callers import Identity
from api.passwords import Passwords
from api.rate_limit import AttemptLimit
from api.services.members import INVITATION
from api.tokens import LIFETIME, AccessTokens
from shared.db.models import CompanyRow, MembershipRow, OAuthStateRow, Role, SessionRow, UserRow
from shared.db.session import Database
from shared.errors import Conflict, NotAuthenticated, NotFound
from shared.keyring import Keyring

REFRESH_LIFETIME = timedelta(days=30)
_MEMBERSHIPS = text("select company_id from memberships_of(:user_id)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    user: UserRow
    access_token: str
    refresh_token: str
    expires_in: int = int(LIFETIME.total_seconds())


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCompany:
    id: UUID
    name: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    user: UserRow
    companies: list[OwnCompany]
    active_company_id: UUID | None


class AuthService:
    """Passwords, tokens, and who belongs where."""

    def __init__(
        self, *, database: Database, keyring: Keyring, tokens: AccessTokens, passwords: Passwords
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._tokens = tokens
        self._passwords = passwords
        self._per_address = AttemptLimit(most=100, per=timedelta(minutes=15))
        self._per_account = AttemptLimit(most=10, per=timedelta(minutes=15))

    async def register(self, *, email: str, password: str, name: str) -> Tokens:
        password_hash = await self._passwords.hash(password)
        async with self._database.outside_session() as session:
            user = await session.scalar(
                insert(UserRow)
                .values(id=uuid7(), email=email, name=name, password_hash=password_hash)
                .on_conflict_do_nothing(index_elements=[UserRow.email])
                .returning(UserRow)
            )
            if user is None:
                raise Conflict(f"{email} is registered already: use POST /api/auth/login")
            return self._open(session, user, company_id=None, family_id=uuid7())

    async def login(self, *, email: str, password: str, address: str) -> Tokens:
        """Raises TooManyAttempts after too many failures from an address or for an account."""
        self._per_address.take(address)
        self._per_account.take(email)
        async with self._database.outside_session() as session:
            user = await session.scalar(select(UserRow).where(UserRow.email == email))
        # Hashing takes a while, and no transaction waits for it.
        is_right = await self._passwords.is_right(password, user.password_hash if user else None)
        if user is None or not is_right:
            raise NotAuthenticated("The email address or the password is wrong")
        self._per_address.give_back(address)
        self._per_account.give_back(email)
        async with self._database.outside_session() as session:
            return self._open(session, user, company_id=None, family_id=uuid7())

    async def accept_invitation(self, token: str, *, password: str, name: str | None) -> Tokens:
        """Set the first password with the token that the inviting admin was given."""
        password_hash = await self._passwords.hash(password)
        now = datetime.now(UTC)
        async with self._database.outside_session() as session:
            invitation = await session.scalar(
                update(OAuthStateRow)
                .where(
                    OAuthStateRow.token_hash == self._keyring.token_hash(token),
                    OAuthStateRow.purpose == INVITATION,
                    OAuthStateRow.used_at.is_(None),
                    OAuthStateRow.expires_at > now,
                )
                .values(used_at=now)
                .returning(OAuthStateRow)
            )
            if invitation is None:
                raise NotAuthenticated("This invitation was used or is too old: ask for a new one")
            user = await session.get_one(UserRow, invitation.user_id, with_for_update=True)
            if user.password_hash is not None or user.oidc_subject is not None:
                raise Conflict("A password was set already: use POST /api/auth/login")
            user.password_hash, user.name = password_hash, name or user.name
            company_id = invitation.company_id
            return self._open(session, user, company_id=company_id, family_id=uuid7())

    async def refresh(self, refresh_token: str) -> Tokens:
        """Swap a refresh token for the next one of its family; a second use ends the family."""
        now = datetime.now(UTC)
        async with self._database.outside_session() as session:
            row = await self._find_session(session, refresh_token)
            if row is not None and row.used_at is None and _is_good(row, now):
                row.used_at = now
                user = await session.get_one(UserRow, row.user_id)
                return self._open(session, user, company_id=row.company_id, family_id=row.family_id)
            if row is not None:
                await _revoke_family(session, row.family_id)
        # Raised behind the block: inside it would take the revocation back.
        raise NotAuthenticated("This refresh token is used up or expired: log in again")

    async def logout(self, refresh_token: str) -> None:
        """End the token's family; an unknown token is as good as ended."""
        async with self._database.outside_session() as session:
            row = await self._find_session(session, refresh_token)
            if row is not None:
                await _revoke_family(session, row.family_id)

    async def switch_company(self, user_id: UUID, company_id: UUID) -> Tokens:
        async with self._database.company_session(company_id) as session:
            membership = await session.scalar(
                select(MembershipRow.id).where(MembershipRow.user_id == user_id)
            )
            if membership is None:
                raise NotFound(f"Company {company_id} is not there")
            user = await session.get_one(UserRow, user_id)
            return self._open(session, user, company_id=company_id, family_id=uuid7())

    async def me(self, identity: Identity) -> Me:
        if identity.user_id is None:
            raise NotAuthenticated("An API key is no person: use a Bearer token")
        async with self._database.outside_session() as session:
            user = await session.get(UserRow, identity.user_id)
            if user is None:
                raise NotAuthenticated("This user is not there any more")
            ids = (await session.scalars(_MEMBERSHIPS, {"user_id": user.id})).all()
        companies = [await self._own_company(company_id, user.id) for company_id in ids]
        only = ids[0] if len(ids) == 1 else None
        active = identity.company_id if identity.company_id in ids else only
        return Me(user=user, companies=companies, active_company_id=active)

    async def _own_company(self, company_id: UUID, user_id: UUID) -> OwnCompany:
        async with self._database.company_session(company_id) as session:
            found = await session.execute(
                select(CompanyRow.name, MembershipRow.role)
                .join(MembershipRow, MembershipRow.company_id == CompanyRow.id)
                .where(MembershipRow.user_id == user_id)
            )
            name, role = found.one()
        return OwnCompany(id=company_id, name=name, role=role)

    def _open(
        self, session: AsyncSession, user: UserRow, *, company_id: UUID | None, family_id: UUID
    ) -> Tokens:
        refresh_token = f"rt_{secrets.token_urlsafe(32)}"
        session.add(
            SessionRow(
                user_id=user.id,
                family_id=family_id,
                token_hash=self._keyring.token_hash(refresh_token),
                company_id=company_id,
                expires_at=datetime.now(UTC) + REFRESH_LIFETIME,
            )
        )
        access_token = self._tokens.issue(user.id, company_id)
        return Tokens(user=user, access_token=access_token, refresh_token=refresh_token)

    async def _find_session(self, session: AsyncSession, token: str) -> SessionRow | None:
        token_hash = self._keyring.token_hash(token)
        # Locked, so that of two uses at once one is the second.
        found = select(SessionRow).where(SessionRow.token_hash == token_hash).with_for_update()
        return await session.scalar(found)


def _is_good(row: SessionRow, now: datetime) -> bool:
    return row.revoked_at is None and row.expires_at > now


async def _revoke_family(session: AsyncSession, family_id: UUID) -> None:
    family = (SessionRow.family_id == family_id) & SessionRow.revoked_at.is_(None)
    await session.execute(update(SessionRow).where(family).values(revoked_at=datetime.now(UTC)))
