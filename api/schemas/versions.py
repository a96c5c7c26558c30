"""Bodies of /api/campaigns/{campaign_id}/publish and .../versions."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.fields import Answer, Body, Flag
from shared.domain.channels import Channel


class Running(StrEnum):
    """What becomes of those who have begun."""

    FOLLOW = "follow"
    STAY = "stay"
    FOLLOW_ALL = "follow_all"


class NewVersion(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"dry_run": True}]})

    dry_run: Flag = Field(False, description="Only say whom it would reach, and how.")
    running: Running = Field(
        Running.FOLLOW,
        description="Those who have begun: `follow` the new version, `stay` on the one they are"
        " on, for good, or `follow_all`, also those who stayed before.",
    )


class VersionStep(Answer):
    """`wait_seconds`: its delays in one."""

    id: UUID
    position: int
    channel: Channel = Channel.EMAIL
    subject: str | None = None
    message_template: str
    wait_seconds: int
    wait_business_days: int = 0
    on_date: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    guards: list[dict[str, Any]] = Field(default_factory=list)


class ChangedField(Answer):
    field: str
    before: Any
    after: Any
    lines: list[str] = Field(description="Of a text: a unified diff, line by line.")


class ChangedStep(Answer):
    id: UUID
    step_number: int
    fields: list[ChangedField]


class MovedStep(Answer):
    id: UUID
    before: int
    after: int


class DiffFields(Answer):
    """Numbers of removed steps are those of before, all others those of after."""

    added: list[VersionStep]
    removed: list[VersionStep]
    moved: list[MovedStep]
    changed: list[ChangedStep]


class VersionDiffAnswer(DiffFields):
    version: int | None = Field(description="null: the draft, as it is edited.")
    against: int = Field(description="0: before there was any version.")


class ReachAnswer(Answer):
    """Open recipients; one may count several times, except in `affected`."""

    recipients: int = Field(description="Who follow the edit.")
    looked_at: int = Field(description="Of how many it is known what becomes of them.")
    pinned: int = Field(description="Who stay on an earlier version.")
    affected: int
    new_text: int = Field(description="A step that is ahead of them says something else.")
    earlier: int = Field(description="Their next step is due earlier, before hours and limits.")
    later: int
    skips: int = Field(description="A step that was ahead of them is not done any more.")
    ends: int = Field(description="No step is left for them.")


class PublishedAnswer(BaseModel):
    version: int = Field(description="The version that counts now.")
    published: bool = Field(description="false: a dry run, or there was nothing to publish.")
    changes: DiffFields
    reach: ReachAnswer


class VersionAnswer(Answer):
    id: UUID
    number: int
    steps: int = Field(description="How many it has.")
    is_current: bool
    recipients: int = Field(description="Open recipients who follow it.")
    created_by: UUID | None
    created_at: datetime


class VersionsAnswer(BaseModel):
    items: list[VersionAnswer]
    next_cursor: None = None
