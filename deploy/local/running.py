"""Run until done or told to stop; whatever was started is stopped in order on the way out."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any

STOPPED = 0
INTERRUPTED = 130


def run_until_stopped(
    work: Coroutine[Any, Any, int],
    *,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> int:
    """The result of `work`; 130 after Ctrl-C, 0 after SIGTERM or when the terminal has gone.

    A second signal does not wait for what is in flight.
    """
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(_run(work))


async def _run(work: Coroutine[Any, Any, int]) -> int:
    task = asyncio.ensure_future(work)
    received: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        received.append(number)
        task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop, number)
    try:
        return await task
    except asyncio.CancelledError:
        if not received:
            raise
        return INTERRUPTED if received[0] is signal.SIGINT else STOPPED
