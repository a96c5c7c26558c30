"""/email: the pages that a person's browser passes while it connects a mailbox."""

from html import escape
from typing import Annotated, Any, Literal

import httpx
from fastapi import APIRouter, Query, status
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.callers import Permission
from api.dependencies import Browser, Services
from api.documentation import problems
from api.services.calendars import CALENDAR
from shared.db.models.accounts import AccountStatus
from shared.errors import NotAuthenticated, ProviderError

router = APIRouter(prefix="/email", tags=["accounts"])

Secret = Annotated[str | None, Query(max_length=200)]
REDIRECT: dict[int | str, dict[str, Any]] = {302: {"description": "Onwards."}}


@router.get(
    "/connect/",
    status_code=status.HTTP_302_FOUND,
    response_class=RedirectResponse,
    responses=problems(401, 403, 409, 503),
)
async def begin_connecting(
    *,
    services: Services,
    browser: Browser,
    ticket: Secret = None,
    login_hint: Annotated[str | None, Query(max_length=320)] = None,
    return_to: Annotated[str | None, Query(max_length=2_000)] = None,
    scopes: Literal["gmail"] = "gmail",  # noqa: ARG001 - the only choice so far, and checked
) -> RedirectResponse:
    """On to Google's consent page, with a browser's session or a ticket.

    The ticket is from POST /api/accounts/gmail/connect.
    """
    if ticket is not None:
        url = await services.connecting.begin(ticket, login_hint=login_hint, return_to=return_to)
        return RedirectResponse(url, status.HTTP_302_FOUND)
    if browser is None:
        raise NotAuthenticated(
            "Log in with `cookie`, or get a link with a ticket from"
            " POST /api/accounts/gmail/connect"
        )
    caller = await services.access.enter(browser, None)
    caller.must(Permission.CONNECT)
    url = await services.connecting.begin_as(caller, login_hint=login_hint, return_to=return_to)
    return RedirectResponse(url, status.HTTP_302_FOUND)


@router.get("/callback/", response_class=HTMLResponse, responses=problems(401, 503) | REDIRECT)
async def finish_connecting(
    services: Services,
    state: Annotated[str, Query(max_length=200)],
    code: Annotated[str | None, Query(max_length=2_000)] = None,
    error: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """Back from Google: keep the account, and on to `return_to`, else a page that says so."""
    consent = await services.connecting.use_state(state)
    if code is None:
        refusal = error or "no code"
        return _onwards(consent.return_to, "Not connected", f"Google answered: {refusal}.")
    try:
        if consent.purpose == CALENDAR:
            calendar = await services.appointments.calendars.finish(consent, code)
            return _connected(consent.return_to, f"The calendar of {calendar.email}")
        account = await services.connecting.finish(consent, code)
    except ProviderError as refused:
        return _onwards(consent.return_to, "Not connected", str(refused))
    if account.status is not AccountStatus.ACTIVE:
        reason = account.status_reason or "it needs attention"
        return _onwards(consent.return_to, "Not connected", f"{account.email}: {reason}.")
    return _connected(consent.return_to, account.email)


def _connected(return_to: str | None, what: str) -> Response:
    if return_to:
        return RedirectResponse(return_to, status.HTTP_302_FOUND)
    return _page("Connected", f"{what} is connected. You can close this page.")


def _onwards(return_to: str | None, title: str, problem: str) -> Response:
    """What went wrong, where the person wanted to go, else as a page."""
    if return_to is None:
        return _page(title, problem, status.HTTP_409_CONFLICT)
    url = httpx.URL(return_to).copy_merge_params({"error": problem})
    return RedirectResponse(str(url), status.HTTP_302_FOUND)


def _page(title: str, text: str, code: int = status.HTTP_200_OK) -> HTMLResponse:
    html = (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title>"
        f"<h1>{escape(title)}</h1><p>{escape(text)}</p></html>"
    )
    return HTMLResponse(html, code)
