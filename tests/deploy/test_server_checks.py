"""The doctor reaches a server as everybody else does."""

import asyncio

from pydantic import SecretStr

from deploy.local.server_checks import check_temporal
from shared.config import Settings

# The first byte of TLS (RFC 8446, section 5.1), and that of HTTP/2 without it.
HANDSHAKE, PREFACE = 0x16, ord("P")


async def _first_byte(api_key: str | None) -> int:
    """That which a server hears from the doctor."""
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.put_nowait(await reader.read(1))
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    secret = SecretStr(api_key) if api_key else None
    settings = Settings(temporal_address=f"127.0.0.1:{port}", temporal_api_key=secret)
    async with server:
        [check] = await check_temporal(settings)
        assert not check.is_ok
        return (await asyncio.wait_for(heard.get(), 60))[0]


async def test_a_key_of_temporal_cloud_is_told_over_tls_alone() -> None:
    assert await _first_byte("a key") == HANDSHAKE
    assert await _first_byte(None) == PREFACE
