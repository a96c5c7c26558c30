"""What an account's limits make of a plan: a slot when it is booked, permission when it is due."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from activities.clock import now
from shared.db.repositories.situations import Situation
from shared.db.repositories.slots import (
    LOCK_ACCOUNT,
    find_slot,
    is_permitted,
    read_book,
    read_share,
)
from shared.domain.recipient import Outcome, Planned, Progress, next_move
from shared.domain.slots import Book, Limit, Slot, Wish

Booked = tuple[Outcome, Slot | None]


async def book(connection: AsyncConnection, situation: Situation, outcome: Outcome) -> Booked:
    """The outcome in its account's next slot. An account without limits costs nothing here."""
    if not isinstance(outcome, Planned) or not _wants_slot(situation, outcome):
        return outcome, None
    limits, at = situation.limits, now()
    wish, shelf = await _read(connection, situation, outcome, limits, at)
    window = situation.to_progress(at).window
    return find_slot(outcome, wish, shelf, limits=limits, window=window, now=at)


async def permit(connection: AsyncConnection, situation: Situation, outcome: Outcome) -> Booked:
    """The plan that is due, or the next slot when its account has done enough by now.

    It is counted under the account's lock what was really done, so that no limit is passed.
    """
    if not isinstance(outcome, Planned) or not _wants_slot(situation, outcome):
        return outcome, None
    limits, at = situation.limits, now()
    await connection.execute(LOCK_ACCOUNT, {"id": situation.rest.account_id})
    wish, shelf = await _read(connection, situation, outcome, limits, at)
    if is_permitted(wish, shelf, limits, at):
        return outcome, kept_slot(situation, outcome)
    window = situation.to_progress(at).window
    return find_slot(outcome, wish, shelf, limits=limits, window=window, now=at, is_refused=True)


def decide_anew(situation: Situation) -> Outcome:
    """What comes next, whatever slot was booked for it: there may be an earlier one now."""
    progress: Progress = replace(situation.to_progress(now()), slot=None)
    return next_move(situation.steps, progress, now())


def kept_slot(situation: Situation, outcome: Outcome) -> Slot | None:
    """The slot that is booked already, while it is for what comes next."""
    row = situation.recipient
    is_for_it = isinstance(outcome, Planned) and outcome.step_id == row.slot_step_id
    return Slot(at=row.slot_at, words=row.slot_words or "") if is_for_it and row.slot_at else None


def _wants_slot(situation: Situation, plan: Planned) -> bool:
    """Not what was begun already: permission was given then."""
    return plan.step_id is not None and bool(situation.limits) and situation.open_action is None


async def _read(
    connection: AsyncConnection,
    situation: Situation,
    plan: Planned,
    limits: tuple[Limit, ...],
    at: datetime,
) -> tuple[Wish, Book]:
    row, account_id = situation.recipient, situation.rest.account_id
    wish = Wish(
        campaign_id=row.campaign_id,
        is_first=situation.last_sent is None,
        seed=f"{row.id}/{plan.step_id}",
    )
    book = await read_book(connection, account_id, limits, now=at, recipient_id=row.id)
    await read_share(connection, account_id, wish, book, limits=limits, now=at)
    return wish, book
