"""One call to a receiver of events: bounded, guarded, and never followed elsewhere."""

import asyncio
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from time import monotonic

import httpcore

from shared.errors import Invalid
from shared.webhooks import Destinations

SECONDS = 15
KEPT_BYTES = 1024
GONE = 410


@dataclass(frozen=True, slots=True, kw_only=True)
class CallResult:
    """`error`: why there is no answer, in words for the people who own the receiver."""

    status: int | None = None
    body: str | None = None
    error: str | None = None
    took_ms: int = 0

    @property
    def is_accepted(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        return self.status == GONE


class WebhookCaller:
    """Connections are kept for a moment; each new one goes through the guard."""

    def __init__(self, destinations: Destinations, *, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._pool = httpcore.AsyncConnectionPool(
            network_backend=_GuardedNetwork(destinations),
            max_connections=200,
            max_keepalive_connections=50,
            keepalive_expiry=5,
        )

    async def post(self, url: str, *, headers: Mapping[str, str], body: str) -> CallResult:
        """Post JSON. Whatever goes wrong is a result: it is written down and tried again."""
        started = monotonic()
        try:
            async with asyncio.timeout(self._seconds):
                status, answer = await self._post(url, headers, body)
        except Invalid as error:
            return CallResult(error=str(error))
        except (OSError, httpcore.TimeoutException, httpcore.NetworkError) as error:
            return CallResult(error=self._words(error), took_ms=_since(started))
        except (httpcore.ProtocolError, httpcore.UnsupportedProtocol):
            words = "It closed the connection, or did not answer in HTTP"
            return CallResult(error=words, took_ms=_since(started))
        return CallResult(
            status=status,
            body=answer.decode(errors="replace").replace("\x00", ""),
            took_ms=_since(started),
        )

    async def _post(self, url: str, headers: Mapping[str, str], body: str) -> tuple[int, bytes]:
        """Its status and the beginning of what it says. A redirect is an answer like any other."""
        kept = bytearray()
        async with self._pool.stream(
            "POST", url, headers=_encoded(headers), content=body.encode()
        ) as response:
            async for piece in response.aiter_stream():
                kept += piece
                if len(kept) >= KEPT_BYTES:
                    break
            return response.status, bytes(kept[:KEPT_BYTES])

    def _words(self, error: Exception) -> str:
        match error:
            case TimeoutError() | httpcore.TimeoutException():
                return f"It did not answer within {self._seconds:g} s"
            case socket.gaierror():
                return "Nobody knows its name (DNS)"
            case httpcore.ConnectError() | OSError():
                return "It takes no connection, or its certificate is not good"
        return "It closed the connection before it had answered"

    async def close(self) -> None:
        await self._pool.aclose()


class _GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Looks a name up and connects to what it has checked, not to what a second look-up says."""

    def __init__(self, destinations: Destinations) -> None:
        self._destinations = destinations
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the name is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        *others, last = await self._destinations.find(host, port)
        for address in others:
            try:
                return await self._network.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except httpcore.ConnectError:
                continue
        return await self._network.connect_tcp(last, port, timeout, local_address, socket_options)


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    # Unasked for, a compressed answer could grow without end.
    fixed = {
        "content-type": "application/json",
        "accept-encoding": "identity",
        "user-agent": "Drumbeat-Webhooks/1",
    }
    return [(name.encode(), value.encode()) for name, value in {**fixed, **headers}.items()]


def _since(started: float) -> int:
    return round((monotonic() - started) * 1000)
