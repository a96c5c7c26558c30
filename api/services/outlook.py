"""What a recipient waits for, and whether its slot will be given to it when its time comes.

First mails make room for follow-ups: one that was booked afterwards takes the place, and who has
lost it hears of that only when it is due. Whoever asks is told now.
"""

from bisect import insort
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.repositories.situations import Situation
from shared.db.repositories.slots import MOST_READ, find_slot, is_permitted
from shared.db.repositories.wishes import read_wish, wants_slot, window_for
from shared.domain.explanation import Explanation, explain
from shared.domain.recipient import Planned
from shared.domain.slots import Book, Hold, Limit, Slot, Wish, is_free
from shared.domain.windows import Opening, whole_second

_GOES_ON = text("select next_at from recipients where id = :id")


async def explain_situation(
    connection: AsyncConnection,
    situation: Situation,
    now: datetime,
    *,
    is_launched: bool = True,
    is_parked: bool = False,
) -> Explanation:
    """Asks the function that decides, with what it would be given now."""
    steps, progress = situation.steps, situation.to_progress(now)
    found = explain(steps, progress, now, is_launched=is_launched, is_parked=is_parked)
    if not isinstance(found.move, Planned):
        return found
    slot = await find_other_slot(connection, situation, found.move, now)
    begun = situation.open_action
    goes_on_at = (
        await connection.scalar(_GOES_ON, {"id": situation.recipient.id}) if begun else None
    )
    return explain(
        steps, progress, now, is_launched=is_launched, other_slot=slot, goes_on_at=goes_on_at
    )


async def find_other_slot(
    connection: AsyncConnection, situation: Situation, plan: Planned, now: datetime
) -> Slot | None:
    """The one that it will be given instead. None: it keeps what it has, or needs none."""
    if not wants_slot(situation, plan):
        return None
    account, at = situation.account_for(plan.step_id), max(plan.at, whole_second(now))
    assert account is not None  # noqa: S101 - whoever wants a slot has an account with limits
    limits = account.limits_for(plan.activity)
    wish, book = await read_wish(connection, situation, plan, account, now, most=MOST_READ)
    if not wish.is_first:
        # Nothing goes before it.
        return None
    due, window = replace(plan, at=at), window_for(situation, plan.step_id, at)
    book = _book_at(due, wish, book, limits=limits, window=window)
    if is_permitted(wish, book, limits, at):
        return None
    _, slot = find_slot(due, wish, book, limits=limits, window=window, now=at, is_refused=True)
    return slot


def _book_at(
    due: Planned, wish: Wish, book: Book, *, limits: Sequence[Limit], window: Opening | None
) -> Book:
    """As it will be when a plan is due: what was done until then, and who has lost a slot.

    Those take the next ones, as if they had the same hours as who asks.
    """
    before = [one for one in book.booked if one.at < due.at]
    firm = [*book.done, *(one.at for one in book.booked if not one.is_first)]
    firm.sort()
    holds = [Hold(firm, limit) for limit in limits]
    own = list(book.firsts_done.get(wish.campaign_id, ()))
    later = Book(
        done=sorted([*book.done, *(one.at for one in before if not one.is_first)]),
        firsts_done={wish.campaign_id: own},
        booked=[one for one in book.booked if one.at >= due.at],
        until=book.until,
    )
    for one in (one for one in before if one.is_first):
        if is_free(one.at, holds):
            insort(firm, one.at)
            insort(later.done, one.at)
            own += [one.at] if one.campaign_id == wish.campaign_id else []
        else:
            plan = replace(due, at=one.at)
            theirs = Wish(campaign_id=one.campaign_id, is_first=True)
            _, slot = find_slot(plan, theirs, later, limits=limits, window=window, now=due.at)
            later.add(replace(one, at=slot.at))
    return later
