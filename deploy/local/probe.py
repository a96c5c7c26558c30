"""Is something there? Answers with a bool and never raises; needs no HTTP library."""

import asyncio
import contextlib
from urllib.parse import urlsplit

SECONDS = 2.0


async def answers(url: str) -> bool:
    """Whether a GET of this http:// URL is answered with 200."""
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                target = parts.path or "/"
                writer.write(f"GET {target} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
                status = await reader.readline()
                return status.split()[1:2] == [b"200"]
            finally:
                writer.close()
    return False


async def listens(port: int) -> bool:
    """Whether somebody accepts connections on this port of the loopback address."""
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(SECONDS):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return True
    return False
