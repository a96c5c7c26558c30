"""Connected identities of providers, and the secrets that open them."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, Fenced, Owned, company_key, same_company
from shared.domain.channels import AccountKind

# Mails a day that a mailbox bears for cold mail before it is taken for a spammer's.
COLD_MAILS_A_DAY = 40


class AccountStatus(StrEnum):
    ACTIVE = "active"
    NEEDS_ATTENTION = "needs_attention"
    DISCONNECTED = "disconnected"


class AccountRow(Owned, Base):
    """`daily_limit` None: no limit of ours; `limits` has the finer ones, as the API takes them.
    `daily_ceiling`: what the provider allows. `ramp_from_at`: its ramp-up counts from here.
    `trusted_from_at`: bounces before it no longer count against it.
    `history_id`: how far the mailbox has been read.
    `blocked_until`: it is left alone until then, for its `block_reason`. `failures`: calls in a
    row, since `failing_since`, that its provider did not answer as it should.

    `send_as`: the alias that mails come from, if not `email`. `signature`: HTML below each mail.
    `watched_until`: so long the provider tells us of new mails. `warning`: it works, and somebody
    should look after it.
    """

    __tablename__ = "accounts"
    __table_args__ = (
        company_key(),
        UniqueConstraint("company_id", "user_id", "email"),
        Index("ix_accounts_email", "email"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[AccountKind]
    email: Mapped[str]
    display_name: Mapped[str | None]
    is_primary: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    status: Mapped[AccountStatus] = mapped_column(
        default=AccountStatus.ACTIVE, server_default=AccountStatus.ACTIVE
    )
    status_reason: Mapped[str | None]
    scopes: Mapped[list[str]] = mapped_column(default=list, server_default=text("'{}'"))
    daily_limit: Mapped[int | None]
    daily_ceiling: Mapped[int | None]
    limits: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    ramp_from_at: Mapped[datetime | None]
    trusted_from_at: Mapped[datetime | None]
    blocked_until: Mapped[datetime | None]
    block_reason: Mapped[str | None]
    failures: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    failing_since: Mapped[datetime | None]
    history_id: Mapped[str | None]
    last_polled_at: Mapped[datetime | None]
    send_as: Mapped[str | None]
    signature: Mapped[str | None]
    watched_until: Mapped[datetime | None]
    warning: Mapped[str | None]
    warned_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class AccountTokenRow(Fenced, Base):
    """Sealed tokens of one account, shown only to the user who connected it (`app.user_id`)."""

    __tablename__ = "account_tokens"
    __table_args__ = (
        same_company("account_id", "accounts", on_delete="CASCADE"),
        UniqueConstraint("company_id", "account_id"),
    )

    account_id: Mapped[UUID]
    user_id: Mapped[UUID]
    refresh_token: Mapped[bytes]
    access_token: Mapped[bytes]
    expires_at: Mapped[datetime]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class MailLoginRow(Fenced, Base):
    """How an account of kind `smtp` is opened; its sealed password, shown only to its user."""

    __tablename__ = "mail_logins"
    __table_args__ = (
        same_company("account_id", "accounts", on_delete="CASCADE"),
        UniqueConstraint("company_id", "account_id"),
    )

    account_id: Mapped[UUID]
    user_id: Mapped[UUID]
    account_type: Mapped[str | None]
    username: Mapped[str]
    password: Mapped[bytes]
    smtp_host: Mapped[str]
    smtp_port: Mapped[int]
    smtp_security: Mapped[str]
    imap_host: Mapped[str]
    imap_port: Mapped[int]
    imap_security: Mapped[str]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class OAuthStateRow(Base):
    """A consent under way. Outside the fence: the provider's redirect names only the state."""

    __tablename__ = "oauth_states"
    __table_args__ = (Index(None, "expires_at"),)

    token_hash: Mapped[str] = mapped_column(unique=True)
    purpose: Mapped[str]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    company_id: Mapped[UUID]
    code_verifier: Mapped[bytes | None]
    return_to: Mapped[str | None]
    scopes: Mapped[list[str]] = mapped_column(default=list, server_default=text("'{}'"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
