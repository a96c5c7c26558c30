"""Lists in pages: the cursor is the id of the last row, wrapped so that nobody counts on it."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, Protocol, TypeVar
from uuid import UUID

from fastapi import Query, Request, Response
from pydantic import BaseModel

from shared.errors import Invalid

USUAL_PAGE = 50
LARGEST_PAGE = 500
LARGEST_ARRAY = 10_000

T = TypeVar("T")


class HasId(Protocol):
    @property
    def id(self) -> UUID: ...


R = TypeVar("R", bound=HasId)

Limit = Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="Rows in a page.")]
ArrayLimit = Annotated[
    int | None,
    Query(ge=1, le=LARGEST_PAGE, description="Rows in a page; without it all, up to 10,000."),
]
Cursor = Annotated[
    str | None, Query(max_length=100, description="`next_cursor` of the page before.")
]


class Page(BaseModel, Generic[T]):
    """`next_cursor` null: this is the last page."""

    items: list[T]
    next_cursor: str | None


def read_cursor(cursor: str | None) -> UUID | None:
    """Raises Invalid for what `make_cursor` has not made."""
    if cursor is None:
        return None
    try:
        return UUID(bytes=urlsafe_b64decode(cursor + "=="))
    except ValueError:
        raise Invalid("Use the next_cursor of the page before", field="cursor") from None


def make_cursor(last_id: UUID) -> str:
    return urlsafe_b64encode(last_id.bytes).decode().rstrip("=")


def cut_page(rows: Sequence[R], limit: int) -> tuple[Sequence[R], str | None]:
    """From `limit + 1` rows that were asked for: the page, and the cursor if one more is there."""
    page = rows[:limit]
    return page, make_cursor(page[-1].id) if len(rows) > limit else None


def make_page(rows: Sequence[R], limit: int, show: Callable[[R], T]) -> Page[T]:
    """Of `limit + 1` rows that were asked for."""
    page, next_cursor = cut_page(rows, limit)
    return Page(items=[show(row) for row in page], next_cursor=next_cursor)


def cut_array(
    rows: Sequence[R], limit: int | None, request: Request, response: Response
) -> Sequence[R]:
    """Of one more than was asked for, the bare array; where it goes on stands in `Link`."""
    if limit and len(rows) > limit:
        link_next(request, response, make_cursor(rows[limit - 1].id))
    return rows[: limit or LARGEST_ARRAY]


def link_next(request: Request, response: Response, cursor: str | None) -> None:
    """Where a bare array goes on, as a Link header (RFC 8288)."""
    if cursor is not None:
        url = request.url.include_query_params(cursor=cursor)
        response.headers["Link"] = f'<{url}>; rel="next"'
