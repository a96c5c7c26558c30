"""/api/campaigns/{campaign_id}/publish and .../versions: edits, and who follows them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from api.dependencies import Reader, Services, Writer
from api.documentation import problems
from api.schemas.versions import (
    DiffFields,
    NewVersion,
    PublishedAnswer,
    ReachAnswer,
    VersionAnswer,
    VersionDiffAnswer,
    VersionsAnswer,
)
from api.services.version_diffs import VersionDiff

router = APIRouter(prefix="/api/campaigns/{campaign_id}", tags=["versions"])

Number = Annotated[int, Path(ge=1, le=1_000_000)]
Against = Annotated[
    int | None, Query(ge=0, le=1_000_000, description="Another version; without it the one before.")
]


@router.post("/publish", responses=problems(404, 409))
async def publish_campaign(
    campaign_id: UUID, caller: Writer, services: Services, body: NewVersion | None = None
) -> PublishedAnswer:
    """Let recipients follow the steps as they were edited. What was sent is not sent again.

    `dry_run` says whom that reaches, and how. Repeated, it publishes nothing.
    """
    wanted = body or NewVersion()
    found = await services.publishing.publish(
        caller, campaign_id, running=wanted.running, is_dry=wanted.dry_run
    )
    return PublishedAnswer(
        version=found.number,
        published=found.is_new and not wanted.dry_run,
        changes=DiffFields.model_validate(found.changes),
        reach=ReachAnswer.model_validate(found.reach),
    )


@router.get("/versions", responses=problems(404))
async def list_versions(campaign_id: UUID, caller: Reader, services: Services) -> VersionsAnswer:
    """Every version, newest first, with how many recipients follow it."""
    rows = await services.publishing.list_versions(caller, campaign_id)
    return VersionsAnswer(items=[VersionAnswer.model_validate(row) for row in rows])


@router.get("/versions/draft/diff", responses=problems(404, 409))
async def diff_draft(campaign_id: UUID, caller: Reader, services: Services) -> VersionDiffAnswer:
    """What publishing would change."""
    against, diff = await services.publishing.diff_draft(caller, campaign_id)
    return _answer(None, against, diff)


@router.get("/versions/{number:int}/diff", responses=problems(404))
async def diff_version(
    campaign_id: UUID, number: Number, caller: Reader, services: Services, against: Against = None
) -> VersionDiffAnswer:
    """Steps added, removed, moved, and changed field by field."""
    other, diff = await services.publishing.diff(caller, campaign_id, number, against=against)
    return _answer(number, other, diff)


def _answer(version: int | None, against: int, diff: VersionDiff) -> VersionDiffAnswer:
    fields = DiffFields.model_validate(diff)
    return VersionDiffAnswer(version=version, against=against, **dict(fields))
