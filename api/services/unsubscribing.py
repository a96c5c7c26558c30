"""A lead unsubscribes by the link in a mail, whatever has become of the campaign since."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import text

from api.conducting import Conducting
from api.services.inbound import InboundService
from api.services.suppressing import Forbidden, suppress
from shared.contracts.inbound import InboundEvent
from shared.db.session import Database
from shared.domain.inbound import InboundKind
from shared.domain.recipient import EndReason
from shared.keyring import Keyring
from shared.suppression import SuppressionKind, SuppressionReason
from shared.unsubscribing import Unsubscription, read_unsubscribe_token

SOURCE = "unsubscribe_page"
_STATE = text("""
select c.name, exists (
  select 1 from suppressions s where s.key_hash = :key_hash) as is_done,
  (select l.email from recipients r join leads l on l.id = r.lead_id
   where r.id = :recipient_id) as email,
  (select l.language from recipients r join leads l on l.id = r.lead_id
   where r.id = :recipient_id) as language
from companies c
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsubscribePage:
    """`sender`: whose mails they are; None: the company is gone, and nobody writes any more.

    `language`: the lead's, if somebody has said so.
    """

    sender: str | None
    is_done: bool
    language: str | None = None


class UnsubscribeService:
    def __init__(
        self,
        *,
        database: Database,
        keyring: Keyring,
        conducting: Conducting,
        inbound: InboundService,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._conducting = conducting
        self._inbound = inbound

    async def find(self, token: str) -> UnsubscribePage | None:
        """Changes nothing: whatever looks at mail follows every link. None: not our token."""
        asked = read_unsubscribe_token(self._keyring, token)
        if asked is None:
            return None
        async with self._database.company_transaction(asked.company_id) as connection:
            state = (await connection.execute(_STATE, _known(asked))).one_or_none()
        if state is None:
            return UnsubscribePage(sender=None, is_done=True)
        return UnsubscribePage(sender=state.name, is_done=state.is_done, language=state.language)

    async def unsubscribe(self, token: str) -> UnsubscribePage | None:
        """Once and often are the same. None: not our token."""
        asked = read_unsubscribe_token(self._keyring, token)
        if asked is None:
            return None
        await self._inbound.receive(
            InboundEvent(
                company_id=asked.company_id,
                account_id=None,
                provider=SOURCE,
                provider_event_id=f"{SOURCE}/{asked.recipient_id}/{asked.address_key.hex()}",
                kind=InboundKind.UNSUBSCRIBE,
                occurred_at=datetime.now(UTC),
                recipient_id=asked.recipient_id,
                # Without its recipient it says nothing; the suppression below is what is left.
                is_kept_unmatched=False,
            )
        )
        return await self._suppress(asked)

    async def _suppress(self, asked: Unsubscription) -> UnsubscribePage:
        """The address that the mail went to, though lead or recipient may be gone or changed."""
        company_id, key_hash = asked.company_id, asked.address_key
        async with self._database.company_transaction(company_id) as connection:
            state = (await connection.execute(_STATE, _known(asked))).one_or_none()
            if state is None:
                return UnsubscribePage(sender=None, is_done=True)
            page = UnsubscribePage(sender=state.name, is_done=True, language=state.language)
            if state.is_done:
                return page
            kind = SuppressionKind.EMAIL
            is_theirs = state.email and self._keyring.suppression_key(kind, state.email) == key_hash
            forbidden = Forbidden(
                kind=kind,
                key_hash=key_hash,
                value=state.email if is_theirs else None,
                reason=SuppressionReason.UNSUBSCRIBE,
            )
            reason = EndReason.UNSUBSCRIBED
            done = await suppress(
                connection, company_id, [forbidden], source=SOURCE, end_reason=reason
            )
        await self._conducting.stop(done.stops, reason)
        return page


def _known(asked: Unsubscription) -> dict[str, object]:
    return {"key_hash": asked.address_key, "recipient_id": asked.recipient_id}
