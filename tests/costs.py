"""What a piece of work costs, in yardsticks: a busy machine slows both down alike."""

from collections.abc import Callable
from time import process_time

SHORTEST = 0.01  # a clock may tick as slowly as that


def cost(work: Callable[[], object]) -> float:
    """The processor's time for `work`; a yardstick is some 10 ms of it. Waiting costs nothing."""
    before = _yardstick()
    started = process_time()
    work()
    spent = process_time() - started
    return spent / max(before, _yardstick(), SHORTEST)


def _yardstick() -> float:
    started = process_time()
    sum(number * number for number in range(200_000))
    return process_time() - started
