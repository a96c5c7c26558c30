"""/api/accounts: connected mailboxes."""

from uuid import UUID

from fastapi import APIRouter, Response, status

from api.dependencies import SHOWS_SECRET, Connector, Reader, Services
from api.documentation import problems
from api.etags import IfMatch, show_version
from api.schemas.accounts import AccountAnswer, AccountChange, ConnectAnswer, NewConnection
from api.schemas.paging import USUAL_PAGE, Cursor, Limit, Page, cut_page, read_cursor
from api.services.accounts import CountedAccount

router = APIRouter(prefix="/api/accounts", tags=["accounts"])


@router.post("/gmail/connect", responses=problems(409, 503), dependencies=[SHOWS_SECRET])
async def connect_gmail(
    caller: Connector, services: Services, body: NewConnection | None = None
) -> ConnectAnswer:
    """Get a link at which a person connects their Gmail account."""
    return_to = body.return_to if body else None
    url = await services.connecting.make_ticket(caller, return_to=return_to)
    return ConnectAnswer(authorize_url=url)


@router.get("")
async def list_accounts(
    caller: Reader, services: Services, limit: Limit = USUAL_PAGE, cursor: Cursor = None
) -> Page[AccountAnswer]:
    """The company's accounts, oldest first."""
    after = read_cursor(cursor)
    rows = await services.accounts.list_accounts(caller, limit=limit, after=after)
    page, next_cursor = cut_page(rows, limit)
    return Page(items=[_answer(account) for account in page], next_cursor=next_cursor)


@router.get("/{account_id}", responses=problems(404))
async def get_account(
    account_id: UUID, caller: Reader, services: Services, response: Response
) -> AccountAnswer:
    """One account, with the ETag for changing it."""
    account = await services.accounts.get(caller, account_id)
    show_version(response, account.row)
    return _answer(account)


@router.put("/{account_id}", responses=problems(404, 412))
async def update_account(
    *,
    account_id: UUID,
    body: AccountChange,
    caller: Connector,
    services: Services,
    response: Response,
    if_match: IfMatch = None,
) -> AccountAnswer:
    """Change the fields that are given. Making one primary takes it from the others."""
    fields = body.model_dump(exclude_unset=True)
    account = await services.accounts.change(caller, account_id, fields, expected=if_match)
    show_version(response, account.row)
    return _answer(account)


@router.delete(
    "/{account_id}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(404, 502, 503)
)
async def disconnect_account(account_id: UUID, caller: Connector, services: Services) -> None:
    """Stop sending from it, revoke our access at the provider, and forget its tokens."""
    await services.accounts.disconnect(caller, account_id)


def _answer(account: CountedAccount) -> AccountAnswer:
    fields = AccountAnswer.model_fields.keys() - {"sent_today"}
    values = {name: getattr(account.row, name) for name in fields}
    return AccountAnswer(**values, sent_today=account.sent_today)
