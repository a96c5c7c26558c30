"""The process that runs workflows and activities: python -m workflows.worker [--queues gmail]"""

import argparse
import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import httpx
import uvloop
from temporalio.client import Client
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.errors import ErrorInterceptor
from activities.mapping import MappingModel
from activities.reply_model import ReplyModel
from activities.webhook_calls import WebhookCaller
from shared.config import Settings
from shared.contracts.queues import Queue
from shared.db.privileges import refuse_privileges
from shared.db.session import Database, make_engine
from shared.domain.webhooks import Patience
from shared.installation import (
    calendar_clients,
    calendar_hosts,
    google_endpoints,
    make_google,
    make_keyring,
    make_unipile,
    plain,
    public_url,
    require,
)
from shared.providers.google_oauth import GoogleOAuth
from shared.storage import make_storage
from shared.telemetry import set_up_logs, set_up_traces, trace_calls
from shared.tokens import AccountTokens
from shared.webhooks import Destinations
from workflows.client import TemporalConductor, connect_temporal
from workflows.health import serving_health
from workflows.importing import ImportWorkflow
from workflows.inbox import InboxWorkflow
from workflows.launch import LaunchWorkflow
from workflows.mailbox import MailboxWorkflow
from workflows.parts import Parts, make_parts
from workflows.recipient import RecipientWorkflow
from workflows.rehearsing import RehearsalWorkflow
from workflows.samples import SampleWorkflow
from workflows.sweep import SweepWorkflow
from workflows.waking import WakingWorkflow
from workflows.webhooks import WebhooksWorkflow

log = logging.getLogger(__name__)

AnyModel = TypeVar("AnyModel")

# Each phase of one call. The activity bounds the whole.
CALL_TIMEOUT = httpx.Timeout(30, connect=10)
# Longer than the longest provider call: what was begun is recorded before the process ends.
GRACE = timedelta(seconds=65)
OUR_PACKAGES = ("shared", "activities", "workflows", "pydantic", "pydantic_core")

WORKFLOWS: dict[Queue, list[type]] = {
    Queue.RECIPIENT: [RecipientWorkflow],
    Queue.OPS: [
        LaunchWorkflow,
        InboxWorkflow,
        MailboxWorkflow,
        WakingWorkflow,
        SweepWorkflow,
        WebhooksWorkflow,
        ImportWorkflow,
        SampleWorkflow,
        RehearsalWorkflow,
    ],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one worker does at once."""

    activities: int = 40
    workflow_tasks: int = 40
    # For how long Temporal keeps a workflow's tasks for a worker that may have died.
    sticky_seconds: float = 10


def make_worker(
    temporal: Client, queue: Queue, parts: Parts, *, prefix: str = "", limits: Limits = Limits()
) -> Worker:
    """The worker of one queue. Every process may serve one queue or all of them."""
    activities: dict[Queue, list[Callable[..., Any]]] = {
        Queue.RECIPIENT: [parts.recipient.plan, parts.recipient.close],
        Queue.GMAIL: [
            parts.gmail.send,
            parts.gmail.settle,
            parts.tidying.tidy,
            parts.watching.renew,
        ],
        Queue.SMTP: [parts.smtp.send, parts.smtp.settle],
        Queue.BLAND: [parts.bland.call, parts.bland.collect, parts.bland.settle],
        Queue.LINKEDIN: [
            parts.linkedin.invite,
            parts.linkedin.message,
            parts.linkedin.settle,
            parts.linkedin_tidying.tidy,
        ],
        Queue.OPS: [
            parts.tasks.open,
            parts.tasks.settle,
            parts.launch.start_page,
            parts.inbox.poll,
            parts.inbox.look,
            parts.answers.match,
            parts.answers.classify,
            parts.appointments.settle,
            parts.waking.tell_page,
            parts.sweep.launch,
            parts.sweep.restart,
            parts.sweep.signal,
            parts.sweep.wake,
            parts.sweep.find_unsettled,
            parts.sweep.wake_settled,
            parts.forgetting.forget,
            parts.webhooks.deliver,
            parts.samples.send,
            parts.rehearsing.play,
            parts.imports.sniff,
            parts.imports.ask_model,
            parts.imports.hold,
            parts.imports.load,
            parts.imports.finish,
        ],
    }
    return Worker(
        temporal,
        task_queue=f"{prefix}{queue}",
        workflows=WORKFLOWS.get(queue, []),
        activities=activities[queue],
        workflow_runner=sandbox(),
        interceptors=[ErrorInterceptor()],
        graceful_shutdown_timeout=GRACE,
        max_concurrent_activities=limits.activities,
        max_concurrent_workflow_tasks=limits.workflow_tasks if queue in WORKFLOWS else None,
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=limits.sticky_seconds),
    )


def sandbox() -> SandboxedWorkflowRunner:
    """Workflows may not do what cannot be replayed; our own packages are known not to."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*OUR_PACKAGES)
    return SandboxedWorkflowRunner(restrictions=restrictions)


async def run_worker(settings: Settings, queues: Collection[Queue]) -> None:
    """Serve the queues until the process is told to stop; then finish what was begun."""
    set_up_logs(settings.log_level)
    provider = set_up_traces("worker", endpoint=settings.otel_exporter_otlp_endpoint)
    sdk_port = _free_port()
    async with AsyncExitStack() as stack:
        engine = make_engine(require(settings, "database_url"))
        stack.push_async_callback(engine.dispose)
        await refuse_privileges(engine)
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=CALL_TIMEOUT))
        trace_calls(http)
        places = Destinations(is_private_allowed=settings.webhook_private_addresses)
        caller = WebhookCaller(places)
        stack.push_async_callback(caller.close)
        temporal = await connect_temporal(
            require(settings, "temporal_address"),
            namespace=settings.temporal_namespace,
            api_key=plain(settings.temporal_api_key) or None,
            runtime=_runtime(sdk_port),
            is_traced=provider is not None,
        )
        conductor = TemporalConductor(temporal)
        parts = _make_parts(settings, Database(engine), conductor, http, caller)
        for queue in queues:
            await stack.enter_async_context(make_worker(temporal, queue, parts))
        if Queue.OPS in queues:
            await conductor.keep_house()
        port = await stack.enter_async_context(
            serving_health(
                settings.host,
                settings.metrics_port,
                sdk_metrics=f"http://127.0.0.1:{sdk_port}/metrics",
            )
        )
        log.info("worker.started", extra={"queues": [*queues], "port": port})
        await _told_to_stop()
    if provider is not None:
        provider.shutdown()


def _make_parts(
    settings: Settings,
    database: Database,
    conductor: TemporalConductor,
    http: httpx.AsyncClient,
    caller: WebhookCaller,
) -> Parts:
    keyring = make_keyring(settings)
    oauth = GoogleOAuth(http, google_endpoints(settings))
    return make_parts(
        database=database,
        keyring=keyring,
        conductor=conductor,
        http=http,
        token_source_of=AccountTokens(database=database, oauth=oauth, keyring=keyring).source,
        gmail_endpoint=settings.gmail_endpoint,
        bland_endpoint=settings.bland_endpoint,
        poll_seconds=settings.inbox_poll_seconds,
        webhook_caller=caller,
        patience=Patience(gives_up_after=timedelta(days=settings.webhook_give_up_days)),
        storage=make_storage(settings.object_store_url, settings.data_dir),
        mapping_model=_model(settings, MappingModel),
        reply_model=_model(settings, ReplyModel),
        push_topic=settings.pubsub_topic,
        public_url=public_url(settings),
        unipile=make_unipile(settings, http),
        calendar_hosts=calendar_hosts(
            http, make_google(settings, http), calendar_clients(settings)
        ),
    )


def _model(settings: Settings, made: Callable[..., AnyModel]) -> AnyModel | None:
    if settings.openai_base_url is None:
        return None
    return made(
        base_url=settings.openai_base_url,
        # Models of one's own ask for none, but the SDK insists on one.
        api_key=plain(settings.openai_api_key) or "none",
        model=settings.openai_model,
    )


def _runtime(sdk_port: int) -> Runtime:
    metrics = PrometheusConfig(bind_address=f"127.0.0.1:{sdk_port}")
    return Runtime(telemetry=TelemetryConfig(metrics=metrics))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _told_to_stop() -> None:
    """Without this a SIGTERM would cut off what is in flight."""
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    await told.wait()


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Run Drumbeat's workflows and activities.")
    parser.add_argument(
        "--queues", default="all", help="queues with commas between, of: " + ", ".join(Queue)
    )
    names = parser.parse_args(arguments).queues
    queues = list(Queue) if names == "all" else [Queue(name) for name in names.split(",")]
    uvloop.run(run_worker(Settings(), queues))


if __name__ == "__main__":
    main()
