"""What is asked of a calendar, whoever keeps it: when is there time, take this one, is it taken."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from shared.providers.google_oauth import Tokens

# Meetings begin on the hour, the quarter, or the half.
GRID = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Span:
    starts_at: datetime
    ends_at: datetime

    def overlaps(self, other: "Span") -> bool:
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """`id` is chosen by us, and names the event: a second booking of it is the same event."""

    id: UUID
    span: Span
    title: str
    attendee_email: str | None = None
    attendee_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What the calendar made of it. `url`: where its owner sees it."""

    provider_id: str
    url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """`calendar_id`: the one that is meant, where there can be several."""

    email: str
    calendar_id: str | None = None


class Calendar(Protocol):
    """All raise a ProviderError; `book` raises Ambiguous when it may have happened.

    `find`: what became of a booking; None: there is no such event.
    """

    async def free_slots(self, within: Span, *, minutes: int) -> Sequence[Span]: ...
    async def book(self, meeting: Meeting) -> Event: ...
    async def find(self, meeting: Meeting) -> Event | None: ...


class TokenSource(Protocol):
    async def access_token(self, *, rejected: str | None = None) -> str: ...


class CalendarHost(Protocol):
    """A provider of calendars: how a person lets us in, and what opens one then."""

    def authorize_url(self, *, state: str, code_verifier: str) -> str: ...
    async def exchange(self, code: str, code_verifier: str) -> Tokens: ...
    async def refresh(self, refresh_token: str) -> Tokens: ...
    async def whose(self, access_token: str) -> Owner: ...
    def open(self, tokens: TokenSource, *, calendar_id: str | None) -> Calendar: ...


def free_slots(busy: Iterable[Span], within: Span, *, minutes: int) -> list[Span]:
    """Every slot of so many minutes on the grid that overlaps nothing.

    A span that is no longer than one slot is that slot, wherever on the clock it begins.
    """
    taken, length = sorted(busy), timedelta(minutes=minutes)
    if within.ends_at - within.starts_at == length:
        return [] if any(span.overlaps(within) for span in taken) else [within]
    found, starts_at = [], _on_grid(within.starts_at)
    while starts_at + length <= within.ends_at:
        slot = Span(starts_at=starts_at, ends_at=starts_at + length)
        blocker = next((span for span in taken if span.overlaps(slot)), None)
        if blocker is None:
            found.append(slot)
            starts_at += GRID
        else:
            starts_at = max(_on_grid(blocker.ends_at), starts_at + GRID)
    return found


def _on_grid(at: datetime) -> datetime:
    """The grid's next instant."""
    seconds = GRID.total_seconds()
    behind = at.timestamp() % seconds
    return at + timedelta(seconds=(seconds - behind) % seconds)
