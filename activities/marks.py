"""The point of no return of a call that has no one-time token: marked just before it.

The mark is kept where a draft's id would be. Whoever finds one of another attempt looks for what
that attempt may have done, and never repeats it blindly.
"""

from uuid import uuid4

from activities.actions import Ledger
from activities.results import Reserved, hash_of
from shared.db.repositories.drafts import forget_draft, keep_draft, keep_message_id


def new_mark(provider: str) -> str:
    return f"{provider}/{uuid4()}"


async def set_mark(
    ledger: Ledger,
    reserved: Reserved,
    mark: str,
    *,
    thread_id: str = "",
    message_id: str | None = None,
) -> str | None:
    """Look a last time whether it is wanted. From here on it may have been done.

    Returns the mark that counts, which may be another attempt's. None: nobody wants it any more.
    `thread_id`, `message_id`: what a later look-up goes by.
    """
    action, company_id = reserved.action, reserved.situation.recipient.company_id
    async with ledger.database.company_transaction(company_id) as connection:
        kept = await keep_draft(
            connection,
            reserved.situation.recipient.id,
            action.id,
            company_id=company_id,
            round_=action.round,
            draft_id=mark,
            thread_id=thread_id,
        )
        if message_id and kept is not None and kept.draft_id == mark:
            await keep_message_id(connection, action.id, message_id)
    return kept.draft_id if kept else None


async def clear_mark(ledger: Ledger, reserved: Reserved, mark: str) -> None:
    """The provider has said that it did not do it, or it is known not to have."""
    content_hash = _hash_now(reserved)
    company_id = reserved.situation.recipient.company_id
    async with ledger.database.company_transaction(company_id) as connection:
        await forget_draft(connection, reserved.action.id, draft_id=mark, content_hash=content_hash)


def _hash_now(reserved: Reserved) -> bytes:
    """Of what the step says now; of what it said when it is there no more."""
    version, action = reserved.situation.version, reserved.action
    if version is None or action.step_id not in version.contents:
        return bytes.fromhex(action.content_hash or "")
    return hash_of(reserved.situation, action.step_id)
