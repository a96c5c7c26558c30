"""Immutable versions of a campaign's steps, kept in memory once read."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from uuid_utils.compat import uuid7

from shared.db.models.campaigns import Channel, StepRow, VersionRow
from shared.domain.recipient import ActivityName, Step
from shared.errors import NotFound

ACTIVITY_OF = {Channel.EMAIL: ActivityName.GMAIL_SEND}
# Versions are small and never change; the bound only keeps a long-lived worker from growing.
MOST_KEPT = 2_000

_READ = text("select number, steps from versions where id = :id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What one step says, as a template."""

    subject: str | None
    message_template: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    id: UUID
    number: int
    steps: tuple[Step, ...]
    contents: dict[UUID, Content]

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
        version = self._kept[version_id] = _to_version(version_id, row.number, row.steps)
        return version


async def publish_version(
    session: AsyncSession, campaign_id: UUID, *, created_by: UUID | None = None
) -> UUID:
    """Freeze the draft steps as the campaign's next version, and return its id."""
    steps = await session.scalars(
        select(StepRow).where(StepRow.campaign_id == campaign_id).order_by(StepRow.position)
    )
    newest = await session.scalar(
        select(func.max(VersionRow.number)).where(VersionRow.campaign_id == campaign_id)
    )
    version = VersionRow(
        id=uuid7(),
        campaign_id=campaign_id,
        number=(newest or 0) + 1,
        steps=[_to_json(step) for step in steps],
        created_by=created_by,
    )
    session.add(version)
    await session.flush()
    return version.id


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
        "subject": step.subject,
        "message_template": step.message_template,
    }


def _to_version(version_id: UUID, number: int, steps: list[dict[str, Any]]) -> Version:
    return Version(
        id=version_id,
        number=number,
        steps=tuple(
            Step(
                id=UUID(step["id"]),
                position=step["position"],
                activity=ActivityName(step["activity"]),
                wait_seconds=step["wait_seconds"],
                wait_business_days=step.get("wait_business_days", 0),
                on_date=date.fromisoformat(step["on_date"]) if step.get("on_date") else None,
            )
            for step in steps
        ),
        contents={
            UUID(step["id"]): Content(
                subject=step["subject"], message_template=step["message_template"]
            )
            for step in steps
        },
    )
