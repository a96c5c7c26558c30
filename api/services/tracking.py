"""Notes opens and clicks, by whom, for campaigns that ask for it."""

import logging
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from shared.db.repositories.ledger import action_id_of
from shared.db.session import Database
from shared.domain.tracking import Hit, TrackingKind, visitor_of
from shared.keyring import Keyring
from shared.tracking import TrackedLink, read_tracked_link

LONGEST_USER_AGENT = 300

_log = logging.getLogger(__name__)
_SENT = text("""
select x.settled_at from actions x join campaigns c on c.id = x.campaign_id
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
    def __init__(self, *, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    def read(self, kind: TrackingKind, token: str) -> TrackedLink | None:
        """None: not our token."""
        return read_tracked_link(self._keyring, kind, token)

    async def note(self, link: TrackedLink, hit: Hit) -> None:
        """Keep it if it can be kept: a person must come through whatever state we are in."""
        try:
            await self._note(link, hit, datetime.now(UTC))
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            _log.warning("tracking.not_noted %s", type(error).__name__)

    async def _note(self, link: TrackedLink, hit: Hit, now: datetime) -> None:
        action_id = action_id_of(link.recipient_id, link.step_id)
        asked = {"action_id": action_id, "kind": link.kind}
        async with self._database.company_transaction(link.company_id) as connection:
            sent = (await connection.execute(_SENT, asked)).one_or_none()
            if sent is None:
                return
            if sent.settled_at:
                passed = (now - sent.settled_at).total_seconds()
                hit = replace(hit, seconds_since_sent=passed)
            noted = asked | {
                "visitor": visitor_of(hit),
                "url": link.target,
                "user_agent": hit.user_agent[:LONGEST_USER_AGENT].replace("\x00", ""),
                "now": now,
            }
            await connection.execute(_NOTE, noted)
