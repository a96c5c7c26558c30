"""Who belongs to a company, and in which role."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from api.callers import Caller, Permission
from api.services.versions import must_match
from shared.db.models import CompanyRow, MembershipRow, OAuthStateRow, Role, UserRow
from shared.db.session import Database
from shared.errors import Conflict, NotFound
from shared.keyring import Keyring

INVITATION = "invitation"
INVITATION_LIFETIME = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """`invitation_token`: shown once, to the one who invites somebody without a password."""

    row: MembershipRow
    user: UserRow
    invitation_token: str | None = None

    @property
    def id(self) -> UUID:
        return self.row.id


class MemberService:
    def __init__(self, *, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    async def list_members(
        self, caller: Caller, *, limit: int, after: UUID | None
    ) -> Sequence[Member]:
        """In the order of joining, one more than asked for if there are more."""
        query = _members().order_by(MembershipRow.id).limit(limit + 1)
        if after:
            query = query.where(MembershipRow.id > after)
        async with self._database.company_session(caller.company_id) as session:
            rows = await session.execute(query)
            return [Member(row=row, user=user) for row, user in rows]

    async def get(self, caller: Caller, user_id: UUID) -> Member:
        async with self._database.company_session(caller.company_id) as session:
            return await _get(session, user_id)

    async def invite(self, caller: Caller, *, email: str, name: str | None, role: Role) -> Member:
        """Whoever has a password is in at once; another gets a token to set one with."""
        token = None
        async with self._database.company_session(caller.company_id) as session:
            await session.execute(
                insert(UserRow)
                .values(id=uuid7(), email=email, name=name or email.partition("@")[0])
                .on_conflict_do_nothing(index_elements=[UserRow.email])
            )
            user = (await session.scalars(select(UserRow).where(UserRow.email == email))).one()
            row = await session.scalar(
                insert(MembershipRow)
                .values(id=uuid7(), user_id=user.id, role=role)
                .on_conflict_do_nothing()
                .returning(MembershipRow)
            )
            if row is None:
                raise Conflict(f"{email} is a member already: change the role with PUT")
            if user.password_hash is None and user.oidc_subject is None:
                token = f"iv_{secrets.token_urlsafe(32)}"
                session.add(self._invitation(token, user.id, caller.company_id))
        return Member(row=row, user=user, invitation_token=token)

    async def change(
        self, caller: Caller, user_id: UUID, role: Role, *, expected: str | None
    ) -> Member:
        """Raises Conflict when no admin would be left."""
        async with self._database.company_session(caller.company_id) as session:
            await _take_turns(session, caller)
            member = await _get(session, user_id)
            must_match(member.row, expected)
            if role is not Role.ADMIN:
                await _must_leave_an_admin(session, member)
            member.row.role = role
        return member

    async def remove(self, caller: Caller, user_id: UUID) -> None:
        """An admin removes anybody; everybody may leave. Raises Conflict for the last admin."""
        if user_id != caller.user_id:
            caller.must(Permission.ADMINISTER)
        async with self._database.company_session(caller.company_id) as session:
            await _take_turns(session, caller)
            member = await _get(session, user_id)
            await _must_leave_an_admin(session, member)
            await session.delete(member.row)

    def _invitation(self, token: str, user_id: UUID, company_id: UUID) -> OAuthStateRow:
        return OAuthStateRow(
            purpose=INVITATION,
            token_hash=self._keyring.token_hash(token),
            user_id=user_id,
            company_id=company_id,
            expires_at=datetime.now(UTC) + INVITATION_LIFETIME,
        )


def _members() -> Select[MembershipRow, UserRow]:
    return select(MembershipRow, UserRow).join(UserRow, UserRow.id == MembershipRow.user_id)


async def _get(session: AsyncSession, user_id: UUID) -> Member:
    found = await session.execute(_members().where(MembershipRow.user_id == user_id))
    for row, user in found:
        return Member(row=row, user=user)
    raise NotFound(f"User {user_id} is no member")


async def _take_turns(session: AsyncSession, caller: Caller) -> None:
    """Two admins who remove each other at the same moment would leave none."""
    await session.get_one(CompanyRow, caller.company_id, with_for_update={"key_share": True})


async def _must_leave_an_admin(session: AsyncSession, member: Member) -> None:
    if member.row.role is not Role.ADMIN:
        return
    admins = select(func.count()).where(MembershipRow.role == Role.ADMIN)
    if await session.scalar(admins) == 1:
        raise Conflict("This is the last admin: make somebody else one first")
