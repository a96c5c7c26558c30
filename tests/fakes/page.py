"""An open page that listens to the stream of events, and a gateway on a real socket for it."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from api.main import StoppingServer

Json = dict[str, Any]


class QuietServer(StoppingServer):
    """Leaves the signals to pytest."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Stream:
    """An open page: what came in so far, comments included."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.blocks: list[str] = []

    async def read(self) -> None:
        rest = ""
        async for piece in self.response.aiter_text():
            *blocks, rest = (rest + piece).split("\n\n")
            self.blocks += blocks

    @property
    def events(self) -> list[Json]:
        lines = [line for block in self.blocks for line in block.split("\n")]
        return [json.loads(line[6:]) for line in lines if line.startswith("data: ")]

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not is_so():  # noqa: ASYNC110 - whatever may have come in
                await asyncio.sleep(0.02)
