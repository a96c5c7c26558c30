"""Refuses a body that is too large before it fills the memory."""

import re
from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 5 * 1024 * 1024


class LimitedBodies:
    """Counts what really comes in: Content-Length may be missing, or lie."""

    def __init__(
        self, app: ASGIApp, *, most: int = LARGEST_BODY, uploads: Mapping[str, int] | None = None
    ) -> None:
        """`uploads`: patterns of paths that take more, and how much."""
        self._app = app
        self._most = most
        self._uploads = uploads or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        received, most = 0, self._most
        for pattern, larger in self._uploads.items():
            if re.fullmatch(pattern, scope["path"]):
                most = max(most, larger)

        async def receive_some() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > most:
                # FastAPI lets this one through while it reads, and answers it as a problem.
                raise HTTPException(413, f"A body may have {most:,} bytes at the most")
            return message

        await self._app(scope, receive_some, send)
