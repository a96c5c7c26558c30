"""What a process tells about itself: JSON log lines, Prometheus metrics, OpenTelemetry traces.

All of them carry ids and counts, never a text or an address.
"""

import logging
import sys

import httpx
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from prometheus_client import Counter
from pythonjsonlogger.json import JsonFormatter

ACTIONS = Counter(
    "drumbeat_actions", "Attempts to reach a lead, by what came of them.", ["outcome"]
)
INBOUND = Counter("drumbeat_inbound_events", "What came back and was new, by kind.", ["kind"])


def set_up_logs(level: str) -> None:
    """One JSON object a line on standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter(
            ["asctime", "levelname", "name", "message"],
            rename_fields={
                "asctime": "at",
                "levelname": "level",
                "name": "logger",
                "message": "event",
            },
        )
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # They log every request with its address, and a search for a lead has the lead's in it.
    for chatty in ("httpx", "httpcore", "googleapiclient"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def set_up_traces(
    service: str, *, endpoint: str | None, exporter: SpanExporter | None = None
) -> TracerProvider | None:
    """Send spans to an OTLP endpoint over HTTP, or to `exporter`. None: nobody wants any."""
    if endpoint:
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
    if exporter is None:
        return None
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: f"drumbeat-{service}"}))
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=1_000))
    trace.set_tracer_provider(provider)
    return provider


def trace_calls(http: httpx.AsyncClient) -> None:
    """A span for each call of this client, without the address that was asked for."""
    HTTPXClientInstrumentor.instrument_client(http, request_hook=_forget_address)


async def _forget_address(span: trace.Span, request: object) -> None:  # noqa: ARG001 - the form is the library's
    if span.is_recording():
        span.set_attribute("http.url", "")
        span.set_attribute("url.full", "")
