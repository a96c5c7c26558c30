"""Who is wanted in a campaign, and the task that has what an answer cannot list."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from api.schemas.leads import LeadSelection
from api.services.enrolling import MOST_LISTED, MOST_REFUSALS, Enrolled, enrol, named, take_time
from api.services.selecting import conditions_of
from shared.db.models import CampaignRow, JobKind, JobRow, JobStatus, LeadRow

# Leads by their ids, or all that match.
Wanted = Sequence[UUID] | LeadSelection


async def enrol_wanted(
    session: AsyncSession, campaign: CampaignRow, wanted: Wanted, *, by: UUID | None
) -> tuple[Enrolled, UUID | None]:
    """Add them; the id is of the task that has the rest, when there is more than can be listed."""
    if not isinstance(wanted, LeadSelection) and len(wanted) <= MOST_LISTED:
        return await enrol(session, campaign, named(wanted), job=None), None
    job = await start_job(session, JobKind.LAUNCH, by=by)
    enrolled = await enrol_job(session, campaign, wanted, job)
    if enrolled.added <= MOST_LISTED and enrolled.refused_count <= MOST_REFUSALS:
        await session.delete(job)
        return enrolled, None
    finish_job(job, campaign.id, enrolled)
    return enrolled, job.id


async def enrol_job(
    session: AsyncSession, campaign: CampaignRow, wanted: Wanted, job: JobRow
) -> Enrolled:
    """As many as there are; every refusal is kept with the job."""
    await take_time(session)
    return await enrol(session, campaign, await _query(session, wanted), job=job)


async def start_job(session: AsyncSession, kind: JobKind, *, by: UUID | None) -> JobRow:
    job = JobRow(id=uuid7(), kind=kind, created_by=by, started_at=datetime.now(UTC))
    session.add(job)
    await session.flush()
    return job


def finish_job(job: JobRow, campaign_id: UUID, enrolled: Enrolled) -> None:
    job.status, job.finished_at = JobStatus.COMPLETED, datetime.now(UTC)
    job.total = job.processed = enrolled.added + enrolled.already + enrolled.refused_count
    job.errors = [
        {"number": number, "message": f"{refused.contact_id}: {refused.reason}"}
        for number, refused in enumerate(enrolled.refused[:100], start=1)
    ]
    if enrolled.refused:
        job.result_url = f"/api/tasks/{job.id}/refused"
    job.more = {
        "campaign_id": str(campaign_id),
        "added": enrolled.added,
        "already": enrolled.already,
        "refused": enrolled.refused_count,
    }


async def _query(session: AsyncSession, wanted: Wanted) -> Select[tuple[UUID, int]]:
    """(id, place): the oldest lead first when it is a filter that names them."""
    if not isinstance(wanted, LeadSelection):
        return named(wanted)
    place = func.row_number().over(order_by=LeadRow.id).label("place")
    return select(LeadRow.id, place).where(*await conditions_of(session, wanted))
