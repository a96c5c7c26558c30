"""What an account's limits make of a plan: a slot when it is booked, permission when it is due."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from activities.clock import now
from shared.db.repositories.serving import Account
from shared.db.repositories.situations import Situation
from shared.db.repositories.slots import (
    FEW_READ,
    LOCK_ACCOUNT,
    MOST_READ,
    find_slot,
    is_permitted,
    longest_of,
)
from shared.db.repositories.wishes import read_wish, wants_slot, window_for
from shared.domain.moves import next_move
from shared.domain.recipient import Outcome, Planned, Progress
from shared.domain.slots import Slot

Booked = tuple[Outcome, Slot | None]
# Who finds nothing free among so many bookings takes what is behind them, and asks again then.
MOST_SEARCHED = 40_000


async def book(connection: AsyncConnection, situation: Situation, outcome: Outcome) -> Booked:
    """The outcome in its account's next slot. An account without limits costs nothing here."""
    if not isinstance(outcome, Planned) or not wants_slot(situation, outcome):
        return outcome, None
    account, at = situation.account_for(outcome.step_id), now()
    assert account is not None  # noqa: S101 - whoever wants a slot has an account with limits
    return await _find(connection, situation, outcome, account, at)


async def permit(connection: AsyncConnection, situation: Situation, outcome: Outcome) -> Booked:
    """The plan that is due, or the next slot when its account has done enough by now.

    It is counted under the account's lock what was really done, so that no limit is passed.
    """
    if not isinstance(outcome, Planned) or not wants_slot(situation, outcome):
        return outcome, None
    account, at = situation.account_for(outcome.step_id), now()
    assert account is not None  # noqa: S101 - whoever wants a slot has an account with limits
    limits = account.limits_for(outcome.activity)
    await connection.execute(LOCK_ACCOUNT, {"id": account.id})
    wish, shelf = await read_wish(connection, situation, outcome, account, at, most=MOST_READ)
    if is_permitted(wish, shelf, limits, at):
        return outcome, kept_slot(situation, outcome)
    return await _find(connection, situation, outcome, account, at, is_refused=True)


def decide_anew(situation: Situation) -> Outcome:
    """What comes next, whatever slot was booked for it: there may be an earlier one now."""
    progress: Progress = replace(situation.to_progress(now()), slot=None)
    return next_move(situation.steps, progress, now())


def kept_slot(situation: Situation, outcome: Outcome) -> Slot | None:
    """The slot that is booked already, while it is for what comes next."""
    row = situation.recipient
    is_for_it = isinstance(outcome, Planned) and outcome.step_id == row.slot_step_id
    return Slot(at=row.slot_at, words=row.slot_words or "") if is_for_it and row.slot_at else None


async def _find(
    connection: AsyncConnection,
    situation: Situation,
    plan: Planned,
    account: Account,
    at: datetime,
    *,
    is_refused: bool = False,
) -> tuple[Planned, Slot]:
    """The next slot, from as little of the account's book as shows that it is free."""
    limits, window = account.limits_for(plan.activity), window_for(situation, plan.step_id, at)
    most = MOST_READ if not situation.has_begun_on(account.id) else FEW_READ
    while True:
        wish, shelf = await read_wish(connection, situation, plan, account, at, most=most)
        found, slot = find_slot(
            plan, wish, shelf, limits=limits, window=window, now=at, is_refused=is_refused
        )
        if shelf.knows(slot.at + longest_of(limits)) or most >= MOST_SEARCHED:
            return found, slot
        most *= 8
