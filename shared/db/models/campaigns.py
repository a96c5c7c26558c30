"""Campaigns: the draft steps that people edit, and the versions that recipients follow."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Index, UniqueConstraint, Uuid, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, Fenced, Owned, company_key, same_company
from shared.domain.channels import Channel


class CampaignType(StrEnum):
    EMAIL = "email"
    LINKEDIN = "linkedin"
    CALL = "call"
    MULTI = "multi"


class CampaignStatus(StrEnum):
    DRAFT = "draft"
    ACTIVE = "active"
    PAUSED = "paused"
    COMPLETED = "completed"


class CampaignRow(Owned, Base):
    """`version_id`: the published version that everybody inside follows.

    `account_ids`: the accounts that recipients are spread over when they start, if there are
    several; `account_id` is the first mailbox among them. `needs`: what has to be read for each
    recipient beyond mail (`shared.db.repositories.versions.Need`). `window`: when it may send, as
    the API takes it; None: always. `time_zone`: of leads without one, instead of the company's.
    `launch_held_at`: somebody has called its launch off.
    """

    __tablename__ = "campaigns"
    __table_args__ = (
        company_key(),
        same_company("account_id", "accounts"),
        same_company("product_id", "products"),
        Index(None, "company_id", "created_at"),
    )

    name: Mapped[str]
    type: Mapped[CampaignType]
    status: Mapped[CampaignStatus] = mapped_column(
        default=CampaignStatus.DRAFT, server_default=CampaignStatus.DRAFT
    )
    account_id: Mapped[UUID | None]
    account_ids: Mapped[list[UUID]] = mapped_column(
        ARRAY(Uuid()), default=list, server_default=text("'{}'")
    )
    product_id: Mapped[UUID | None]
    track_opens: Mapped[bool | None]
    track_clicks: Mapped[bool | None]
    version_id: Mapped[UUID | None]
    needs: Mapped[list[str]] = mapped_column(default=list, server_default=text("'{}'"))
    window: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    limits: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    time_zone: Mapped[str | None]
    start_at: Mapped[datetime | None]
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
    stop_rules: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    draft_edits: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    dry_run: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    activated_at: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    resumed_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    archived_at: Mapped[datetime | None]
    launch_held_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]


class StepRow(Fenced, Base):
    """A step as it is edited. Its id is stable: it is what makes a step done.

    `options`: what only its channel knows. `guards`: the sides of decisions that it stands on, as
    `shared.domain.guard_json` writes and reads them. `key`: its name in the campaign; who makes
    steps without one has them named after their ids.
    """

    __tablename__ = "steps"
    __table_args__ = (
        company_key(),
        same_company("campaign_id", "campaigns", on_delete="CASCADE"),
        UniqueConstraint("company_id", "campaign_id", "position", deferrable=True),
        UniqueConstraint("company_id", "campaign_id", "key", deferrable=True),
    )

    campaign_id: Mapped[UUID]
    position: Mapped[int]
    channel: Mapped[Channel]
    subject: Mapped[str | None]
    message_template: Mapped[str]
    delay_days: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    delay_hours: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    delay_minutes: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    delay_seconds: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    delay_business_days: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    on_date: Mapped[date | None]
    options: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    guards: Mapped[list[dict[str, Any]]] = mapped_column(default=list, server_default=text("'[]'"))
    key: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    @property
    def name(self) -> str:
        return self.key or f"step-{self.id.hex[-8:]}"


class VersionRow(Fenced, Base):
    """An immutable snapshot: `steps` as `shared.db.repositories.versions` writes and reads it."""

    __tablename__ = "versions"
    __table_args__ = (
        company_key(),
        same_company("campaign_id", "campaigns", on_delete="CASCADE"),
        UniqueConstraint("company_id", "campaign_id", "number"),
    )

    campaign_id: Mapped[UUID]
    number: Mapped[int]
    steps: Mapped[list[dict[str, Any]]]
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class CampaignStartRow(Fenced, Base):
    """How many recipients of a campaign began at once, for its limit of new leads a day."""

    __tablename__ = "campaign_starts"
    __table_args__ = (
        same_company("campaign_id", "campaigns", on_delete="CASCADE"),
        Index(None, "company_id", "campaign_id", "begun_at"),
    )

    campaign_id: Mapped[UUID]
    begun_at: Mapped[datetime]
    number: Mapped[int]
