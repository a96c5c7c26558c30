"""Immutable versions of a campaign's steps, kept in memory once read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from uuid_utils.compat import uuid7

from shared.db.models.campaigns import CampaignRow, StepRow, VersionRow
from shared.domain.branches import LeadIs
from shared.domain.channels import Channel
from shared.domain.guard_json import guard_from_json
from shared.domain.recipient import ActivityName, Step
from shared.errors import NotFound

# What does a step of each channel, unless its account says otherwise (`situations`).
ACTIVITY_OF = {
    Channel.EMAIL: ActivityName.GMAIL_SEND,
    Channel.LINKEDIN_CONNECTION: ActivityName.LINKEDIN_INVITE,
    Channel.LINKEDIN_MESSAGE: ActivityName.LINKEDIN_MESSAGE,
    Channel.CALL: ActivityName.BLAND_CALL,
    Channel.TASK: ActivityName.TASK_OPEN,
}
# Versions are small and never change; the bound only keeps a long-lived worker from growing.
MOST_KEPT = 2_000

_READ = text("select number, steps from versions where id = :id")


class Need(StrEnum):
    """What the steps of a version make necessary to read for each recipient."""

    ACCOUNTS = "accounts"  # others than mailboxes
    LEAD = "lead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What one step says, as a template. `options`: what only its channel knows."""

    subject: str | None
    message_template: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    id: UUID
    number: int
    steps: tuple[Step, ...]
    contents: dict[UUID, Content]
    is_mail_only: bool = True
    has_guards: bool = False
    has_calls: bool = False

    def trail_to(self, step_id: UUID) -> tuple[UUID, ...]:
        """The steps up to and with this one, in this version's order."""
        ids = tuple(step.id for step in self.steps)
        return ids[: ids.index(step_id) + 1] if step_id in ids else ()


class VersionShelf:
    """Reads each version once per process."""

    def __init__(self) -> None:
        self._kept: dict[UUID, Version] = {}

    async def get(self, connection: AsyncConnection, version_id: UUID) -> Version:
        if version := self._kept.get(version_id):
            return version
        row = (await connection.execute(_READ, {"id": version_id})).one_or_none()
        if row is None:
            raise NotFound(f"Version {version_id} is not there")
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        version = self._kept[version_id] = to_version(version_id, row.number, row.steps)
        return version


async def publish_version(
    session: AsyncSession, campaign_id: UUID, *, created_by: UUID | None = None
) -> UUID:
    """Freeze the draft steps as the campaign's next version, and return its id."""
    newest = await session.scalar(
        select(func.max(VersionRow.number)).where(VersionRow.campaign_id == campaign_id)
    )
    version = VersionRow(
        id=uuid7(),
        campaign_id=campaign_id,
        number=(newest or 0) + 1,
        steps=await draft_of(session, campaign_id),
        created_by=created_by,
    )
    session.add(version)
    await session.flush()
    needs = needs_of(to_version(version.id, version.number, version.steps).steps)
    # What was begun in an earlier version has to be read to its end.
    before = await session.scalar(select(CampaignRow.needs).where(CampaignRow.id == campaign_id))
    needs |= {Need(need) for need in before or ()}
    await session.execute(
        update(CampaignRow).where(CampaignRow.id == campaign_id).values(needs=sorted(needs))
    )
    return version.id


async def draft_of(session: AsyncSession, campaign_id: UUID) -> list[dict[str, Any]]:
    """The draft steps as a version would keep them."""
    found = select(StepRow).where(StepRow.campaign_id == campaign_id).order_by(StepRow.position)
    steps = await session.scalars(found.execution_options(populate_existing=True))
    return [_to_json(step) for step in steps]


def needs_of(steps: Sequence[Step]) -> set[Need]:
    """What has to be read for each recipient, beyond what mail needs."""
    needs = {Need.ACCOUNTS for step in steps if step.channel is not Channel.EMAIL}
    asks = any(isinstance(guard.condition, LeadIs) for step in steps for guard in step.guards)
    if asks or any(step.channel is Channel.CALL for step in steps):
        needs.add(Need.LEAD)
    return needs


def wait_of(step: StepRow) -> timedelta:
    """The delays of a step add up; its business days come before them."""
    return timedelta(
        days=step.delay_days,
        hours=step.delay_hours,
        minutes=step.delay_minutes,
        seconds=step.delay_seconds,
    )


def _to_json(step: StepRow) -> dict[str, Any]:
    return {
        "id": str(step.id),
        "position": step.position,
        "activity": ACTIVITY_OF[step.channel],
        "wait_seconds": int(wait_of(step).total_seconds()),
        "wait_business_days": step.delay_business_days,
        "on_date": step.on_date.isoformat() if step.on_date else None,
        "channel": step.channel,
        "guards": step.guards,
        "options": step.options,
        "key": step.key,
        "subject": step.subject,
        "message_template": step.message_template,
    }


def to_version(version_id: UUID, number: int, stored: list[dict[str, Any]]) -> Version:
    steps = tuple(map(_to_step, stored))
    return Version(
        id=version_id,
        number=number,
        steps=steps,
        contents={
            UUID(step["id"]): Content(
                subject=step["subject"],
                message_template=step["message_template"],
                options=step.get("options") or {},
            )
            for step in stored
        },
        is_mail_only=all(s.channel is Channel.EMAIL and not s.is_by_hand for s in steps),
        has_guards=any(step.guards for step in steps),
        has_calls=any(s.channel is Channel.CALL and not s.is_by_hand for s in steps),
    )


def _to_step(stored: dict[str, Any]) -> Step:
    """Versions that are older than a field do not have it."""
    return Step(
        id=UUID(stored["id"]),
        position=stored["position"],
        activity=ActivityName(stored["activity"]),
        wait_seconds=stored["wait_seconds"],
        wait_business_days=stored.get("wait_business_days", 0),
        on_date=date.fromisoformat(stored["on_date"]) if stored.get("on_date") else None,
        channel=Channel(stored.get("channel", Channel.EMAIL)),
        guards=tuple(map(guard_from_json, stored.get("guards") or ())),
        is_by_hand=bool((stored.get("options") or {}).get("by_hand")),
        name=stored.get("key") or "",
    )
