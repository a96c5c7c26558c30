"""Many clients that ask for one page again and again over connections that stay open."""

import asyncio
from dataclasses import dataclass
from statistics import quantiles
from time import perf_counter

from shared.errors import DrumbeatError

CONNECTIONS = 8


class WrongAnswer(DrumbeatError):
    """The server did not answer what is measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """`waits`: seconds that each took."""

    seconds: float
    waits: tuple[float, ...]

    @property
    def rate(self) -> float:
        return len(self.waits) / self.seconds

    @property
    def p95_seconds(self) -> float:
        return quantiles(self.waits, n=20)[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Asked without a client library: that would cost more than what is asked."""

    port: int
    path: str
    token: str = ""

    async def ask(self, *, seconds: float, connections: int = CONNECTIONS) -> Answers:
        begun = perf_counter()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._go_on(begun + seconds)) for _ in range(connections)]
        waits = tuple(wait for task in tasks for wait in task.result())
        return Answers(seconds=perf_counter() - begun, waits=waits)

    async def read(self) -> bytes:
        """The body, once."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            return await self._exchange(reader, writer)
        finally:
            writer.close()

    async def _go_on(self, until: float) -> list[float]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        waits = []
        try:
            while (begun := perf_counter()) < until:
                await self._exchange(reader, writer)
                waits.append(perf_counter() - begun)
        finally:
            writer.close()
        return waits

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        lines = [f"GET {self.path} HTTP/1.1", "Host: bench", "Accept: application/json"]
        if self.token:
            lines.append(f"Authorization: Bearer {self.token}")
        writer.write("\r\n".join([*lines, "", ""]).encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.partition("content-length:")[2].partition("\r\n")[0])
        body = await reader.readexactly(length)
        if " 200 " not in head.partition("\r\n")[0]:
            raise WrongAnswer(f"{self.path} answered {head.partition(chr(13))[0]}: {body[:200]!r}")
        return body
