"""How long a receiver of events may be down before it is left alone."""

from dataclasses import dataclass
from datetime import timedelta

_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """`retries`: the wait after each failed attempt of one message; after the last it has failed.

    `bears`: failures in a row, of any messages, after which the receiver gets a rest.
    """

    retries: tuple[timedelta, ...] = (
        *(timedelta(seconds=5), timedelta(seconds=30), 2 * _MINUTE, 10 * _MINUTE, 30 * _MINUTE),
        *(_HOUR, 3 * _HOUR, 6 * _HOUR, 12 * _HOUR, 24 * _HOUR),
    )
    bears: int = 5
    shortest_rest: timedelta = timedelta(seconds=30)
    longest_rest: timedelta = _HOUR
    gives_up_after: timedelta = timedelta(days=5)

    def wait(self, attempts: int) -> timedelta | None:
        """Until the next attempt, after this many. None: it has been tried often enough."""
        return self.retries[attempts - 1] if attempts <= len(self.retries) else None

    def rest(self, failures: int) -> timedelta | None:
        """Twice as long after each further failure; one message finds out whether it is over."""
        if failures < self.bears:
            return None
        # Beyond 2 ** 20 it is the longest in any case, and a timedelta has an end.
        return min(self.shortest_rest * (1 << min(failures - self.bears, 20)), self.longest_rest)
