"""/api/campaigns/{id}/rehearse: what would happen, before anything does."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response, status

from api.dependencies import Reader, Services
from api.documentation import problems
from api.schemas.rehearsing import RehearsalAnswer, RehearsalOrder

router = APIRouter(prefix="/api", tags=["rehearsals"])

_TASK: dict[int | str, dict[str, Any]] = {
    202: {"model": RehearsalAnswer, "description": "A task makes the report."}
}
_REPORT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The report.",
        "content": {"application/json": {"schema": {"type": "object"}, "example": {"seed": 7}}},
    }
}


@router.post("/campaigns/{campaign_id}/rehearse", responses={**problems(404, 409), **_TASK})
async def rehearse_campaign(
    *,
    campaign_id: UUID,
    caller: Reader,
    services: Services,
    response: Response,
    body: RehearsalOrder | None = None,
) -> RehearsalAnswer:
    """Play the campaign forward: the dated schedule, what moves it, and who is never reached.

    Its draft steps, its accounts and its recipients that are still open, each from where it
    stands: those who have had a step go on behind it, and what holds all of them, such as a pause
    of the campaign, is left out. Nothing is sent or changed. More than 1,000 recipients make a
    task (202) with a `result_url`.
    """
    wish = body or RehearsalOrder()
    found = await services.rehearsing.rehearse(
        caller,
        campaign_id,
        seed=wish.seed,
        behaviour=wish.behaviour.to_behaviour(),
        begins_at=wish.begins_at,
    )
    if isinstance(found, UUID):
        response.status_code = status.HTTP_202_ACCEPTED
        return RehearsalAnswer(task_id=found)
    return RehearsalAnswer(report=found)


@router.get("/tasks/{task_id}/rehearsal", responses={**problems(404, 409), **_REPORT})
async def get_rehearsal(task_id: UUID, caller: Reader, services: Services) -> Response:
    """The report of a rehearsal that was a task, once it is completed."""
    report = await services.rehearsing.read(caller, task_id)
    return Response(report, media_type="application/json")
