"""Kills what a test runs, at any thing that it asks of others."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine


class KilledError(BaseException):
    """What a kill looks like from inside: nothing after it happens."""


class Fuse:
    """Kills the launcher at the `left`th thing that it asks of Postgres or of Temporal."""

    def __init__(self, left: int) -> None:
        self.left = left

    def burn(self, *_: Any) -> None:
        self.left -= 1
        if self.left < 0:
            raise KilledError

    @contextmanager
    def in_database(self, engine: AsyncEngine) -> Iterator[None]:
        event.listen(engine.sync_engine, "before_cursor_execute", self.burn)
        event.listen(engine.sync_engine, "commit", self.burn)
        try:
            yield
        finally:
            event.remove(engine.sync_engine, "before_cursor_execute", self.burn)
            event.remove(engine.sync_engine, "commit", self.burn)
