"""A mail from a mailbox, as an event: whose it may be, and whether one of us wrote it."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.inbound import InboundEvent
from shared.domain.inbound import InboundKind
from shared.providers.gmail import RawMail
from shared.providers.received import Kind, Received, classify, return_at
from shared.tokens import AccountRef

KINDS = {
    Kind.REPLY: InboundKind.REPLY,
    Kind.AUTO_REPLY: InboundKind.AUTO_REPLY,
    Kind.BOUNCE_HARD: InboundKind.BOUNCE,
    Kind.BOUNCE_SOFT: InboundKind.SOFT_BOUNCE,
    Kind.BLOCKED: InboundKind.BLOCKED,
    Kind.DELAYED: InboundKind.DELAYED,
    Kind.COMPLAINT: InboundKind.COMPLAINT,
    Kind.UNSUBSCRIBE: InboundKind.UNSUBSCRIBE,
}
_TEAM = text("""
select lower(email) from accounts
union select lower(send_as) from accounts where send_as is not null
union select lower(u.email) from memberships m join users u on u.id = m.user_id
""")


async def list_team(connection: AsyncConnection) -> frozenset[str]:
    """The addresses from which this company itself writes."""
    return frozenset(await connection.scalars(_TEAM))


def to_event(
    account: AccountRef, mail: RawMail, received: Received, provider: str, team: frozenset[str]
) -> InboundEvent:
    kind = classify(received)
    is_away = kind is Kind.AUTO_REPLY
    # A colleague who writes into the thread by hand is no lead, unless the lead is that colleague.
    is_ours = received.sender in team
    return InboundEvent(
        company_id=account.company_id,
        account_id=account.account_id,
        provider=provider,
        provider_event_id=mail.id,
        kind=KINDS[kind],
        occurred_at=mail.internal_at,
        thread_id=None if is_ours else mail.thread_id or None,
        message_ids=() if is_ours else _answers(received),
        address=_address(received),
        subject=received.subject,
        text=received.reply_text,
        returns_at=return_at(received, mail.internal_at) if is_away else None,
        delivery_status=received.report.status or None if received.report else None,
        is_kept_unmatched=False,
    )


def _address(received: Received) -> str:
    """The lead's: of a report it is the address that it is about."""
    about = received.report.recipients if received.report else ()
    return next((address for address in about if address), received.sender)


def _answers(received: Received) -> tuple[str, ...]:
    """The Message-IDs of ours that it may answer, nearest first."""
    reported = received.report.message_ids if received.report else ()
    replied = (received.in_reply_to,) if received.in_reply_to else ()
    return tuple(dict.fromkeys((*reported, *replied, *reversed(received.references))))
