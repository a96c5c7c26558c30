"""The time, as Temporal tells it."""

from datetime import datetime

from temporalio import activity


def now() -> datetime:
    """Temporal's clock and not ours, so that a test or a rehearsal can skip days."""
    return activity.info().started_time


def is_retry() -> bool:
    """Whether the attempt before this one has ended without an answer.

    What it may have done is fresh then, whatever two clocks that disagree say of its age.
    """
    return activity.info().attempt > 1
