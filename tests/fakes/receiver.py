"""Another company's server that is told of events, on a real socket of this machine."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One request, as it came in."""

    path: str
    headers: dict[str, str]
    body: str

    @property
    def message(self) -> Any:
        return json.loads(self.body)

    @property
    def message_id(self) -> str:
        return self.headers["webhook-id"]


@dataclass(slots=True, kw_only=True)
class Receiver:
    """`answers`: what the next ones get: a status, `close`, `reset`, `hang`; then 204.

    `released`: what hangs goes on.
    """

    port: int = 0
    answers: list[int | str] = field(default_factory=list)
    says: str = ""
    heard: list[Heard] = field(default_factory=list)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def until_heard(self, number: int) -> None:
        async with asyncio.timeout(60):
            while len(self.heard) < number:  # noqa: ASYNC110 - it counts
                await asyncio.sleep(0.01)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while heard := await _read(reader):
                self.heard.append(heard)
                answer = self.answers.pop(0) if self.answers else 204
                if answer == "hang":
                    await self.released.wait()
                if answer == "reset":
                    writer.transport.abort()
                if isinstance(answer, str):
                    return
                writer.write(_response(answer, self.says))
                await writer.drain()
        except ConnectionError:
            return
        finally:
            writer.close()


@asynccontextmanager
async def running_receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        receiver.released.set()
        server.close()
        # What is kept alive would be waited for otherwise.
        await asyncio.sleep(0.05)


async def _read(reader: asyncio.StreamReader) -> Heard | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = await reader.readexactly(int(headers["content-length"]))
    return Heard(path=first.split(" ")[1], headers=headers, body=body.decode())


def _response(status: int, text: str) -> bytes:
    body = text.encode() if status not in {204, 304} else b""
    location = "Location: http://127.0.0.1:1/elsewhere\r\n" if 300 <= status < 400 else ""
    head = f"HTTP/1.1 {status} Because\r\n{location}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body
