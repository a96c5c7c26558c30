"""What LinkedIn tells, by webhook or when asked, as the one event that it is either way."""

from datetime import datetime
from uuid import UUID

from shared.contracts.inbound import InboundEvent
from shared.domain.inbound import InboundKind
from shared.providers.stop_words import asks_to_stop

PROVIDER = "linkedin"


def key_of_member(member_id: str) -> str:
    """Kept where a mail has its Message-ID: by it an answer of this member finds its action."""
    return f"{PROVIDER}/{member_id}"


def member_of_key(key: str | None) -> str | None:
    return key.removeprefix(f"{PROVIDER}/") if key else None


def message_event(
    company_id: UUID,
    account_id: UUID,
    *,
    message_id: str,
    chat_id: str,
    member_id: str,
    text: str,
    at: datetime,
) -> InboundEvent:
    """A member has written to an account of ours. What is nobody's is private, and not kept."""
    return InboundEvent(
        company_id=company_id,
        account_id=account_id,
        provider=PROVIDER,
        provider_event_id=f"message/{message_id}",
        kind=InboundKind.UNSUBSCRIBE if asks_to_stop(text) else InboundKind.REPLY,
        occurred_at=at,
        thread_id=chat_id,
        message_ids=(key_of_member(member_id),),
        text=text,
        is_kept_unmatched=False,
    )


def accepted_event(
    company_id: UUID, account_id: UUID, *, member_id: str, at: datetime
) -> InboundEvent:
    """A member is connected to an account of ours."""
    return InboundEvent(
        company_id=company_id,
        account_id=account_id,
        provider=PROVIDER,
        provider_event_id=f"accepted/{member_id}",
        kind=InboundKind.ACCEPTED,
        occurred_at=at,
        message_ids=(key_of_member(member_id),),
        is_kept_unmatched=False,
    )
