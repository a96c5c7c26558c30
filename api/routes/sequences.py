"""/api/campaigns/{campaign_id}/sequences: the steps of a campaign."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response, status

from api.dependencies import Reader, Services, Writer
from api.documentation import problems
from api.etags import IfMatch, show_version
from api.schemas.steps import NewOrder, NewStep, StepAnswer, StepChange
from api.services.step_rows import USUAL, when_fields
from api.trees import option_fields
from shared.db.models import StepRow

router = APIRouter(prefix="/api/campaigns/{campaign_id}/sequences", tags=["sequences"])

StepNumber = Annotated[int, Path(ge=1, le=1_000, description="1 is the first step.")]


@router.get("", responses=problems(404))
async def list_steps(campaign_id: UUID, caller: Reader, services: Services) -> list[StepAnswer]:
    """Every step, in order."""
    steps = await services.sequences.list_steps(caller, campaign_id)
    return [step_answer(step) for step in steps]


@router.post("", status_code=status.HTTP_201_CREATED, responses=problems(404, 409))
async def create_step(
    campaign_id: UUID, body: NewStep, caller: Writer, services: Services
) -> StepAnswer:
    """Add a step. In a campaign that runs it is published at once, unless `draft_edits` is set."""
    fields = body.model_dump(exclude={"step_number", "when"}) | {"when": body.when}
    step = await services.sequences.add(caller, campaign_id, fields, at=body.step_number)
    return step_answer(step)


@router.get("/{step_number:int}", responses=problems(404))
async def get_step(
    campaign_id: UUID,
    step_number: StepNumber,
    caller: Reader,
    services: Services,
    response: Response,
) -> StepAnswer:
    """One step, with the ETag for changing it."""
    step = await services.sequences.get(caller, campaign_id, step_number)
    show_version(response, step)
    return step_answer(step)


@router.put("/{step_number:int}", responses=problems(404, 409, 412))
async def update_step(
    *,
    campaign_id: UUID,
    step_number: StepNumber,
    body: StepChange,
    caller: Writer,
    services: Services,
    response: Response,
    if_match: IfMatch = None,
) -> StepAnswer:
    """Change the fields that are given. Whoever has had this step does not get it again."""
    fields = body.model_dump(exclude_unset=True, exclude={"when"})
    fields |= {"when": body.when} if "when" in body.model_fields_set else {}
    step = await services.sequences.change(
        caller, campaign_id, step_number, fields, expected=if_match
    )
    show_version(response, step)
    return step_answer(step)


@router.delete(
    "/{step_number:int}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(404, 409)
)
async def delete_step(
    campaign_id: UUID, step_number: StepNumber, caller: Writer, services: Services
) -> None:
    """Remove a step. The others keep their ids and are numbered 1..n again."""
    await services.sequences.remove(caller, campaign_id, step_number)


@router.post("/reorder", responses=problems(404, 409))
async def reorder_steps(
    campaign_id: UUID, body: NewOrder, caller: Writer, services: Services
) -> list[StepAnswer]:
    """Put the steps into another order. Their ids stay."""
    steps = await services.sequences.reorder(caller, campaign_id, body.order)
    return [step_answer(step) for step in steps]


def step_answer(step: StepRow) -> StepAnswer:
    options = {**USUAL, **option_fields(step.channel, step.options)}
    made = {"step_number": step.position, "key": step.name, "when": when_fields(step), **options}
    fields = StepAnswer.model_fields.keys() - made.keys()
    return StepAnswer(**made, **{name: getattr(step, name) for name in fields})
