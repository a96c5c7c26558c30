"""The gateway: `python -m api.main`."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from socket import socket
from typing import Any

import uvicorn
import uvloop
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi_offline import FastAPIOffline

from api.body_limit import LimitedBodies
from api.container import Container, build_container
from api.deeds import Deeds
from api.documentation import add_document, operation_id
from api.errors import UnexpectedErrors, add_error_handlers
from api.metrics import MeteredRequests
from api.routes import (
    accounts,
    appointments,
    audit,
    auth,
    calls,
    campaigns,
    companies,
    company_campaigns,
    connecting,
    definitions,
    erasing,
    events,
    explaining,
    health,
    inbound,
    leads,
    linkedin,
    members,
    messages,
    previewing,
    products,
    provider_webhooks,
    recipients,
    rehearsing,
    segments,
    sequences,
    suppressions,
    tasks,
    templates,
    todos,
    tracking,
    unsubscribing,
    versions,
    webhooks,
)
from api.tracing import trace_requests
from shared.config import Settings
from shared.errors import Misconfigured
from shared.telemetry import set_up_logs, set_up_traces

# Looked through in this order: what pages ask for most comes first.
ROUTERS = (
    campaigns.router,
    company_campaigns.router,
    auth.router,
    companies.router,
    members.router,
    audit.router,
    leads.router,
    erasing.router,
    segments.router,
    tasks.router,
    todos.router,
    products.router,
    webhooks.router,
    events.router,
    appointments.router,
    linkedin.router,
    calls.router,
    accounts.router,
    connecting.router,
    sequences.router,
    versions.router,
    definitions.router,
    definitions.published,
    previewing.router,
    rehearsing.router,
    explaining.router,
    templates.router,
    recipients.router,
    messages.router,
    inbound.router,
    provider_webhooks.router,
    linkedin.news_router,
    calls.news_router,
    suppressions.router,
    unsubscribing.router,
    tracking.router,
    health.router,
)
_BEGINNING = """Durable outreach campaigns.

Begin with `POST /api/auth/register` and `POST /api/companies`; *Authorize* takes the access token,
or the key of a machine. Then leads, a campaign, its sequences, recipients, an account, `activate`.
Errors are problems of RFC 9457: `detail` says what happened and what would help.
"""
# The calls are many: shown by their groups, found by a word, and a token entered once is kept.
_PAGE = {"docExpansion": "none", "filter": True, "persistAuthorization": True}
# Requests under way get this long to end after SIGTERM.
GRACE_SECONDS = 10


def create_app(container: Container) -> FastAPI:
    """The gateway around its parts; they are opened and closed with it."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with container.opened():
            yield

    app = _make_app(lifespan=lifespan)
    app.state.container = container
    # The last one added is the outermost.
    app.add_middleware(LimitedBodies, uploads=container.uploads)
    app.add_middleware(Deeds, idempotency=container.idempotency)
    app.add_middleware(UnexpectedErrors)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=container.cors_origins,
        allow_credentials=True,
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=["ETag", "Idempotency-Replayed", "Link", "Location", "Retry-After"],
    )
    app.add_middleware(MeteredRequests, metrics=container.metrics)
    return app


@cache
def openapi_document() -> dict[str, Any]:
    """The OpenAPI document, without a database or anything else; one, as making it takes long."""
    return _make_app().openapi()


def _make_app(**more: Any) -> FastAPI:
    # The pages at /docs come from here as well: a gateway need not reach the internet.
    app = FastAPIOffline(
        title="Drumbeat",
        version="0.1.0",
        description=_BEGINNING,
        generate_unique_id_function=operation_id,
        swagger_ui_parameters=_PAGE,
        **more,
    )
    for router in ROUTERS:
        app.include_router(router)
    add_error_handlers(app, ROUTERS)
    add_document(app)
    return app


class StoppingServer(uvicorn.Server):
    """A server that ends what would never end by itself before it waits for the rest."""

    def __init__(self, config: uvicorn.Config, *, before_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._before_stop = before_stop

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        self._before_stop()
        await super().shutdown(sockets)


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then let the requests under way end."""
    container = await build_container(settings)
    app = create_app(container)
    if settings.otel_exporter_otlp_endpoint:
        trace_requests(app)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        # Our own lines and uvicorn's in one form; a request's address may name a lead.
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    await StoppingServer(config, before_stop=container.events.close).serve()


def main() -> None:
    settings = Settings()
    set_up_logs(settings.log_level)
    provider = set_up_traces("gateway", endpoint=settings.otel_exporter_otlp_endpoint)
    try:
        uvloop.run(serve(settings))
    except Misconfigured as error:
        raise SystemExit(f"drumbeat gateway: {error}") from None
    finally:
        if provider:
            provider.shutdown()


if __name__ == "__main__":
    main()
