"""What a recipient's next step wants of its account, and what the account has for it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.repositories.serving import Account
from shared.db.repositories.situations import Situation
from shared.db.repositories.slots import read_book, read_share
from shared.domain.moves import windows_of
from shared.domain.recipient import Planned
from shared.domain.slots import Book, Wish
from shared.domain.windows import Opening, joined


def wants_slot(situation: Situation, plan: Planned) -> bool:
    """Not what was begun already: permission was given then."""
    if plan.step_id is None or situation.open_action is not None or situation.is_dry_run:
        return False
    account = situation.account_for(plan.step_id)
    return account is not None and bool(account.limits_for(plan.activity))


def window_for(situation: Situation, step_id: UUID | None, at: datetime) -> Opening | None:
    """All that has to be open for the step: for a call also what the law allows."""
    progress = situation.to_progress(at)
    step = next(step for step in situation.steps if step.id == step_id)
    return joined(*windows_of(step, progress))


async def read_wish(
    connection: AsyncConnection,
    situation: Situation,
    plan: Planned,
    account: Account,
    at: datetime,
    *,
    most: int,
) -> tuple[Wish, Book]:
    """The wish, and the account's book without the slot that this recipient has."""
    row, limits, account_id = situation.recipient, account.limits_for(plan.activity), account.id
    counted = plan.activity if plan.activity in account.limits_by_activity else None
    wish = Wish(
        campaign_id=row.campaign_id,
        is_first=not situation.has_begun_on(account_id),
        seed=f"{row.id}/{plan.step_id}",
    )
    book = await read_book(
        connection,
        account_id,
        limits,
        now=at,
        recipient_id=row.id,
        activity=counted,
        earliest=None if wish.is_first else plan.at,
        most=most,
    )
    await read_share(connection, account_id, wish, book, limits=limits, now=at)
    return wish, book
