"""How fast to start recipients: as fast as Temporal takes them without falling behind."""

from dataclasses import dataclass

SLOWEST, FASTEST = 5.0, 1_000.0
# A page takes about this long, so that it is soon known how it went.
PAGE_SECONDS = 0.5
SMALLEST_PAGE, LARGEST_PAGE = 10, 250
# So much slower than the best is Temporal when it has too much to do; below the floor it is noise.
SLUGGISH, NOISE_SECONDS = 4.0, 0.05
FASTER, SLOWER = 1.5, 0.7
# What was best once is forgotten in the course of some hundred pages: servers change.
FORGOTTEN = 1.01


@dataclass(slots=True)
class Pace:
    """Grows with every page that went well, and backs off when one did not.

    `rate`: starts a second. `best`: the least seconds that a start took.
    """

    rate: float
    best: float | None = None

    @property
    def page(self) -> int:
        """How many to start next."""
        return int(max(SMALLEST_PAGE, min(LARGEST_PAGE, self.rate * PAGE_SECONDS)))

    def learn(self, *, started: int, pushed_back: int, latency: float, seconds: float) -> None:
        """Take in how a page went. `seconds`: what the whole of it took."""
        if pushed_back:
            self._set(self.rate / 2)
        elif started:
            is_sluggish = latency > SLUGGISH * max(self.best or latency, NOISE_SECONDS)
            self.best = min(latency, FORGOTTEN * (self.best or latency))
            if is_sluggish:
                self._set(self.rate * SLOWER)
            else:
                # No faster than what was reached asks for, or there would be no way back.
                self._set(min(self.rate * FASTER, max(self.rate, FASTER * started / seconds)))

    def rest(self, *, started: int, seconds: float) -> float:
        """For how long to wait until the next page, in seconds."""
        return max(0.0, started / self.rate - seconds)

    def _set(self, rate: float) -> None:
        self.rate = max(SLOWEST, min(FASTEST, rate))
