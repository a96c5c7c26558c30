"""Finds what was left behind by a crash anywhere, and sets it going again."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, TextClause, text
from temporalio import activity
from uuid_utils.compat import uuid7

from shared.conductor import Conductor
from shared.contracts.imports import ImportOrder
from shared.contracts.operations import LaunchOrder, WakingOrder
from shared.contracts.recipient import ActionOrder, RecipientRef, WakeSignal
from shared.db.repositories.situations import MAIL_ACTIVITY
from shared.db.session import Database
from shared.domain.recipient import ActivityName
from shared.inbound import repeat_signals

MOST = 200
OVERDUE = timedelta(minutes=15)
UNSTARTED = timedelta(seconds=30)
UNSIGNALLED = timedelta(seconds=30)
PARKED = timedelta(seconds=30)
UNSETTLED = timedelta(minutes=5)

_TO_LAUNCH = text("select company_id, id from campaigns_to_launch()")
_UNFINISHED = text("select company_id, id from imports_unfinished(:before, :most)")
_UNTOLD = text("select company_id, id from wakings_open(:before, :most)")
_OVERDUE = text("select company_id, id from recipients_overdue(:before, :most)")
_UNSIGNALLED = text("select company_id, id from events_unsignalled(:before, :most)")
_PARKED = text("select company_id, id from recipients_parked_in_vain(:before, :most)")
_UNSETTLED = text("select company_id, id from actions_unsettled(:before, :most)")
_CAMPAIGN_OF = text("select campaign_id from recipients where id = :id")
_ACTION = text(
    "select x.recipient_id, x.step_id, x.activity, a.kind from actions x"
    " join accounts a on a.id = x.account_id where x.id = :id"
)
# The next sweep leaves it alone until it is overdue once more.
_TOUCH = text("update recipients set next_at = :at where id = :id and closed_at is null")


class SweepActivities:
    """Each activity mends one kind of leftover and answers how many it found.

    Sweeping goes by the rows' own times, so its clock is the real one.
    """

    def __init__(self, *, database: Database, conductor: Conductor) -> None:
        self._database = database
        self._conductor = conductor

    @activity.defn(name="sweep.launch")
    async def launch(self) -> int:
        """What has a workflow of its own: launches, wakings, and files of leads."""
        found = await self._look_up(_TO_LAUNCH)
        for row in found:
            order = LaunchOrder(company_id=row.company_id, campaign_id=row.id)
            await self._conductor.launch(order)
        wakings = await self._look_up(_UNTOLD, before=_ago(UNSTARTED), most=MOST)
        for row in wakings:
            await self._conductor.wake_many(
                WakingOrder(company_id=row.company_id, waking_id=row.id)
            )
        imports = await self._look_up(_UNFINISHED, before=_ago(UNSTARTED), most=MOST)
        for row in imports:
            await self._conductor.start_import(
                ImportOrder(company_id=row.company_id, job_id=row.id)
            )
        return len(found) + len(wakings) + len(imports)

    @activity.defn(name="sweep.restart")
    async def restart(self) -> int:
        """Open recipients long overdue: their workflow was terminated, or Temporal's data lost.

        A wake starts a workflow that is not there.
        """
        found = await self._look_up(_OVERDUE, before=_ago(OVERDUE), most=MOST)
        for row in found:
            if recipient := await self._find(row):
                await self._wake(recipient)
                async with self._database.company_transaction(row.company_id) as connection:
                    await connection.execute(_TOUCH, {"id": row.id, "at": _ago()})
        return len(found)

    @activity.defn(name="sweep.signal")
    async def signal(self) -> int:
        """Stored events whose workflows may not have been told."""
        found = await self._look_up(_UNSIGNALLED, before=_ago(UNSIGNALLED), most=MOST)
        for row in found:
            await repeat_signals(self._database, self._conductor, row.company_id, row.id)
        return len(found)

    @activity.defn(name="sweep.wake")
    async def wake(self) -> int:
        """Recipients parked for a reason that no longer holds."""
        found = await self._look_up(_PARKED, before=_ago(PARKED), most=MOST)
        for row in found:
            if recipient := await self._find(row):
                await self._wake(recipient)
        return len(found)

    @activity.defn(name="sweep.find_unsettled")
    async def find_unsettled(self) -> list[ActionOrder]:
        """Actions that an attempt left open and that nobody has taken up again."""
        found = await self._look_up(_UNSETTLED, before=_ago(UNSETTLED), most=MOST)
        return [order for row in found if (order := await self._order(row))]

    @activity.defn(name="sweep.wake_settled")
    async def wake_settled(self, order: ActionOrder) -> None:
        """The action is settled, so its recipient can go on."""
        async with self._database.company_transaction(order.company_id) as connection:
            campaign_id = await connection.scalar(_CAMPAIGN_OF, {"id": order.recipient_id})
        if campaign_id is not None:
            await self._wake(
                RecipientRef(
                    company_id=order.company_id,
                    campaign_id=campaign_id,
                    recipient_id=order.recipient_id,
                )
            )

    async def _wake(self, recipient: RecipientRef) -> None:
        await self._conductor.wake(recipient, WakeSignal(event_id=uuid7()))

    async def _look_up(self, query: TextClause, **values: object) -> Sequence[Row[Any]]:
        async with self._database.outside_session() as session:
            return (await session.execute(query, values)).all()

    async def _find(self, row: Row[Any]) -> RecipientRef | None:
        async with self._database.company_transaction(row.company_id) as connection:
            campaign_id = await connection.scalar(_CAMPAIGN_OF, {"id": row.id})
        if campaign_id is None:
            return None
        return RecipientRef(company_id=row.company_id, campaign_id=campaign_id, recipient_id=row.id)

    async def _order(self, row: Row[Any]) -> ActionOrder | None:
        async with self._database.company_transaction(row.company_id) as connection:
            action = (await connection.execute(_ACTION, {"id": row.id})).one_or_none()
        if action is None:
            return None
        return ActionOrder(
            company_id=row.company_id,
            recipient_id=action.recipient_id,
            activity=ActivityName(action.activity or MAIL_ACTIVITY[action.kind]),
            step_id=action.step_id,
        )


def _ago(time: timedelta = timedelta()) -> datetime:
    return datetime.now(UTC) - time
