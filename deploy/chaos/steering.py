"""Drives a coroutine by hand, so that something can be done at each point where it waits."""

from asyncio import Future
from collections.abc import Awaitable, Callable, Coroutine, Generator
from types import coroutine
from typing import Any, TypeVar

T = TypeVar("T")
OnSuspension = Callable[[int], Awaitable[None]]


async def drive(work: Coroutine[Any, Any, T], on_suspension: OnSuspension) -> T:
    """The result of `work`. `on_suspension` hears the number of each wait before it begins."""
    number, error = 0, None
    while True:
        try:
            awaited = work.send(None) if error is None else work.throw(error)
        except StopIteration as stop:
            result: T = stop.value
            return result
        number, error = number + 1, None
        try:
            await on_suspension(number)
            await _pass_on(awaited)
        except BaseException as raised:  # noqa: BLE001 - the coroutine hears of everything
            error = raised
            if isinstance(awaited, Future):
                # Nobody may wait for it any more, and it may fail all the same.
                awaited.add_done_callback(lambda left: left.cancelled() or left.exception())


@coroutine
def _pass_on(awaited: Any) -> Generator[Any, None, None]:
    """To the event loop, as if the coroutine itself were its task."""
    yield awaited
