"""/u/{token}: the page behind the link to unsubscribe, and what mailboxes do with one click."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, status
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from api.dependencies import Services
from api.documentation import problems
from api.services.unsubscribing import UnsubscribePage
from api.unsubscribe_words import words_for

router = APIRouter(prefix="/u", tags=["unsubscribing"])

# Nothing is loaded, the address goes nowhere, and nobody may put the button under their own.
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Vary": "Accept-Language",
}
_pages = Environment(
    loader=PackageLoader("api"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
_template = _pages.get_template("unsubscribe.html")
_ANSWERS: dict[int | str, dict[str, Any]] = {
    404: {"description": "No link of ours, or not the whole of it.", "content": {"text/html": {}}}
}
Token = Path(max_length=300, description="From the link; signed.")
Languages = Annotated[
    str | None, Header(description="Asked when the lead's own language is not known.")
]


@router.get("/{token}", response_class=HTMLResponse, responses=problems(500) | _ANSWERS)
async def show_unsubscribe(
    services: Services, token: str = Token, accept_language: Languages = None
) -> HTMLResponse:
    """A page that asks; looking at it changes nothing, because scanners look at every link."""
    return _answer(await services.unsubscribing.find(token), accept_language)


@router.post("/{token}", response_class=HTMLResponse, responses=problems(500) | _ANSWERS)
async def unsubscribe(
    services: Services, token: str = Token, accept_language: Languages = None
) -> HTMLResponse:
    """Never write to this address again. Repeating it is fine; the body does not matter.

    This is also what a mailbox's own button calls (RFC 8058, `List-Unsubscribe=One-Click`).
    """
    return _answer(await services.unsubscribing.unsubscribe(token), accept_language)


def _answer(page: UnsubscribePage | None, accepted: str | None) -> HTMLResponse:
    """In the lead's language, else in one that its browser asks for, else in English."""
    state = "unknown" if page is None else "done" if page.is_done else "asking"
    words = words_for(page.language if page else None, accepted)
    sender = page.sender if page else None
    who = Markup("<strong>{}</strong>").format(sender or words.nobody)
    html = _template.render(state=state, who=who, words=words)
    code = status.HTTP_404_NOT_FOUND if page is None else status.HTTP_200_OK
    return HTMLResponse(html, code, headers=HEADERS | {"Content-Language": words.code})
