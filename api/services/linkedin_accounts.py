"""Connects accounts of LinkedIn: a page of Unipile's to log in at, and its call afterwards."""

import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import exists, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from api.callers import Caller
from api.conducting import Conducting
from api.places import Places
from shared.db.deed import current_deed
from shared.db.models import AccountRow, LinkedInAccountRow, MembershipRow, OAuthStateRow
from shared.db.models.accounts import AccountStatus
from shared.db.repositories.wakings import ask_waking
from shared.db.session import Database
from shared.domain.channels import AccountKind
from shared.domain.pacing import INVITATIONS_A_DAY, INVITATIONS_A_WEEK, LINKEDIN_MESSAGES_A_DAY
from shared.errors import Conflict, Misconfigured, NotAllowed, NotAuthenticated, NotFound
from shared.keyring import Keyring
from shared.providers.unipile import HostedLink, LinkedInAccount, UnipileClient
from shared.providers.unipile_webhooks import HostedResult

# Long enough to look for a telephone with a code on it.
LIFETIME = timedelta(hours=1)
PURPOSE = "linkedin"
# Between Unipile's clock and ours.
CLOCK_SKEW = timedelta(minutes=5)
# Unlike a person, who is at it by day and takes their time, nobody notices a machine that is new.
FIRST_LIMITS = {
    "per_week": INVITATIONS_A_WEEK,
    "messages_per_day": LINKEDIN_MESSAGES_A_DAY,
    "min_gap_seconds": 20,
    "gap_jitter_seconds": 60,
    "ramp_up": {"start": 5, "step": 1},
}

_ACCOUNT_OF = text("select company_id, id from account_of_unipile(:provider_id)")


class LinkedInAccountService:
    """`unipile` None: this installation has no key. `secret` None: it is told of nothing."""

    def __init__(
        self,
        *,
        database: Database,
        keyring: Keyring,
        conducting: Conducting,
        unipile: UnipileClient | None,
        secret: str | None,
        places: Places,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._conducting = conducting
        self._client = unipile
        self._secret = secret
        self._places = places

    async def connect(
        self, caller: Caller, *, return_to: str | None, account_id: UUID | None
    ) -> str:
        """The page at which a person logs in. `account_id`: the account to connect again.

        Raises Misconfigured, NotFound, ProviderError.
        """
        way_back = self._places.way_back(return_to or "/")
        again = await self._find(caller, account_id) if account_id else None
        if self._secret:
            await self._unipile.register_webhooks(self._news_url, self._secret)
        name = secrets.token_urlsafe(32)
        expires_at = datetime.now(UTC) + LIFETIME
        async with self._database.outside_session() as session:
            session.add(
                OAuthStateRow(
                    id=uuid7(),
                    purpose=PURPOSE,
                    token_hash=self._keyring.token_hash(name),
                    user_id=caller.person,
                    company_id=caller.company_id,
                    return_to=way_back,
                    expires_at=expires_at,
                )
            )
        return await self._unipile.hosted_link(
            HostedLink(
                name=name,
                notify_url=f"{self._news_url}/connected",
                success_url=way_back,
                failure_url=f"{way_back}{'&' if '?' in way_back else '?'}error=linkedin",
                expires_at=expires_at,
                account_id=again,
            )
        )

    async def finish(self, result: HostedResult) -> UUID:
        """Keep the account that somebody has logged in with. The link's name works once.

        Raises NotAuthenticated, NotAllowed, Conflict, ProviderError; after the last of these the
        name works still, and Unipile calls again.
        """
        state = await self._find_state(result.name)
        account = await self._unipile.account(result.account_id)
        await self._must_be_theirs(account, state)
        current_deed().actor = f"user:{state.user_id}"
        async with self._database.outside_session() as session:
            await self._use(session, state)
        async with self._database.company_session(
            state.company_id, user_id=state.user_id
        ) as session:
            is_member = exists().where(MembershipRow.user_id == state.user_id)
            if not await session.scalar(select(is_member)):
                raise NotAllowed("You are no member of this company any more")
            account_id = await _keep(session, state.user_id, account)
            former = await _keep_details(session, account_id, account)
            waking = await ask_waking(session, account_id=account_id, parked=True)
        await self._conducting.wake_many(waking)
        if former:
            await self._unipile.delete_account(former)
        return account_id

    async def _must_be_theirs(self, account: LinkedInAccount, state: OAuthStateRow) -> None:
        """Whoever has seen a link's name could name another's account, but none made since."""
        asked = {"provider_id": account.id}
        async with self._database.outside_session() as session:
            known = (await session.execute(_ACCOUNT_OF, asked)).one_or_none()
        if known is not None and known.company_id != state.company_id:
            raise Conflict("This session of LinkedIn serves another company")
        made_since = state.expires_at - LIFETIME - CLOCK_SKEW
        if known is None and account.created_at < made_since:
            raise NotAllowed("This account was not connected with this link")

    async def _find(self, caller: Caller, account_id: UUID) -> str:
        async with self._database.company_session(caller.company_id) as session:
            provider_id = await session.scalar(
                select(LinkedInAccountRow.provider_id).where(
                    LinkedInAccountRow.account_id == account_id
                )
            )
        if provider_id is None:
            raise NotFound(f"There is no account {account_id} of LinkedIn")
        return provider_id

    async def _find_state(self, name: str) -> OAuthStateRow:
        async with self._database.outside_session() as session:
            state = await session.scalar(
                select(OAuthStateRow).where(
                    OAuthStateRow.token_hash == self._keyring.token_hash(name),
                    OAuthStateRow.purpose == PURPOSE,
                    OAuthStateRow.used_at.is_(None),
                    OAuthStateRow.expires_at > datetime.now(UTC),
                )
            )
        if state is None:
            raise NotAuthenticated("This link was used or is too old: connect once more")
        return state

    async def _use(self, session: AsyncSession, state: OAuthStateRow) -> None:
        """In one statement, so that of two uses at once one finds nothing."""
        used = await session.scalar(
            update(OAuthStateRow)
            .where(OAuthStateRow.id == state.id, OAuthStateRow.used_at.is_(None))
            .values(used_at=datetime.now(UTC))
            .returning(OAuthStateRow.id)
        )
        if used is None:
            raise NotAuthenticated("This link was used already")

    @property
    def _news_url(self) -> str:
        return f"{self._places.public_url}/webhooks/unipile"

    @property
    def _unipile(self) -> UnipileClient:
        if self._client is None:
            raise Misconfigured(
                "Set DRUMBEAT_UNIPILE_ENDPOINT and DRUMBEAT_UNIPILE_API_KEY to connect accounts of"
                " LinkedIn"
            )
        return self._client


async def _keep(session: AsyncSession, user_id: UUID, account: LinkedInAccount) -> UUID:
    """A new account, or the old one awake again."""
    awake = {"status": AccountStatus.ACTIVE, "status_reason": None, "kind": AccountKind.LINKEDIN}
    kept: UUID | None = await session.scalar(
        insert(AccountRow)
        .values(
            id=uuid7(),
            user_id=user_id,
            email=f"linkedin.com/in/{account.public_id}".lower(),
            display_name=account.name,
            daily_limit=INVITATIONS_A_DAY,
            limits=FIRST_LIMITS,
            **awake,
        )
        .on_conflict_do_update(
            index_elements=[AccountRow.company_id, AccountRow.user_id, AccountRow.email], set_=awake
        )
        .returning(AccountRow.id)
    )
    assert kept is not None  # noqa: S101 - an upsert returns its row
    return kept


async def _keep_details(
    session: AsyncSession, account_id: UUID, account: LinkedInAccount
) -> str | None:
    """What it is called at Unipile; answers what it was called before, if that was otherwise."""
    where = LinkedInAccountRow.account_id == account_id
    former = await session.scalar(select(LinkedInAccountRow.provider_id).where(where))
    details = {
        "provider_id": account.id,
        "member_id": account.member_id,
        "public_id": account.public_id,
        "note_limit": account.note_limit,
    }
    await session.execute(
        insert(LinkedInAccountRow)
        .values(account_id=account_id, connected_at=datetime.now(UTC), **details)
        .on_conflict_do_update(
            index_elements=[LinkedInAccountRow.company_id, LinkedInAccountRow.account_id],
            set_=details,
        )
    )
    return former if former != account.id else None
