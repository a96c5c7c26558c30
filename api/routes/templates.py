"""/api/templates: texts that people keep, and how they come out."""

from uuid import UUID

from fastapi import APIRouter, Response, status

from api.dependencies import Reader, Services, Writer
from api.documentation import problems
from api.etags import IfMatch, show_version
from api.schemas.paging import USUAL_PAGE, Cursor, Limit, Page, cut_page, read_cursor
from api.schemas.templates import (
    NewTemplate,
    Rendered,
    TemplateAnswer,
    TemplateChange,
    ToRender,
    Variables,
)
from shared.templating.filters import FILTERS
from shared.templating.variables import VARIABLES

router = APIRouter(prefix="/api/templates", tags=["templates"])


@router.get("/variables")
async def list_template_variables(_: Reader) -> Variables:
    """What a template may name, by group, and the filters."""
    groups = {group: list(names) for group, names in VARIABLES.items()}
    return Variables.model_validate({**groups, "filters": sorted(FILTERS)})


@router.post("/render", responses=problems(404))
async def render_template(body: ToRender, caller: Reader, services: Services) -> Rendered:
    """Fill a template in, without keeping it. One that cannot be read is a 422 with the place."""
    return await services.templates.render(
        caller, body.template, subject=body.subject, lead_id=body.lead_id
    )


@router.post("", status_code=status.HTTP_201_CREATED)
async def create_template(body: NewTemplate, caller: Writer, services: Services) -> TemplateAnswer:
    """Keep a text. Steps that begin with it have a copy of their own."""
    row = await services.templates.create(caller, body.model_dump())
    return TemplateAnswer.model_validate(row)


@router.get("")
async def list_templates(
    caller: Reader, services: Services, limit: Limit = USUAL_PAGE, cursor: Cursor = None
) -> Page[TemplateAnswer]:
    """The company's templates, newest first."""
    after = read_cursor(cursor)
    rows = await services.templates.list_templates(caller, limit=limit, after=after)
    page, next_cursor = cut_page(rows, limit)
    return Page(items=[TemplateAnswer.model_validate(r) for r in page], next_cursor=next_cursor)


@router.get("/{template_id}", responses=problems(404))
async def get_template(
    template_id: UUID, caller: Reader, services: Services, response: Response
) -> TemplateAnswer:
    """One template, with the ETag for changing it."""
    row = await services.templates.get(caller, template_id)
    show_version(response, row)
    return TemplateAnswer.model_validate(row)


@router.put("/{template_id}", responses=problems(404, 412))
async def update_template(
    *,
    template_id: UUID,
    body: TemplateChange,
    caller: Writer,
    services: Services,
    response: Response,
    if_match: IfMatch = None,
) -> TemplateAnswer:
    """Change the fields that are given."""
    fields = body.model_dump(exclude_unset=True)
    row = await services.templates.change(caller, template_id, fields, expected=if_match)
    show_version(response, row)
    return TemplateAnswer.model_validate(row)


@router.delete("/{template_id}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(404))
async def delete_template(template_id: UUID, caller: Writer, services: Services) -> None:
    """Forget a text. Steps that began with it keep theirs."""
    await services.templates.delete(caller, template_id)
