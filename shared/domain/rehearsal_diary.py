"""What one account has done and booked in a rehearsal, kept in order so that asking is quick."""

from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from shared.domain.channels import AccountKind, Channel
from shared.domain.pacing import GUARDED, Health, trouble_of
from shared.domain.slots import Hold, Limit, Wish, is_free, widened


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """An account that takes part. `weight`: its share of the leads, where shares are by weight.

    `busy`: what it has done lately and what others have booked with it: these instants are taken.
    `limits_by`: of the channels that have limits of their own, as at LinkedIn.
    """

    id: UUID
    name: str
    kind: AccountKind
    limits: tuple[Limit, ...] = ()
    weight: int = 1
    limits_by: Mapping[Channel, tuple[Limit, ...]] = field(default_factory=dict)
    busy: tuple[datetime, ...] = ()

    def diaries(self) -> "list[Diary]":
        """One, or one for each channel that is counted apart."""
        apart = [Diary(self, channel, limits) for channel, limits in self.limits_by.items()]
        return apart or [Diary(self, None, self.limits)]


class Diary:
    """The same instants as `slots.Book` for one campaign, but sorted once and not per question.

    `channel` None: all of the account's. `trouble`: why it was paused, once too many of its mails
    came back.
    """

    def __init__(self, sender: Sender, channel: Channel | None, limits: tuple[Limit, ...]) -> None:
        self.sender, self.channel, self.limits = sender, channel, limits
        self.trouble: str | None = None
        self.firsts_booked = 0
        self._done = sorted(sender.busy)
        # With the follow-ups that are booked; with all that is booked.
        self._firm = list(self._done)
        self._whole = list(self._done)
        self._reached: list[datetime] = []
        self._bounced: list[datetime] = []
        self._complained: list[datetime] = []
        self._is_jittered = any(limit.jitter_seconds for limit in limits)
        # A first mail makes room for follow-ups, and these for nothing but what was done.
        self._plans = {True: self._towards(self._whole), False: self._towards(self._firm)}
        self._permits = {True: self._towards(self._firm), False: self._towards(self._done)}

    def _towards(self, taken: list[datetime]) -> list[Hold]:
        return [Hold(taken, limit) for limit in self.limits]

    def book(self, at: datetime, *, is_first: bool) -> None:
        insort(self._whole, at)
        if is_first:
            self.firsts_booked += 1
        else:
            insort(self._firm, at)

    def free(self, at: datetime, *, is_first: bool) -> None:
        """Nobody will come to what was booked."""
        _take_out(self._whole, at)
        if is_first:
            self.firsts_booked -= 1
        else:
            _take_out(self._firm, at)

    def do(self, at: datetime) -> None:
        for taken in (self._done, self._firm, self._whole):
            insort(taken, at)
        self._reached.append(at)

    def holds_for(self, wish: Wish) -> Sequence[Hold]:
        """As `slots.holds_for` for a plan."""
        holds = self._plans[wish.is_first]
        if not self._is_jittered:
            return holds
        return [Hold(hold.taken, widened(hold.limit, wish)) for hold in holds]

    def permits_for(self, wish: Wish) -> Sequence[Hold]:
        """As `slots.holds_for` for a permission."""
        return self._permits[wish.is_first]

    def is_permitted(self, wish: Wish, now: datetime) -> bool:
        return is_free(now, self.permits_for(wish))

    def judge(self, now: datetime, *, reached_at: datetime, is_complaint: bool) -> None:
        """One of its mails came back; after too many it is paused until somebody looks at it."""
        (self._complained if is_complaint else self._bounced).append(reached_at)
        since = now - GUARDED
        health = Health(
            sent=_behind(self._reached, since),
            bounced=sum(1 for at in self._bounced if at > since),
            complaints=sum(1 for at in self._complained if at > since),
        )
        self.trouble = self.trouble or trouble_of(health)


def _take_out(taken: list[datetime], at: datetime) -> None:
    del taken[bisect_left(taken, at)]


def _behind(instants: list[datetime], since: datetime) -> int:
    return len(instants) - bisect_left(instants, since + timedelta(microseconds=1))
