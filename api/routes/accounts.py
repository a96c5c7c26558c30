"""/api/accounts: connected mailboxes."""

from uuid import UUID

from fastapi import APIRouter, Response, status

from api.dependencies import SHOWS_SECRET, Connector, Reader, Services
from api.documentation import problems
from api.etags import IfMatch, show_version
from api.presenting_accounts import account_answer
from api.schemas.accounts import (
    AccountAnswer,
    AccountChange,
    AccountCheckAnswer,
    AliasAnswer,
    ConnectAnswer,
    NewConnection,
    NewMailbox,
)
from api.schemas.paging import USUAL_PAGE, Cursor, Limit, Page, cut_page, read_cursor
from api.services.mailboxes import AskedMailbox, AskedServer

router = APIRouter(prefix="/api/accounts", tags=["accounts"])


@router.post("/gmail/connect", responses=problems(409, 503), dependencies=[SHOWS_SECRET])
async def connect_gmail(
    caller: Connector, services: Services, body: NewConnection | None = None
) -> ConnectAnswer:
    """Get a link at which a person connects their Gmail account."""
    return_to = body.return_to if body else None
    url = await services.connecting.make_ticket(caller, return_to=return_to)
    return ConnectAnswer(authorize_url=url)


@router.post("/smtp", status_code=status.HTTP_201_CREATED, responses=problems(409, 503))
async def connect_smtp(body: NewMailbox, caller: Connector, services: Services) -> AccountAnswer:
    """Connect a mailbox by SMTP and IMAP, after a log-in at both. Again: with a new password."""
    account_id = await services.mailboxes.connect(caller, _asked(body))
    return account_answer(await services.accounts.get(caller, account_id))


@router.get("")
async def list_accounts(
    caller: Reader, services: Services, limit: Limit = USUAL_PAGE, cursor: Cursor = None
) -> Page[AccountAnswer]:
    """The company's accounts, oldest first."""
    after = read_cursor(cursor)
    rows = await services.accounts.list_accounts(caller, limit=limit, after=after)
    page, next_cursor = cut_page(rows, limit)
    return Page(items=[account_answer(account) for account in page], next_cursor=next_cursor)


@router.get("/{account_id}", responses=problems(404))
async def get_account(
    account_id: UUID, caller: Reader, services: Services, response: Response
) -> AccountAnswer:
    """One account, with the ETag for changing it."""
    account = await services.accounts.get(caller, account_id)
    show_version(response, account.row)
    return account_answer(account)


@router.put("/{account_id}", responses=problems(404, 409, 412, 502, 503))
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
    return account_answer(account)


@router.delete(
    "/{account_id}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(404, 502, 503)
)
async def disconnect_account(account_id: UUID, caller: Connector, services: Services) -> None:
    """Stop sending from it, revoke our access at the provider, and forget its tokens."""
    await services.accounts.disconnect(caller, account_id)


@router.post("/{account_id}/resume", responses=problems(404, 409))
async def resume_account(account_id: UUID, caller: Connector, services: Services) -> AccountAnswer:
    """Send from it again after it was paused. What it was paused for no longer counts."""
    return account_answer(await services.accounts.resume(caller, account_id))


@router.get("/{account_id}/check", responses=problems(404))
async def check_account(account_id: UUID, caller: Reader, services: Services) -> AccountCheckAnswer:
    """Is it fit to send: its domain in DNS, what it may do, how much, and when it was read."""
    check = await services.account_checks.check(caller, account_id)
    return AccountCheckAnswer.model_validate(check)


@router.get("/{account_id}/aliases", responses=problems(404, 409, 502, 503))
async def list_aliases(
    account_id: UUID, caller: Connector, services: Services
) -> list[AliasAnswer]:
    """The addresses that a Gmail account may send as, with their signatures."""
    aliases = await services.accounts.list_aliases(caller, account_id)
    return [AliasAnswer.model_validate(alias) for alias in aliases]


def _asked(body: NewMailbox) -> AskedMailbox:
    return AskedMailbox(
        email=body.account_email,
        password=body.account_password,
        account_type=body.account_type,
        username=body.username,
        smtp=AskedServer(field="", host=body.host, port=body.port, security=body.security),
        imap=AskedServer(
            field="imap_", host=body.imap_host, port=body.imap_port, security=body.imap_security
        ),
        more=body.model_dump(include={"display_name", "daily_limit"}, exclude_unset=True),
    )
