"""Connects a Gmail account: ticket, consent at Google, and back with a code.

Each of the two secrets on the way, ticket and state, works once and for ten minutes.
"""

import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import case, exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from api.callers import Caller
from api.conducting import Conducting
from api.places import Places
from api.services.calendars import CALENDAR
from shared.db.deed import current_deed
from shared.db.models import AccountRow, MembershipRow, OAuthStateRow
from shared.db.models.accounts import COLD_MAILS_A_DAY, AccountStatus
from shared.db.repositories.wakings import ask_waking
from shared.db.session import Database
from shared.domain.channels import AccountKind
from shared.domain.pacing import gmail_ceiling
from shared.errors import AuthExpired, Misconfigured, NotAllowed, NotAuthenticated
from shared.keyring import Keyring
from shared.providers.google_oauth import (
    GoogleOAuth,
    Identity,
    Tokens,
    missing_scopes,
    reason_for_missing,
)
from shared.tokens import AccountRef, store_tokens

LIFETIME = timedelta(minutes=10)
TICKET, GMAIL = "ticket", "gmail"
VERIFIER = "oauth_states.code_verifier"


class ConnectService:
    """`google` None: this installation has no OAuth client."""

    def __init__(
        self,
        *,
        database: Database,
        keyring: Keyring,
        conducting: Conducting,
        google: GoogleOAuth | None,
        places: Places,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._conducting = conducting
        self._oauth = google
        self._places = places

    async def make_ticket(self, caller: Caller, *, return_to: str | None) -> str:
        """The address at which the person's browser starts, without any other login."""
        way_back = self._places.way_back(return_to) if return_to else None
        _ = self._google
        ticket = secrets.token_urlsafe(32)
        async with self._database.outside_session() as session:
            session.add(
                self._new_state(
                    TICKET,
                    ticket,
                    user_id=caller.person,
                    company_id=caller.company_id,
                    return_to=way_back,
                )
            )
        return self._places.connect_url(ticket)

    async def begin(self, ticket: str, *, login_hint: str | None, return_to: str | None) -> str:
        """Swap the ticket for Google's consent page."""
        way_back = self._places.way_back(return_to) if return_to else None
        async with self._database.outside_session() as session:
            used = await self._use(session, TICKET, ticket)
            if used is None:
                raise NotAuthenticated("This link was used or is too old: connect once more")
            return self._set_out(
                session,
                user_id=used.user_id,
                company_id=used.company_id,
                login_hint=login_hint,
                return_to=way_back or used.return_to,
            )

    async def begin_as(
        self, caller: Caller, *, login_hint: str | None, return_to: str | None
    ) -> str:
        """Google's consent page for somebody whose browser is logged in."""
        way_back = self._places.way_back(return_to) if return_to else None
        async with self._database.outside_session() as session:
            return self._set_out(
                session,
                user_id=caller.person,
                company_id=caller.company_id,
                login_hint=login_hint,
                return_to=way_back,
            )

    async def use_state(self, state: str) -> OAuthStateRow:
        """Who set out with this state. Raises NotAuthenticated, also the second time."""
        async with self._database.outside_session() as session:
            row = await self._use(session, GMAIL, state) or await self._use(
                session, CALENDAR, state
            )
        if row is None:
            raise NotAuthenticated("This consent was used or is too old: connect once more")
        return row

    async def finish(self, state: OAuthStateRow, code: str) -> AccountRow:
        """Exchange the code and keep the account. Raises ProviderError."""
        assert state.code_verifier is not None  # noqa: S101 - begin() has written it
        verifier = self._keyring.open(
            state.code_verifier, place=VERIFIER, company_id=state.company_id, row_id=state.id
        )
        current_deed().actor = f"user:{state.user_id}"
        tokens = await self._google.exchange(code, verifier)
        person = await self._google.who(tokens.access_token)
        async with self._database.company_session(
            state.company_id, user_id=state.user_id
        ) as session:
            account = await self._keep(session, state, person, tokens)
            waking = await ask_waking(session, account_id=account.id, parked=True)
        if account.status is AccountStatus.ACTIVE:
            await self._conducting.wake_many(waking)
        return account

    def _set_out(
        self,
        session: AsyncSession,
        *,
        user_id: UUID,
        company_id: UUID,
        login_hint: str | None,
        return_to: str | None,
    ) -> str:
        state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
        row = self._new_state(
            GMAIL, state, user_id=user_id, company_id=company_id, return_to=return_to
        )
        row.code_verifier = self._keyring.seal(
            verifier, place=VERIFIER, company_id=row.company_id, row_id=row.id
        )
        session.add(row)
        return self._google.authorize_url(
            state=state, code_verifier=verifier, login_hint=login_hint
        )

    async def _keep(
        self, session: AsyncSession, state: OAuthStateRow, person: Identity, tokens: Tokens
    ) -> AccountRow:
        is_member = exists().where(MembershipRow.user_id == state.user_id)
        if not await session.scalar(select(is_member)):
            raise NotAllowed("You are no member of this company any more")
        account = await _upsert(session, state.user_id, person, tokens)
        is_workspace = person.hosted_domain is not None
        is_bound = self._google.is_real
        account.daily_ceiling = gmail_ceiling(is_workspace=is_workspace) if is_bound else None
        ref = AccountRef(company_id=state.company_id, account_id=account.id, user_id=state.user_id)
        try:
            await store_tokens(session, self._keyring, ref, tokens)
        except AuthExpired as error:
            account.status, account.status_reason = AccountStatus.NEEDS_ATTENTION, str(error)
        return account

    def _new_state(
        self, purpose: str, secret: str, *, user_id: UUID, company_id: UUID, return_to: str | None
    ) -> OAuthStateRow:
        return OAuthStateRow(
            id=uuid7(),
            purpose=purpose,
            token_hash=self._keyring.token_hash(secret),
            user_id=user_id,
            company_id=company_id,
            return_to=return_to,
            expires_at=datetime.now(UTC) + LIFETIME,
        )

    async def _use(self, session: AsyncSession, purpose: str, secret: str) -> OAuthStateRow | None:
        """In one statement, so that of two uses at once one finds nothing."""
        now = datetime.now(UTC)
        return await session.scalar(
            update(OAuthStateRow)
            .where(
                OAuthStateRow.token_hash == self._keyring.token_hash(secret),
                OAuthStateRow.purpose == purpose,
                OAuthStateRow.used_at.is_(None),
                OAuthStateRow.expires_at > now,
            )
            .values(used_at=now)
            .returning(OAuthStateRow)
        )

    @property
    def _google(self) -> GoogleOAuth:
        if self._oauth is None:
            raise Misconfigured(
                "Set GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET to connect Gmail accounts"
            )
        return self._oauth


async def _upsert(
    session: AsyncSession, user_id: UUID, person: Identity, tokens: Tokens
) -> AccountRow:
    """A new account, or the old one awake again. The company's first one becomes primary."""
    status, reason = _status_of(tokens)
    has_primary = exists().where(AccountRow.is_primary)
    is_first = not await session.scalar(select(has_primary))
    granted = {"status": status, "status_reason": reason, "scopes": sorted(tokens.scopes)}
    account: AccountRow | None = await session.scalar(
        insert(AccountRow)
        .values(
            id=uuid7(),
            user_id=user_id,
            kind=AccountKind.GMAIL,
            email=person.email.lower(),
            is_primary=is_first,
            daily_limit=COLD_MAILS_A_DAY,
            **granted,
        )
        .on_conflict_do_update(
            index_elements=[AccountRow.company_id, AccountRow.user_id, AccountRow.email],
            set_=granted
            | {
                "is_primary": AccountRow.is_primary | is_first,
                "kind": AccountKind.GMAIL,
                # Another provider's place in the mailbox means nothing to Google.
                "history_id": case(
                    (AccountRow.kind == AccountKind.GMAIL, AccountRow.history_id), else_=None
                ),
            },
        )
        .returning(AccountRow),
        execution_options={"populate_existing": True},
    )
    assert account is not None  # noqa: S101 - an upsert returns its row
    return account


def _status_of(tokens: Tokens) -> tuple[AccountStatus, str | None]:
    missing = missing_scopes(tokens.scopes)
    if not missing:
        return AccountStatus.ACTIVE, None
    return AccountStatus.NEEDS_ATTENTION, reason_for_missing(tokens.scopes)
