"""How often something may be tried. Kept in this process: each gateway counts for itself."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import timedelta

from api.errors import TooManyAttempts

# Beyond it the keys that were quiet the longest are forgotten, so that memory stays bounded.
MOST_KEYS = 100_000


class AttemptLimit:
    """At most `most` attempts per key in any `per`; an attempt may be given back."""

    def __init__(
        self, *, most: int, per: timedelta, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = most
        self._per = per.total_seconds()
        self._clock = clock
        self._attempts: OrderedDict[str, deque[float]] = OrderedDict()

    def take(self, key: str) -> None:
        """Count one attempt. Raises TooManyAttempts with how long to wait."""
        now = self._clock()
        attempts = self._attempts.setdefault(key, deque())
        self._attempts.move_to_end(key)
        while attempts and attempts[0] <= now - self._per:
            attempts.popleft()
        if len(attempts) >= self._most:
            wait = timedelta(seconds=attempts[0] + self._per - now)
            raise TooManyAttempts("Too many failed attempts: wait a while", retry_after=wait)
        attempts.append(now)
        if len(self._attempts) > MOST_KEYS:
            self._attempts.popitem(last=False)

    def give_back(self, key: str) -> None:
        """The attempt was good, so it does not count."""
        attempts = self._attempts.get(key)
        if attempts:
            attempts.pop()
        if not attempts:
            self._attempts.pop(key, None)
