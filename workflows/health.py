"""A worker's /healthz and /metrics."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import httpx
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

STARTED_WITHIN = 10


class _QuietServer(uvicorn.Server):
    """A server that leaves the process's signals to the worker."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving_health(host: str, port: int, *, sdk_metrics: str | None) -> AsyncIterator[int]:
    """Serve while the block runs; gives the port. `sdk_metrics`: where Temporal's SDK has its."""
    app = Starlette(routes=[Route("/healthz", _healthz), Route("/metrics", _metrics)])
    app.state.sdk_metrics = sdk_metrics
    config = uvicorn.Config(app, host=host, port=port, log_config=None, access_log=False)
    server = _QuietServer(config)
    serving = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(STARTED_WITHIN):
            while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event for it
                await asyncio.sleep(0.01)
        if serving.done():
            raise OSError(f"port {port} of {host} is taken: set DRUMBEAT_METRICS_PORT")
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await serving


async def _healthz(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _metrics(request: Request) -> Response:
    """Our own metrics, and those of Temporal's SDK, which serves them on a port of its own."""
    text = generate_latest()
    if url := request.app.state.sdk_metrics:
        async with httpx.AsyncClient() as http:
            text += (await http.get(url)).content
    return Response(text, media_type=CONTENT_TYPE_LATEST)
