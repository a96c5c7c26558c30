"""What happens, told to open pages while it happens.

One reader a process asks the database once a second, for the companies that somebody watches.
Events commit out of order, so it looks back a little each time and knows what it has told.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.exc import SQLAlchemyError

from api.callers import Caller
from api.errors import TooManyAttempts
from api.services.campaigns import get_campaign
from shared.db.session import Database

READ_EVERY = 1.0
# Longer than a transaction that writes an event takes to commit.
LOOK_BACK = timedelta(seconds=10)
PAGE = 1_000
# A page that has so many events before it reads too slowly.
MOST_WAITING = 20_000
STREAMS_OF_ONE = 6
STREAMS_OF_ALL = 1_000

_COLUMNS = "id, name, campaign_id, recipient_id, action_id, payload, created_at"
_NOW = text("select clock_timestamp()")
_LATEST = text("select id from events order by created_at desc limit 1")
_SEEN = text("select created_at from events where id = :id")
_NEW = text(f"""
select {_COLUMNS} from events
where created_at >= :since and id <> all (:told) order by created_at, id
""")  # noqa: S608 - our own words
_MISSED = text(f"""
select {_COLUMNS} from events where (created_at, id) > (:at, :id) and created_at >= :at
  and (cast(:campaign_id as uuid) is null or campaign_id = :campaign_id)
order by created_at, id limit {PAGE}
""")  # noqa: S608 - our own words

log = logging.getLogger(__name__)
Event = Row[Any]


class Watcher:
    """One open page: what it wants, since when, and what waits to be told to it.

    `latest`: the last event before it came, so that it can come back before it has seen any.
    """

    def __init__(self, caller: Caller, campaign_id: UUID | None) -> None:
        self.company_id = caller.company_id
        self.campaign_id = campaign_id
        self.person = caller.user_id or caller.company_id
        self.since: datetime | None = None
        self.last_seen: UUID | None = None
        self.latest: UUID | None = None
        self._waiting: asyncio.Queue[Event | None] = asyncio.Queue()

    def tell(self, events: Sequence[Event]) -> None:
        wanted = [it for it in events if self._wants(it)]
        if self._waiting.qsize() + len(wanted) > MOST_WAITING:
            self.close()
            return
        for event in wanted:
            self._waiting.put_nowait(event)

    def close(self) -> None:
        """The page shall ask again: it goes on after the last event that it has seen."""
        self._waiting.put_nowait(None)

    async def next(self, *, within: float) -> Event | None:
        """None: it was closed. Raises TimeoutError when nothing happens for so many seconds."""
        return await asyncio.wait_for(self._waiting.get(), within)

    def _wants(self, event: Event) -> bool:
        is_known = event.id == self.last_seen or (self.since and event.created_at < self.since)
        return not is_known and self.campaign_id in {None, event.campaign_id}


class EventService:
    def __init__(self, *, database: Database, read_every: float = READ_EVERY) -> None:
        self._database = database
        self._read_every = read_every
        self._watchers: defaultdict[UUID, set[Watcher]] = defaultdict(set)
        self._told: dict[UUID, dict[UUID, datetime]] = {}
        self._reader: asyncio.Task[None] | None = None
        self._is_closed = False

    async def open(
        self, caller: Caller, *, campaign_id: UUID | None, last_seen: UUID | None
    ) -> Watcher:
        """From now on, or from the event after the last one seen. Who opens has to leave.

        Raises NotFound for a campaign that is not there, TooManyAttempts.
        """
        watcher = Watcher(caller, campaign_id)
        self._take_a_place(watcher)
        try:
            async with self._database.company_session(caller.company_id) as session:
                if campaign_id:
                    await get_campaign(session, campaign_id)
                watcher.since = await session.scalar(_SEEN, {"id": last_seen})
                if watcher.since:
                    watcher.last_seen = last_seen
                else:
                    watcher.latest = await session.scalar(_LATEST)
                    watcher.since = await session.scalar(_NOW)
        except BaseException:
            self.leave(watcher)
            raise
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._read())
        return watcher

    async def missed(self, watcher: Watcher) -> AsyncIterator[Event]:
        """What happened between the last event that it has seen and now."""
        place = watcher.since, watcher.last_seen
        while place[1] is not None:
            values = {"at": place[0], "id": place[1], "campaign_id": watcher.campaign_id}
            async with self._database.company_session(watcher.company_id) as session:
                page = (await session.execute(_MISSED, values)).all()
            for event in page:
                yield event
            place = (page[-1].created_at, page[-1].id) if len(page) == PAGE else (None, None)

    def leave(self, watcher: Watcher) -> None:
        """Doing it twice is the same."""
        self._watchers[watcher.company_id].discard(watcher)
        if not self._watchers[watcher.company_id]:
            del self._watchers[watcher.company_id]
            self._told.pop(watcher.company_id, None)
        if not self._watchers and self._reader:
            self._reader.cancel()
            self._reader = None

    def close(self) -> None:
        """End every stream, so that the process need not wait for them."""
        self._is_closed = True
        for watchers in self._watchers.values():
            for watcher in watchers:
                watcher.close()

    def _take_a_place(self, watcher: Watcher) -> None:
        """At once: whoever asks meanwhile is counted as well."""
        watchers = [it for company in self._watchers.values() for it in company]
        own = sum(it.person == watcher.person for it in watchers)
        if self._is_closed or own >= STREAMS_OF_ONE or len(watchers) >= STREAMS_OF_ALL:
            raise TooManyAttempts(
                f"At most {STREAMS_OF_ONE} streams are open at a time: close one first",
                retry_after=timedelta(seconds=10),
            )
        self._watchers[watcher.company_id].add(watcher)

    async def _read(self) -> None:
        while True:
            await asyncio.sleep(self._read_every)
            for company_id in list(self._watchers):
                events: Sequence[Event] = ()
                try:
                    events = await self._look(company_id)
                except (OSError, SQLAlchemyError) as error:
                    # While the database is away the pages wait.
                    log.warning("events.unread", extra={"error": type(error).__name__})
                for watcher in list(self._watchers.get(company_id, ())):
                    watcher.tell(events)

    async def _look(self, company_id: UUID) -> Sequence[Event]:
        told = self._told.setdefault(company_id, {})
        async with self._database.company_transaction(company_id) as connection:
            now: datetime = (await connection.execute(_NOW)).scalar_one()
            found = await connection.execute(_NEW, {"since": now - LOOK_BACK, "told": list(told)})
            events = found.all()
        fresh = {it.id: it.created_at for it in events}
        kept = {id_: at for id_, at in told.items() if at >= now - LOOK_BACK}
        self._told[company_id] = kept | fresh
        return events
