"""Who there is: companies, the people in them, and how people and machines are known again."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, Owned


class Role(StrEnum):
    ADMIN = "admin"
    DIRECTOR = "director"
    MEMBER = "member"


class CompanyRow(Base):
    """The tenant. Its fence compares its own id."""

    __tablename__ = "companies"

    name: Mapped[str]
    website: Mapped[str | None]
    industry: Mapped[str | None]
    address: Mapped[str | None]
    postal_address: Mapped[str | None]
    time_zone: Mapped[str] = mapped_column(default="UTC", server_default="UTC")
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class UserRow(Base):
    """A person who logs in. Outside the fence: one person may work for several companies.

    `password_hash` None: invited, or known by `oidc_subject` (issuer and subject) alone.
    """

    __tablename__ = "users"

    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str | None]
    oidc_subject: Mapped[str | None] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class SessionRow(Base):
    """One refresh token. Using it makes the next one of its family; a second use ends them all.

    A browser's cookie is one too, of a family of its own, and is not swapped.
    """

    __tablename__ = "sessions"
    __table_args__ = (Index(None, "family_id"), Index(None, "expires_at"))

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    family_id: Mapped[UUID]
    token_hash: Mapped[str] = mapped_column(unique=True)
    company_id: Mapped[UUID | None]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class MembershipRow(Owned, Base):
    __tablename__ = "memberships"
    __table_args__ = (UniqueConstraint("company_id", "user_id"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    role: Mapped[Role]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ApiKeyRow(Owned, Base):
    """A machine's key. Only its hash is kept; `prefix` helps a person to tell keys apart."""

    __tablename__ = "api_keys"

    name: Mapped[str]
    prefix: Mapped[str]
    key_hash: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[list[str]]
    created_by: Mapped[UUID | None]
    revoked_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
