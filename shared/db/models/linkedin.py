"""What an account of kind `linkedin` is called elsewhere, and how far it was read."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from shared.db.base import Base, Fenced, same_company


class LinkedInAccountRow(Fenced, Base):
    """`provider_id`: its name at Unipile. `member_id`: its owner, as themselves see them.

    `note_limit`: characters of an invitation's note. `invitations_held_until`: LinkedIn lets it
    invite nobody until then. `*_read_at`: how far messages and connections were read.
    """

    __tablename__ = "linkedin_accounts"
    __table_args__ = (
        same_company("account_id", "accounts", on_delete="CASCADE"),
        UniqueConstraint("company_id", "account_id"),
        # One session of LinkedIn serves one company.
        UniqueConstraint("provider_id"),
    )

    account_id: Mapped[UUID]
    provider_id: Mapped[str]
    member_id: Mapped[str]
    public_id: Mapped[str]
    note_limit: Mapped[int]
    invitations_held_until: Mapped[datetime | None]
    messages_read_at: Mapped[datetime | None]
    connections_read_at: Mapped[datetime | None]
    connected_at: Mapped[datetime]
