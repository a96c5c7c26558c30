"""/u/{token}: the page behind the link to unsubscribe, and what mailboxes do with one click."""

from typing import Any

from fastapi import APIRouter, Path, status
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from api.dependencies import Services
from api.documentation import problems
from api.services.unsubscribing import UnsubscribePage

router = APIRouter(prefix="/u", tags=["unsubscribing"])

# Nothing is loaded, the address goes nowhere, and nobody may put the button under their own.
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
_pages = Environment(
    loader=PackageLoader("api"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
_template = _pages.get_template("unsubscribe.html")
_ANSWERS: dict[int | str, dict[str, Any]] = {
    404: {"description": "No link of ours, or not the whole of it.", "content": {"text/html": {}}}
}
Token = Path(max_length=300, description="From the link; signed.")


@router.get("/{token}", response_class=HTMLResponse, responses=problems(500) | _ANSWERS)
async def show_unsubscribe(services: Services, token: str = Token) -> HTMLResponse:
    """A page that asks; looking at it changes nothing, because scanners look at every link."""
    return _answer(await services.unsubscribing.find(token))


@router.post("/{token}", response_class=HTMLResponse, responses=problems(500) | _ANSWERS)
async def unsubscribe(services: Services, token: str = Token) -> HTMLResponse:
    """Never write to this address again. Repeating it is fine; the body does not matter.

    This is also what a mailbox's own button calls (RFC 8058, `List-Unsubscribe=One-Click`).
    """
    return _answer(await services.unsubscribing.unsubscribe(token))


def _answer(page: UnsubscribePage | None) -> HTMLResponse:
    state = "unknown" if page is None else "done" if page.is_done else "asking"
    html = _template.render(state=state, sender=page.sender if page else None)
    code = status.HTTP_404_NOT_FOUND if page is None else status.HTTP_200_OK
    return HTMLResponse(html, code, headers=HEADERS)
