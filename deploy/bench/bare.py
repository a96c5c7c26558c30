"""The least that a step can be on Temporal: a timer and an activity that does nothing."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity, workflow


@dataclass(frozen=True, slots=True, kw_only=True)
class BareStart:
    """`waits`: seconds before each step."""

    waits: tuple[int, ...]


@activity.defn(name="bare.step")
async def do_nothing() -> None:
    """Answer at once."""


@workflow.defn(name="bare")
class BareWorkflow:
    @workflow.run
    async def run(self, start: BareStart) -> None:
        """Wait and act, as often as there are waits."""
        for wait in start.waits:
            if wait:
                await workflow.sleep(timedelta(seconds=wait))
            await workflow.execute_activity(
                do_nothing, start_to_close_timeout=timedelta(seconds=10)
            )


@workflow.defn(name="bare.sleeper")
class BareSleeper:
    """Sleeps for a month unless it is told to stop: the least that can be roused."""

    def __init__(self) -> None:
        self._is_stopped = False

    @workflow.run
    async def run(self) -> str:
        """Wait to be stopped."""
        with suppress(TimeoutError):
            await workflow.wait_condition(lambda: self._is_stopped, timeout=timedelta(days=30))
        return "stopped"

    @workflow.signal
    def stop(self) -> None:
        """End it."""
        self._is_stopped = True
