"""/api/companies: the tenant, and its machines' keys."""

from uuid import UUID

from fastapi import APIRouter, Response, status

from api.dependencies import (
    SHOWS_SECRET,
    CompanyAdmin,
    CompanyReader,
    CompanyWriter,
    Person,
    Services,
)
from api.documentation import problems
from api.etags import IfMatch, show_version
from api.schemas.companies import (
    ApiKeyAnswer,
    CompanyAnswer,
    CompanyChange,
    NewApiKey,
    NewApiKeyAnswer,
    NewCompany,
)
from api.schemas.paging import USUAL_PAGE, Cursor, Limit, Page, cut_page, read_cursor
from shared.db.models import Role

router = APIRouter(prefix="/api/companies", tags=["companies"])


@router.post("", status_code=status.HTTP_201_CREATED)
async def create_company(body: NewCompany, person: Person, services: Services) -> CompanyAnswer:
    """Make a company and become its admin."""
    company = await services.companies.create(person, body.model_dump())
    return _answer(company, Role.ADMIN)


@router.get("/{company_id}", responses=problems(404))
async def get_company(
    caller: CompanyReader, services: Services, response: Response
) -> CompanyAnswer:
    """The company and the caller's role in it."""
    company = await services.companies.get(caller)
    show_version(response, company)
    return _answer(company, caller.role)


@router.put("/{company_id}", responses=problems(404, 412))
async def update_company(
    body: CompanyChange,
    caller: CompanyWriter,
    services: Services,
    response: Response,
    if_match: IfMatch = None,
) -> CompanyAnswer:
    """Change the fields that are given."""
    fields = body.model_dump(exclude_unset=True)
    company = await services.companies.change(caller, fields, expected=if_match)
    show_version(response, company)
    return _answer(company, caller.role)


@router.get("/{company_id}/api-keys", responses=problems(404))
async def list_api_keys(
    caller: CompanyAdmin, services: Services, limit: Limit = USUAL_PAGE, cursor: Cursor = None
) -> Page[ApiKeyAnswer]:
    """The keys that work, newest first; their secrets cannot be read again."""
    after = read_cursor(cursor)
    rows = await services.companies.list_keys(caller, limit=limit, after=after)
    page, next_cursor = cut_page(rows, limit)
    return Page(items=[ApiKeyAnswer.model_validate(r) for r in page], next_cursor=next_cursor)


@router.post(
    "/{company_id}/api-keys",
    status_code=status.HTTP_201_CREATED,
    responses=problems(404),
    dependencies=[SHOWS_SECRET],
)
async def create_api_key(
    body: NewApiKey, caller: CompanyAdmin, services: Services
) -> NewApiKeyAnswer:
    """Make a key. The answer is the only place where its secret is shown."""
    row, key = await services.companies.create_key(
        caller, name=body.name, scopes=[str(scope) for scope in body.scopes]
    )
    shown = ApiKeyAnswer.model_validate(row).model_dump()
    return NewApiKeyAnswer(**shown, key=key)


@router.delete(
    "/{company_id}/api-keys/{key_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(404),
)
async def delete_api_key(key_id: UUID, caller: CompanyAdmin, services: Services) -> None:
    """The key stops working with the next request."""
    await services.companies.delete_key(caller, key_id)


def _answer(company: object, role: Role | None) -> CompanyAnswer:
    return CompanyAnswer.model_validate(company).model_copy(update={"role": role})
