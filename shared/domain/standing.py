"""Why nothing is being sent: how a campaign or an account stands, in words for people."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.channels import AccountKind
from shared.domain.moves import ON_TIME
from shared.domain.recipient import HoldReason
from shared.domain.slots import Book, Hold, Limit, next_slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """How much of a limit is taken: `used` of `most` within its span, and when there is room."""

    words: str
    used: int
    most: int
    free_at: datetime

    def is_full(self, now: datetime) -> bool:
        return self.free_at > now


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """An account as it stands. `trouble`: what a person has to mend. `why`: of `blocked_until`.

    `paused`: how many of those who wait for it are in campaigns that are paused.
    """

    name: str
    kind: AccountKind = AccountKind.GMAIL
    is_active: bool = True
    is_connected: bool = True
    paused: int = 0
    trouble: str | None = None
    blocked_until: datetime | None = None
    why: str | None = None
    usage: tuple[Usage, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """The recipients of a campaign, or those that wait for an account.

    `parked`: how many for which reason. `begun_today`: in the last 24 hours.
    """

    pending: int = 0
    planned: int = 0
    ended: int = 0
    calling: int = 0
    parked: Mapping[HoldReason, int] = field(default_factory=dict)
    begun_today: int = 0

    @property
    def is_over(self) -> bool:
        return not (self.pending or self.planned or self.parked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A campaign's own part in it. `held`: what holds everybody; `opens_at`: begins not before.

    `lacks`: accounts that its steps cannot do without. `is_called_off`: somebody has stopped its
    launcher. `launch`: of how many it has started how many, while it works. `new_leads_per_day`
    None: no bound.
    """

    held: HoldReason | None = None
    is_over: bool = False
    opens_at: datetime | None = None
    is_called_off: bool = False
    is_dry_run: bool = False
    lacks: tuple[HoldReason, ...] = ()
    launch: tuple[int, int] | None = None
    new_leads_per_day: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """`state`: planned, parked, pending or finished."""

    state: str
    because: tuple[str, ...]
    blocked_by: tuple[str, ...]


def overdue_since(at: datetime, now: datetime) -> str | None:
    """What to say when nobody has come to a plan; None: it is ahead, or has just come due."""
    if now - at <= ON_TIME:
        return None
    return f"the next one was due at {_minute(at)}: the workers are behind, or do not run"


def usage_of(limit: Limit, book: Book, now: datetime) -> Usage:
    """What was really done counts, and the follow-ups that are booked."""
    firm = sorted([*book.done, *(b.at for b in book.booked if not b.is_first)])
    used = sum(1 for at in book.done if now - limit.span < at <= now)
    free_at = next_slot(now, [Hold(firm, limit)]).at
    # A whole second is asked for; the one that has begun is now.
    free_at = now if free_at.replace(microsecond=0) <= now else free_at
    return Usage(words=limit.words_at(now), used=used, most=limit.most_at(now), free_at=free_at)


def standing_of_account(post: Post, crowd: Crowd, now: datetime) -> Standing:
    because = [*_crowd(crowd, "wait for it", nobody="nobody waits for it")]
    because += _usage(post.usage, now)
    blocked = [*_trouble(post, now), *_parked(crowd)]
    if post.paused:
        blocked.append(f"{post.paused} of them: {HoldReason.CAMPAIGN_PAUSED}")
    return Standing(state=_state(crowd), because=tuple(because), blocked_by=tuple(blocked))


def standing_of_campaign(
    course: Course, crowd: Crowd, posts: Sequence[Post], now: datetime
) -> Standing:
    """Everything that holds it, the campaign's own reasons first."""
    if course.is_over:
        return Standing(state="finished", because=("the campaign is completed",), blocked_by=())
    because = [*_crowd(crowd, "are open"), *_pending(course, crowd, posts, now)]
    if course.is_dry_run:
        because.append("it is a dry run: what it writes down as sent reaches nobody")
    for post in posts:
        because += [f"{post.name}: {words}" for words in _usage(post.usage, now)]
    blocked = [str(course.held)] if course.held else []
    blocked += [f"{post.name}: {words}" for post in posts for words in _trouble(post, now)]
    blocked += [str(reason) for reason in course.lacks]
    blocked += _parked(crowd)
    return Standing(state=_state(crowd), because=tuple(because), blocked_by=tuple(blocked))


def _state(crowd: Crowd) -> str:
    if crowd.planned:
        return "planned"
    if crowd.parked:
        return "parked"
    return "pending" if crowd.pending else "finished"


def _crowd(crowd: Crowd, what: str, nobody: str = "nobody is in it yet") -> Iterator[str]:
    if crowd.is_over:
        yield "nobody is left who waits for anything" if crowd.ended else nobody
        return
    open_ = crowd.pending + crowd.planned + sum(crowd.parked.values())
    parts = [
        f"{crowd.planned} have a plan" if crowd.planned else "",
        f"{sum(crowd.parked.values())} are held" if crowd.parked else "",
        f"{crowd.pending} are not started yet" if crowd.pending else "",
        f"{crowd.calling} are being called" if crowd.calling else "",
    ]
    yield f"{open_} {what}: {', '.join(filter(None, parts))}"


def _pending(course: Course, crowd: Crowd, posts: Iterable[Post], now: datetime) -> Iterator[str]:
    """Why the launcher has not started those who are left."""
    if course.opens_at and course.opens_at > now:
        yield f"no step is due before {_minute(course.opens_at)}, when the campaign begins"
    if not crowd.pending or course.held:
        return
    most = course.new_leads_per_day
    if course.is_called_off:
        yield "its launch was called off: activate it again to go on"
    elif most is not None and crowd.begun_today >= most:
        yield f"{crowd.begun_today} of {most} new leads a day have begun: the rest wait their turn"
    elif course.launch:
        started, total = course.launch
        yield f"its launch is under way: {started} of {total} are started"
    elif any(post.usage for post in posts):
        yield "first steps are booked three days ahead at most, so that follow-ups find room"
    else:
        yield "the launcher starts them, a page at a time"


def _usage(usage: Iterable[Usage], now: datetime) -> Iterator[str]:
    for one in usage:
        then = f", the next at {_minute(one.free_at)}" if one.is_full(now) else ""
        yield f"{one.used} of {one.most} are used ({one.words}){then}"


def _trouble(post: Post, now: datetime) -> Iterator[str]:
    if not post.is_connected:
        yield "the account is disconnected: connect it again, or give the campaign another one"
    elif not post.is_active:
        why = f": {post.trouble}" if post.trouble else ""
        yield f"{HoldReason.ACCOUNT_DOWN}{why}"
    if post.blocked_until and post.blocked_until > now:
        why = f": {post.why}" if post.why else ""
        yield f"it is left alone until {_minute(post.blocked_until)}{why}"


def _parked(crowd: Crowd) -> list[str]:
    return [f"{number} are held: {reason}" for reason, number in sorted(crowd.parked.items())]


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}Z"
