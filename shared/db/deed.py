"""Who acts in this request, and as which write that may be asked for twice.

The database session reads it when it begins and ends a transaction; a worker has none.
"""

from contextvars import ContextVar, Token
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A row of idempotency_keys, as long as nobody else has claimed it since."""

    id: UUID
    claimed_at: datetime


@dataclass(slots=True, kw_only=True)
class Deed:
    """`actor`: `user:<id>` or `key:<id>`, empty until the caller is known."""

    actor: str = ""
    claim: Claim | None = None


_NOBODYS = Deed()
_current: ContextVar[Deed | None] = ContextVar("deed", default=None)


def current_deed() -> Deed:
    """The request's own, to read and to fill in; outside a request an empty one."""
    return _current.get() or _NOBODYS


def begin_deed() -> tuple[Deed, Token[Deed | None]]:
    deed = Deed()
    return deed, _current.set(deed)


def end_deed(token: Token[Deed | None]) -> None:
    _current.reset(token)
