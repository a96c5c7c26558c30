"""From draft steps to a version that recipients follow, and who follows which."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from api.callers import Caller
from api.conducting import Conducting
from api.schemas.versions import Running
from api.services.campaigns import get_campaign, list_steps
from api.services.edit_effects import Reach, count_effects
from api.services.gaps import about_campaign, missing_for_all
from api.services.lifecycle import missing_in_steps
from api.services.version_diffs import VersionDiff, diff_steps
from shared.contracts.operations import WakingOrder
from shared.db.models import CampaignRow, VersionRow
from shared.db.models.campaigns import CampaignStatus
from shared.db.repositories.versions import Version, draft_of, publish_version, to_version
from shared.db.repositories.wakings import ask_waking
from shared.db.session import Database
from shared.domain.edits import replanned
from shared.errors import Conflict, NotFound

# Pins are kept recipient by recipient, in the transaction that publishes.
MOST_PINNED = 20_000

# Locked by id, as everybody locks them.
_PIN = text("""
with going as (
  select id from recipients
  where campaign_id = :campaign_id and ended_at is null and started_at is not null
    and pinned_version_id is null
  order by id limit :most for update
)
update recipients r set pinned_version_id = :version_id from going where r.id = going.id
""")
_RELEASE = text("""
with pinned as (
  select id from recipients
  where campaign_id = :campaign_id and ended_at is null and pinned_version_id is not null
  order by id for update
)
update recipients r set pinned_version_id = null from pinned where r.id = pinned.id
""")
_VERSIONS = text("""
select v.id, v.number, v.created_at, v.created_by, jsonb_array_length(v.steps) as steps,
  v.id = c.version_id as is_current,
  case when v.id = c.version_id then n.number - coalesce(sum(p.number) over (), 0)
    else coalesce(p.number, 0) end as recipients
from versions v
join campaigns c on c.id = v.campaign_id
cross join (select count(*) as number from recipients
  where campaign_id = :campaign_id and ended_at is null) n
left join (
  select pinned_version_id, count(*) as number from recipients
  where campaign_id = :campaign_id and ended_at is null and pinned_version_id is not null
  group by pinned_version_id) p on p.pinned_version_id = v.id
where v.campaign_id = :campaign_id
order by v.number desc
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """`number`: the version that counts now. `is_new` False: nothing had to be published."""

    number: int
    is_new: bool
    changes: VersionDiff
    reach: Reach


class PublishingService:
    def __init__(self, *, database: Database, conducting: Conducting) -> None:
        self._database = database
        self._conducting = conducting

    async def publish(
        self, caller: Caller, campaign_id: UUID, *, running: Running, is_dry: bool
    ) -> Published:
        """Make the draft steps the version that recipients follow. Dry: only say what would be.

        Raises Conflict for a campaign that was never activated, that is completed, or whose
        draft lacks something.
        """
        waking = None
        async with self._database.company_session(caller.company_id) as session:
            before = await _version_of(session, await get_campaign(session, campaign_id))
            if running is not Running.FOLLOW and not is_dry:
                await _pin(session, campaign_id, before.id, running)
            campaign = await get_campaign(session, campaign_id, is_locked=True)
            if campaign.version_id != before.id:
                raise Conflict("Somebody else has just published: look at the versions again")
            old = await _steps_of(session, before.id)
            new = await draft_of(session, campaign_id)
            changes = diff_steps(old, new)
            reach = await count_effects(
                session,
                campaign_id,
                before=before,
                after=to_version(before.id, before.number, new),
                rewritten=frozenset(map(UUID, changes.rewritten)),
                only_pending=running is Running.STAY,
                now=datetime.now(UTC),
            )
            is_new = not changes.is_empty
            if is_new:
                await _must_be_complete(session, campaign_id)
            if not is_dry and (is_new or running is Running.FOLLOW_ALL):
                waking = await publish_edit(
                    session, campaign, by=caller.user_id, are_all=running is Running.FOLLOW_ALL
                )
            number = before.number + 1 if is_new and not is_dry else before.number
        await self._conducting.wake_many(waking)
        return Published(number=number, is_new=is_new, changes=changes, reach=reach)

    async def list_versions(self, caller: Caller, campaign_id: UUID) -> Sequence[Row[Any]]:
        """Newest first, each with how many open recipients follow it."""
        async with self._database.company_session(caller.company_id) as session:
            await get_campaign(session, campaign_id)
            return (await session.execute(_VERSIONS, {"campaign_id": campaign_id})).all()

    async def diff(
        self, caller: Caller, campaign_id: UUID, number: int, *, against: int | None
    ) -> tuple[int, VersionDiff]:
        """What version `number` changed; `against` None: the one before it."""
        other = number - 1 if against is None else against
        async with self._database.company_session(caller.company_id) as session:
            await get_campaign(session, campaign_id)
            new = await _stored(session, campaign_id, number)
            # Before the first one there were no steps.
            old = await _stored(session, campaign_id, other) if other else []
            return other, diff_steps(old, new)

    async def diff_draft(self, caller: Caller, campaign_id: UUID) -> tuple[int, VersionDiff]:
        """What publishing would change."""
        async with self._database.company_session(caller.company_id) as session:
            campaign = await get_campaign(session, campaign_id)
            current = await _version_of(session, campaign)
            old = await _steps_of(session, current.id)
            return current.number, diff_steps(old, await draft_of(session, campaign_id))


async def publish_edit(
    session: AsyncSession, campaign: CampaignRow, *, by: UUID | None, are_all: bool = False
) -> WakingOrder:
    """Let those inside follow the draft from now on. Returns who has to hear of it.

    The caller holds the campaign's lock. `are_all`: also those who were pinned until now.
    """
    before = after = await _version_of(session, campaign)
    draft = await draft_of(session, campaign.id)
    if not diff_steps(await _steps_of(session, before.id), draft).is_empty:
        needed = campaign.needs
        campaign.version_id = await publish_version(session, campaign.id, created_by=by)
        await session.flush()
        await session.refresh(campaign, ["needs"])
        # Pinned recipients, and calls under way, need what their own version did.
        campaign.needs = sorted({*campaign.needs, *needed})
        await session.flush()
        after = await _version_of(session, campaign)
    step_ids = None if are_all else replanned(before.steps, after.steps)
    return await ask_waking(session, campaign_id=campaign.id, waiting=True, step_ids=step_ids)


async def _pin(
    session: AsyncSession, campaign_id: UUID, version_id: UUID, running: Running
) -> None:
    if running is Running.FOLLOW_ALL:
        await session.execute(_RELEASE, {"campaign_id": campaign_id})
        return
    values = {"campaign_id": campaign_id, "version_id": version_id, "most": MOST_PINNED + 1}
    pinned = await session.execute(_PIN, values)
    if pinned.rowcount > MOST_PINNED:  # type: ignore[attr-defined] # an UPDATE's result has it
        raise Conflict(
            f"More than {MOST_PINNED} recipients have begun, too many to keep on their version:"
            " let them follow, or make a new campaign for the new steps"
        )


async def _must_be_complete(session: AsyncSession, campaign_id: UUID) -> None:
    steps = await list_steps(session, campaign_id)
    missing = missing_in_steps(steps)
    if not missing:
        missing = missing_for_all(steps, await about_campaign(session, campaign_id))
    if missing:
        raise Conflict("The draft cannot be published yet", missing=tuple(missing))


async def _version_of(session: AsyncSession, campaign: CampaignRow) -> Version:
    if campaign.version_id is None:
        raise Conflict("The campaign was never active: activate it, which publishes version 1")
    if campaign.status is CampaignStatus.COMPLETED:
        raise Conflict("The campaign is completed: its steps stay as they were")
    row = await session.get_one(VersionRow, campaign.version_id)
    return to_version(row.id, row.number, row.steps)


async def _steps_of(session: AsyncSession, version_id: UUID) -> list[dict[str, Any]]:
    return (await session.get_one(VersionRow, version_id)).steps


async def _stored(session: AsyncSession, campaign_id: UUID, number: int) -> list[dict[str, Any]]:
    steps = await session.scalar(
        select(VersionRow.steps).where(
            VersionRow.campaign_id == campaign_id, VersionRow.number == number
        )
    )
    if steps is None:
        raise NotFound(f"The campaign has no version {number}")
    return list(steps)
