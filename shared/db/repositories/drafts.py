"""The draft that makes a mail once, and the mark that stands in its place where there is none."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.repositories.situations import Action

_KEEP_DRAFT = text(
    "select draft_id, thread_id from keep_draft(:company_id, :recipient_id, :action_id, :round,"
    " :draft_id, :thread_id, :earlier_id, :earlier_message_id)"
)
_MESSAGE_ID = text("update actions set message_id = :message_id where id = :action_id")
_FORGET_DRAFT = text(
    "update actions set draft_id = null, thread_id = null, content_hash = :content_hash"
    " where id = :action_id and draft_id = :draft_id and status in ('reserved', 'unconfirmed')"
)
# Who has not confirmed it by now cannot any more; who finds it so knows that it was to be deleted.
_WITHDRAW_DRAFT = text(
    "update actions set confirmed_at = null"
    " where id = :action_id and draft_id = :draft_id and status in ('reserved', 'unconfirmed')"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The draft that counts, which may be another attempt's."""

    draft_id: str
    thread_id: str


async def keep_draft(
    connection: AsyncConnection,
    recipient_id: UUID,
    action_id: UUID,
    *,
    company_id: UUID,
    round_: int,
    draft_id: str,
    thread_id: str,
    earlier: Action | None = None,
) -> Kept | None:
    """Look a last time whether the mail is still wanted, and keep the draft that will be sent.

    One statement that is a transaction, if there is none around it. `earlier`: the mail that this
    one follows, whose Message-ID is kept too. None: the mail is not wanted any more, so the caller
    deletes its draft.
    """
    kept = await connection.execute(
        _KEEP_DRAFT,
        {
            "company_id": company_id,
            "recipient_id": recipient_id,
            "action_id": action_id,
            "round": round_,
            "draft_id": draft_id,
            "thread_id": thread_id,
            "earlier_id": earlier.id if earlier else None,
            "earlier_message_id": earlier.message_id if earlier else None,
        },
    )
    row = kept.one_or_none()
    return Kept(draft_id=row.draft_id, thread_id=row.thread_id) if row else None


async def keep_message_id(connection: AsyncConnection, action_id: UUID, message_id: str) -> None:
    """The Message-ID under which the lead has the mail: the provider may have changed ours."""
    await connection.execute(_MESSAGE_ID, {"action_id": action_id, "message_id": message_id})


async def withdraw_draft(connection: AsyncConnection, action_id: UUID, *, draft_id: str) -> None:
    """Leave word that the draft is about to be deleted: whoever does it may not live to say so."""
    await connection.execute(_WITHDRAW_DRAFT, {"action_id": action_id, "draft_id": draft_id})


async def forget_draft(
    connection: AsyncConnection, action_id: UUID, *, draft_id: str, content_hash: bytes
) -> None:
    """The draft was deleted unsent; the next one will say what `content_hash` stands for."""
    await connection.execute(
        _FORGET_DRAFT, {"action_id": action_id, "draft_id": draft_id, "content_hash": content_hash}
    )
