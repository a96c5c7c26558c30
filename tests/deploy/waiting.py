"""Waiting for things that happen in other processes."""

import asyncio
import time
from collections.abc import Callable

import psutil


async def until(is_so: Callable[[], bool], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)


def is_alive(pid: int) -> bool:
    """A zombie counts as dead: nobody may be there to collect it."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
