"""/api/campaigns/{campaign_id}: its steps as a tree, and all of it as a file."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import PlainTextResponse

from api.campaign_files import SCHEMA_PATH, campaign_schema
from api.dependencies import Reader, Services, Writer
from api.documentation import problems
from api.etags import IfMatch
from api.schemas.definition import AppliedAnswer, DefinitionAnswer, DefinitionChange, ProblemAnswer
from api.services.definitions import Definition
from shared.domain.linting import Problem
from shared.errors import Invalid

router = APIRouter(prefix="/api/campaigns/{campaign_id}", tags=["definitions"])
published = APIRouter(tags=["definitions"])

YAML = "application/yaml"
_EXAMPLE = {
    "name": "Spring",
    "type": "email",
    "steps": [
        {
            "key": "hello",
            "channel": "email",
            "subject": "A question, {{ lead.first_name }}",
            "message_template": "Hello {{ lead.first_name }}, ...",
        }
    ],
}
_FILE = {
    "schema": {"type": "object", "description": f"As {SCHEMA_PATH} says, written as YAML."},
    "example": _EXAMPLE,
}
_BODY: dict[str, Any] = {"requestBody": {"required": True, "content": {YAML: _FILE}}}
_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": {YAML: _FILE}}
}


class YamlResponse(PlainTextResponse):
    media_type = YAML


@router.get("/definition", responses=problems(404))
async def get_definition(
    campaign_id: UUID, caller: Reader, services: Services, response: Response
) -> DefinitionAnswer:
    """The steps with their conditions as a tree, and what is wrong with them."""
    definition = await services.definitions.get(caller, campaign_id)
    response.headers["ETag"] = definition.tag
    return _answer(definition)


@router.put("/definition", responses=problems(404, 409, 412))
async def update_definition(
    *,
    campaign_id: UUID,
    body: DefinitionChange,
    caller: Writer,
    services: Services,
    response: Response,
    if_match: IfMatch = None,
) -> DefinitionAnswer:
    """All steps in one go. A step of the same `key` is the same step, so nobody gets it twice.

    In a campaign that runs it is published at once, unless it has `draft_edits`.
    """
    definition = await services.definitions.change(
        caller, campaign_id, body.steps, expected=if_match
    )
    response.headers["ETag"] = definition.tag
    return _answer(definition)


@router.get("/file", response_class=YamlResponse, responses={**problems(404), **_ANSWER})
async def get_campaign_file(campaign_id: UUID, caller: Reader, services: Services) -> Response:
    """The whole campaign as YAML, for git. Its JSON Schema is at /schemas/campaign.json."""
    text, tag = await services.definitions.export(caller, campaign_id)
    return YamlResponse(text, headers={"ETag": tag})


@router.put("/file", responses=problems(404, 409, 412), openapi_extra=_BODY)
async def update_campaign_file(
    *,
    campaign_id: UUID,
    request: Request,
    caller: Writer,
    services: Services,
    response: Response,
    if_match: IfMatch = None,
    dry_run: Annotated[bool, Query(description="Only say what it would change.")] = False,
) -> AppliedAnswer:
    """Make the campaign what the file says; what the file leaves out is as usual.

    Sent again it changes nothing. In a campaign that runs it is published at once, unless it has
    `draft_edits`.
    """
    text = _as_text(await request.body())
    applied = await services.definitions.apply(
        caller, campaign_id, text, expected=if_match, is_dry=dry_run
    )
    response.headers["ETag"] = applied.tag
    return AppliedAnswer(
        campaign_id=applied.campaign_id,
        changed=bool(applied.changes),
        changes=list(applied.changes),
        problems=list(map(_problem, applied.problems)),
    )


@published.get(SCHEMA_PATH)
async def get_campaign_schema() -> dict[str, Any]:
    """The JSON Schema of a campaign's file, for editors and checks."""
    return campaign_schema()


def _answer(definition: Definition) -> DefinitionAnswer:
    return DefinitionAnswer(
        campaign_id=definition.campaign_id,
        steps=definition.steps,
        problems=list(map(_problem, definition.problems)),
    )


def _problem(problem: Problem) -> ProblemAnswer:
    return ProblemAnswer(
        severity=problem.severity,
        code=problem.code,
        text=problem.text,
        place=".".join(map(str, problem.place)),
        step_number=problem.step_number,
    )


def _as_text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Invalid("The file is not in UTF-8: save it so", field="body") from None
