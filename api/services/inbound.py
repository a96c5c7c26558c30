"""What people and other people's jobs report: the same events that providers send."""

from datetime import UTC, datetime
from uuid import UUID

from api.callers import Caller
from api.conducting import Conducting, best_effort
from api.services.campaigns import get_campaign
from api.services.recipients import lock_recipient
from shared.contracts.inbound import InboundEvent
from shared.db.session import Database
from shared.domain.inbound import PERSON, InboundKind
from shared.inbound import receive_inbound
from shared.keyring import Keyring


class InboundService:
    def __init__(self, *, database: Database, keyring: Keyring, conducting: Conducting) -> None:
        self._database = database
        self._keyring = keyring
        self._conducting = conducting

    async def receive(self, event: InboundEvent) -> bool:
        """True when it was new. It is kept even if Temporal cannot be told now."""
        async with best_effort():
            return await receive_inbound(
                self._database, self._keyring, self._conducting.conductor, event
            )
        return True

    async def mark_responded(self, caller: Caller, campaign_id: UUID, recipient_id: UUID) -> None:
        """A person has heard from the lead by another way."""
        async with self._database.company_session(caller.company_id) as session:
            await get_campaign(session, campaign_id)
            await lock_recipient(session, campaign_id, recipient_id)
        await self.receive(
            InboundEvent(
                company_id=caller.company_id,
                account_id=None,
                provider=PERSON,
                provider_event_id=f"mark-responded/{recipient_id}",
                kind=InboundKind.REPLY,
                occurred_at=datetime.now(UTC),
                recipient_id=recipient_id,
            )
        )
