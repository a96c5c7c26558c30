"""A span for each request, from which the workflow's and the provider's spans hang."""

from typing import Any

from fastapi import FastAPI
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.trace import Span

# Asked every few seconds by machines.
NOT_TRACED = "healthz,readyz,metrics"
# Where the library writes what was asked for and by whom. The route's template stays.
ADDRESSES = (
    "http.url",
    "http.target",
    "http.user_agent",
    "net.peer.ip",
    "url.full",
    "url.query",
    "client.address",
    "user_agent.original",
)


def trace_requests(app: FastAPI) -> None:
    FastAPIInstrumentor.instrument_app(
        app,
        excluded_urls=NOT_TRACED,
        server_request_hook=_forget_addresses,
        exclude_spans=["receive", "send"],
    )


def _forget_addresses(span: Span, scope: dict[str, Any]) -> None:  # noqa: ARG001 - the form is the library's
    if span.is_recording():
        for name in ADDRESSES:
            span.set_attribute(name, "")
