"""What Unipile tells by itself, and what becomes of it."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Row, text

from api.conducting import Conducting
from api.services.inbound import InboundService
from shared.db.repositories.wakings import ask_waking
from shared.db.session import Database
from shared.errors import Misconfigured, NotAuthenticated
from shared.linkedin_news import accepted_event, message_event
from shared.providers.unipile_webhooks import (
    TROUBLES,
    WELL,
    AccountState,
    Heard,
    NewConnection,
    NewMessage,
    is_secret,
)

_ACCOUNT_OF = text("select company_id, id from account_of_unipile(:provider_id)")
_TAKE_DOWN = text("""
update accounts set status = 'needs_attention', status_reason = :reason
where id = :id and status = 'active'
""")
_BRING_BACK = text("""
update accounts set status = 'active', status_reason = null
where id = :id and status = 'needs_attention' returning id
""")


class LinkedInNewsService:
    """`secret` None: nobody may tell us anything."""

    def __init__(
        self,
        *,
        database: Database,
        conducting: Conducting,
        inbound: InboundService,
        secret: str | None,
    ) -> None:
        self._database = database
        self._conducting = conducting
        self._inbound = inbound
        self._secret = secret

    def check(self, given: str | None) -> None:
        """Raises unless it is Unipile that calls."""
        if self._secret is None:
            raise Misconfigured("Nobody may call here: set DRUMBEAT_UNIPILE_WEBHOOK_SECRET")
        if not is_secret(given, self._secret):
            raise NotAuthenticated("The header Unipile-Auth does not have the secret")

    async def hear(self, heard: Heard | None) -> bool:
        """Whether it was new. What concerns no account of ours is none of our business."""
        if heard is None:
            return False
        async with self._database.outside_session() as session:
            asked = {"provider_id": heard.account_id}
            account = (await session.execute(_ACCOUNT_OF, asked)).one_or_none()
        if account is None:
            return False
        match heard:
            case NewMessage():
                return not heard.is_ours and await self._receive_message(account, heard)
            case NewConnection():
                return await self._receive_connection(account, heard)
            case AccountState():
                return await self._note_state(account, heard.status)

    async def _receive_message(self, account: Row[tuple[UUID, UUID]], heard: NewMessage) -> bool:
        return await self._inbound.receive(
            message_event(
                account.company_id,
                account.id,
                message_id=heard.message_id,
                chat_id=heard.chat_id,
                member_id=heard.sender_id,
                text=heard.text,
                at=heard.at,
            )
        )

    async def _receive_connection(
        self, account: Row[tuple[UUID, UUID]], heard: NewConnection
    ) -> bool:
        # Unipile does not say since when.
        at = datetime.now(UTC)
        event = accepted_event(account.company_id, account.id, member_id=heard.member_id, at=at)
        return await self._inbound.receive(event)

    async def _note_state(self, account: Row[tuple[UUID, UUID]], status: str) -> bool:
        waking, changed = None, False
        async with self._database.company_session(account.company_id) as session:
            if reason := TROUBLES.get(status):
                await session.execute(_TAKE_DOWN, {"id": account.id, "reason": reason})
                changed = True
            elif status in WELL:
                changed = bool(await session.scalar(_BRING_BACK, {"id": account.id}))
                if changed:
                    waking = await ask_waking(session, account_id=account.id, parked=True)
        await self._conducting.wake_many(waking)
        return changed
