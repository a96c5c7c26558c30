"""Notes opens and clicks, by whom, for campaigns that ask for it."""

import logging
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from api.conducting import Conducting
from shared.contracts.recipient import RecipientRef
from shared.db.repositories.ledger import action_id_of
from shared.db.repositories.outcomes import note_outcome
from shared.db.session import Database
from shared.domain.branches import StepOutcome
from shared.domain.tracking import Hit, TrackingKind, Visitor, visitor_of
from shared.keyring import Keyring
from shared.tracking import TrackedLink, read_tracked_link

LONGEST_USER_AGENT = 300

_log = logging.getLogger(__name__)
_SENT = text("""
select x.settled_at, x.campaign_id from actions x join campaigns c on c.id = x.campaign_id
where x.id = :action_id and case :kind when 'open' then c.track_opens else c.track_clicks end
""")
_NOTE = text("""
insert into tracking_events (recipient_id, campaign_id, step_id, action_id, kind, visitor, url,
  user_agent, first_at, last_at)
select x.recipient_id, x.campaign_id, x.step_id, x.id, :kind, :visitor, :url, :user_agent,
  :now, :now
from actions x where x.id = :action_id
on conflict (company_id, action_id, kind, visitor, url)
do update set hits = tracking_events.hits + 1, last_at = excluded.last_at
""")


class TrackingService:
    def __init__(self, *, database: Database, keyring: Keyring, conducting: Conducting) -> None:
        self._database = database
        self._keyring = keyring
        self._conducting = conducting

    def read(self, kind: TrackingKind, token: str) -> TrackedLink | None:
        """None: not our token."""
        return read_tracked_link(self._keyring, kind, token)

    async def note(self, link: TrackedLink, hit: Hit) -> None:
        """Keep it if it can be kept: a person must come through whatever state we are in."""
        try:
            awaited = await self._note(link, hit, datetime.now(UTC))
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            _log.warning("tracking.not_noted %s", type(error).__name__)
        else:
            await self._conducting.wake(awaited)

    async def _note(self, link: TrackedLink, hit: Hit, now: datetime) -> list[RecipientRef]:
        """Returns whoever waits for just this."""
        action_id = action_id_of(link.recipient_id, link.step_id)
        asked = {"action_id": action_id, "kind": link.kind}
        async with self._database.company_transaction(link.company_id) as connection:
            sent = (await connection.execute(_SENT, asked)).one_or_none()
            if sent is None:
                return []
            if sent.settled_at:
                passed = (now - sent.settled_at).total_seconds()
                hit = replace(hit, seconds_since_sent=passed)
            visitor = visitor_of(hit)
            noted = asked | {
                "visitor": visitor,
                "url": link.target,
                "user_agent": hit.user_agent[:LONGEST_USER_AGENT].replace("\x00", ""),
                "now": now,
            }
            await connection.execute(_NOTE, noted)
            is_awaited = False
            for outcome in _outcomes_of(link.kind, visitor):
                is_awaited |= await note_outcome(connection, action_id, outcome, at=now)
        ref = RecipientRef(
            company_id=link.company_id, campaign_id=sent.campaign_id, recipient_id=link.recipient_id
        )
        return [ref] if is_awaited else []


def _outcomes_of(kind: TrackingKind, visitor: Visitor) -> tuple[StepOutcome, ...]:
    """What a hit says of its mail, where a person is behind it. Who clicks has opened it."""
    if kind is TrackingKind.CLICK and visitor is Visitor.PERSON:
        return StepOutcome.OPENED, StepOutcome.CLICKED
    if kind is TrackingKind.OPEN and visitor in {Visitor.PERSON, Visitor.IMAGE_PROXY}:
        return (StepOutcome.OPENED,)
    return ()
