"""What is known of a deed at LinkedIn, and what may be said while nothing is."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

from activities.actions import Ledger
from activities.clock import is_retry, now
from activities.linkedin_accounts import OpenAccount
from activities.marks import clear_mark, new_mark, set_mark
from activities.results import Abandoned, Done, Postponed, Reserved, Skipped, Unconfirmed
from shared.domain.branches import StepOutcome
from shared.errors import AccountRefused, AuthExpired, ProviderError, RateLimited, Unavailable
from shared.linkedin_news import key_of_member, member_of_key
from shared.providers.linkedin import Member

Deed = Callable[[OpenAccount, Reserved], Awaitable[Done]]

# 15 s less than the activity's own limit, which leaves the record transaction its time.
CALL_SECONDS = 45
# An attempt that was cut off has ended by then, and Unipile's lists show what it did.
SETTLED_AFTER = timedelta(seconds=CALL_SECONDS + 120)


async def mark_deed(
    ledger: Ledger, reserved: Reserved, member: Member, *, chat_id: str = ""
) -> Reserved | None:
    """From here on it may have been done. None: nobody wants it any more.

    The mark of the answer is another attempt's when that was first.
    """
    mark, key = new_mark("linkedin"), key_of_member(member.id)
    kept = await set_mark(ledger, reserved, mark, thread_id=chat_id, message_id=key)
    if kept is None:
        return None
    marked = replace(
        reserved.action,
        draft_id=mark,
        thread_id=chat_id or None,
        message_id=key,
        confirmed_at=now(),
    )
    return replace(reserved, action=marked, is_wanted=kept == mark)


async def clear_deed(ledger: Ledger, reserved: Reserved) -> Reserved:
    """It is known not to have been done."""
    await clear_mark(ledger, reserved, reserved.action.draft_id or "")
    return replace(reserved, action=replace(reserved.action, draft_id=None, confirmed_at=None))


async def look_up(look: Deed, opened: OpenAccount, reserved: Reserved) -> Done:
    """What came of a marked deed. Abandoned: it was not done. A refusal here settles nothing."""
    try:
        return await look(opened, reserved)
    except (AuthExpired, AccountRefused, RateLimited, Unavailable):
        raise
    except ProviderError:
        return Unconfirmed()


def absent(reserved: Reserved) -> Postponed | Abandoned:
    """It is nowhere to be seen, which proves something only after a while."""
    action = reserved.action
    marked_at = now() if is_retry() else action.confirmed_at or action.attempted_at
    settled_at = marked_at + SETTLED_AFTER
    if now() < settled_at:
        return Postponed(until=settled_at, reason="whether LinkedIn has done it is looked up")
    return Abandoned(action.draft_id)


def marked_member(reserved: Reserved) -> str:
    """The member's id, which was kept with the mark."""
    member_id = member_of_key(reserved.action.message_id)
    assert member_id is not None  # noqa: S101 - one statement has kept both
    return member_id


def failed(reason: str) -> Skipped:
    """It cannot be done for this lead; the other steps go on."""
    return Skipped(reason=reason, outcomes={StepOutcome.FAILED: now()})


def skipped(reason: str) -> Skipped:
    return Skipped(reason=reason, outcomes={StepOutcome.SKIPPED: now()})
