"""/t: the picture in a mail, and links through us. Only what was signed here leads anywhere."""

from base64 import b64decode
from typing import Any

from fastapi import APIRouter, Path, Request, Response, status
from fastapi.responses import RedirectResponse

from api.dependencies import Services
from api.documentation import problems
from shared.domain.tracking import Hit, TrackingKind
from shared.errors import NotFound

router = APIRouter(prefix="/t", tags=["tracking"])

# One transparent pixel.
_GIF = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}
# What browsers say when they fetch something that nobody has asked for yet.
_PURPOSES = ("sec-purpose", "purpose", "x-purpose", "x-moz")
_PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"description": "One transparent pixel.", "content": {"image/gif": {}}}
}
_ONWARDS: dict[int | str, dict[str, Any]] = {302: {"description": "On to the link's target."}}
# Its target is inside.
Token = Path(max_length=3_000, description="From the mail; signed.")


@router.head("/o/{token}.gif", include_in_schema=False)
@router.get("/o/{token}.gif", response_class=Response, responses=_PICTURE | problems(404))
async def show_pixel(request: Request, services: Services, token: str = Token) -> Response:
    """Note that a mail was opened, and by what kind of visitor."""
    await _note(request, services, TrackingKind.OPEN, token)
    return Response(_GIF, media_type="image/gif", headers=_HEADERS)


@router.head("/c/{token}", include_in_schema=False)
@router.get(
    "/c/{token}",
    status_code=status.HTTP_302_FOUND,
    response_class=RedirectResponse,
    responses=_ONWARDS | problems(404),
)
async def follow_link(request: Request, services: Services, token: str = Token) -> Response:
    """Note that a link was clicked, and by what kind of visitor; then on to where it leads."""
    target = await _note(request, services, TrackingKind.CLICK, token)
    return RedirectResponse(target, status.HTTP_302_FOUND, headers=_HEADERS)


async def _note(request: Request, services: Services, kind: TrackingKind, token: str) -> str:
    """Returns where the link leads. Raises NotFound."""
    link = services.tracking.read(kind, token)
    if link is None:
        raise NotFound("This is no link of ours, or not the whole of it")
    hit = Hit(
        user_agent=request.headers.get("user-agent", ""),
        purpose=" ".join(request.headers.get(name, "") for name in _PURPOSES),
        is_head=request.method == "HEAD",
    )
    await services.tracking.note(link, hit)
    return link.target or ""
