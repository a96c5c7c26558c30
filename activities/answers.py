"""What can wait until the recipients were told: whose an answer is, and what it means."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, TextClause, text
from temporalio import activity

from activities.reply_model import ReplyModel
from shared.conductor import Conductor
from shared.db.repositories.answers import note_class
from shared.db.session import Database
from shared.domain.inbound import ClassSource
from shared.errors import Refused, Unavailable
from shared.inbound import match_again
from shared.keyring import Keyring

log = logging.getLogger(__name__)

MOST_MATCHED, MOST_ASKED, MOST_FAILED = 200, 50, 3
# Long enough for a mail that nobody could be sure about, and for its settling.
MATCHED_FOR = timedelta(days=30)
TRIED_EVERY = timedelta(minutes=1)
# Older ones keep the class that the rules have given them.
ASKED_FOR = timedelta(days=1)

_UNMATCHED = text("select company_id, id from events_unmatched(:since, :before, :most)")
_UNASKED = text("select company_id, id from replies_unasked(:since, :most)")
_REPLY = text("select subject, text from inbound_events where id = :id")
_ASKED = text("update inbound_events set class_asked_at = clock_timestamp() where id = :id")


class AnswerActivities:
    """Its clock is the real one, as that of whoever stored the events."""

    def __init__(
        self,
        *,
        database: Database,
        keyring: Keyring,
        conductor: Conductor,
        model: ReplyModel | None,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._conductor = conductor
        self._model = model

    @activity.defn(name="answers.match")
    async def match(self) -> int:
        """Look again whose those events are that were nobody's; answers how many were found."""
        at = datetime.now(UTC)
        found = await self._look_up(
            _UNMATCHED, since=at - MATCHED_FOR, before=at - TRIED_EVERY, most=MOST_MATCHED
        )
        matched = 0
        for row in found:
            matched += await match_again(
                self._database, self._keyring, self._conductor, row.company_id, row.id
            )
        return matched

    @activity.defn(name="answers.classify")
    async def classify(self) -> int:
        """Ask the model, if there is one, what new replies mean; answers how many it knew."""
        if self._model is None:
            return 0
        since = datetime.now(UTC) - ASKED_FOR
        classified = failed = 0
        for row in await self._look_up(_UNASKED, since=since, most=MOST_ASKED):
            activity.heartbeat()
            try:
                classified += await self._ask(self._model, row)
            except Unavailable as error:
                log.warning("reply.not_classified %s", type(error).__name__)
                failed += 1
                if failed == MOST_FAILED:
                    break
        return classified

    async def _ask(self, model: ReplyModel, row: Row[Any]) -> bool:
        async with self._database.company_transaction(row.company_id) as connection:
            reply = (await connection.execute(_REPLY, {"id": row.id})).one_or_none()
        if reply is None:
            return False
        try:
            reply_class = await model.read(reply.text, subject=reply.subject or "")
        except Refused:
            # The rules' word stands, and the model is not asked again.
            async with self._database.company_transaction(row.company_id) as connection:
                await connection.execute(_ASKED, {"id": row.id})
            return False
        async with self._database.company_transaction(row.company_id) as connection:
            await note_class(connection, row.id, reply_class, source=ClassSource.MODEL)
        return True

    async def _look_up(self, query: TextClause, **values: object) -> Sequence[Row[Any]]:
        async with self._database.outside_session() as session:
            return (await session.execute(query, values)).all()
