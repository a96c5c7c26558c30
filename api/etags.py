"""ETag and If-Match (RFC 9110): reading a version, and changing that one only."""

from typing import Annotated

from fastapi import Header, Response

from api.services.versions import version_of
from shared.db.base import Base

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=1_000,
        description="The `ETag` that was read; another one by now is a 412. Left out, no check.",
    ),
]


def show_version(response: Response, row: Base) -> None:
    response.headers["ETag"] = version_of(row)
