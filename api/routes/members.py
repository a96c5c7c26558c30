"""/api/companies/{company_id}/members: who belongs to a company."""

from uuid import UUID

from fastapi import APIRouter, Response, status

from api.dependencies import SHOWS_SECRET, CompanyAdmin, CompanyReader, Services
from api.documentation import problems
from api.etags import IfMatch, show_version
from api.schemas.members import MemberAnswer, MemberChange, NewMember, NewMemberAnswer
from api.schemas.paging import USUAL_PAGE, Cursor, Limit, Page, cut_page, read_cursor

router = APIRouter(prefix="/api/companies/{company_id}/members", tags=["companies"])


@router.get("", responses=problems(404))
async def list_members(
    caller: CompanyAdmin, services: Services, limit: Limit = USUAL_PAGE, cursor: Cursor = None
) -> Page[MemberAnswer]:
    """Everybody in the company, in the order of joining."""
    after = read_cursor(cursor)
    rows = await services.members.list_members(caller, limit=limit, after=after)
    page, next_cursor = cut_page(rows, limit)
    return Page(items=[MemberAnswer.model_validate(r) for r in page], next_cursor=next_cursor)


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    responses=problems(404, 409),
    dependencies=[SHOWS_SECRET],
)
async def invite_member(
    body: NewMember, caller: CompanyAdmin, services: Services
) -> NewMemberAnswer:
    """Take a person in by email. Somebody who has no password gets a token to set one with."""
    member = await services.members.invite(caller, email=body.email, name=body.name, role=body.role)
    shown = MemberAnswer.model_validate(member).model_dump()
    return NewMemberAnswer(**shown, invitation_token=member.invitation_token)


@router.get("/{user_id}", responses=problems(404))
async def get_member(
    user_id: UUID, caller: CompanyAdmin, services: Services, response: Response
) -> MemberAnswer:
    """One person."""
    member = await services.members.get(caller, user_id)
    show_version(response, member.row)
    return MemberAnswer.model_validate(member)


@router.put("/{user_id}", responses=problems(404, 409, 412))
async def update_member(
    *,
    user_id: UUID,
    body: MemberChange,
    caller: CompanyAdmin,
    services: Services,
    response: Response,
    if_match: IfMatch = None,
) -> MemberAnswer:
    """Give another role; it counts from the next request on. One admin has to stay."""
    member = await services.members.change(caller, user_id, body.role, expected=if_match)
    show_version(response, member.row)
    return MemberAnswer.model_validate(member)


@router.delete("/{user_id}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(404, 409))
async def remove_member(user_id: UUID, caller: CompanyReader, services: Services) -> None:
    """Take a person out, or leave. The last admin stays."""
    await services.members.remove(caller, user_id)
