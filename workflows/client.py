"""The one door from the rest of the product to Temporal."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

from temporalio.client import Client, WorkflowHandle
from temporalio.common import (
    Priority,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.contrib.opentelemetry import TracingInterceptor
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.runtime import Runtime
from temporalio.service import RPCError, RPCStatusCode

from shared.conductor import Overloaded
from shared.contracts.imports import ImportOrder
from shared.contracts.operations import (
    InboxShard,
    LaunchOrder,
    MailboxOrder,
    RehearsalOrder,
    SampleOrder,
    WakingOrder,
)
from shared.contracts.queues import Queue, queue_beside
from shared.contracts.recipient import RecipientRef, RecipientStart, StopSignal, WakeSignal
from shared.domain.recipient import ActivityName, EndReason, Planned
from workflows.importing import ImportWorkflow
from workflows.inbox import InboxWorkflow
from workflows.launch import LaunchWorkflow
from workflows.mailbox import MailboxWorkflow
from workflows.payloads import DATA_CONVERTER
from workflows.recipient import RecipientWorkflow
from workflows.rehearsing import RehearsalWorkflow
from workflows.samples import SampleWorkflow
from workflows.sweep import WORKFLOW_ID as SWEEP
from workflows.sweep import SweepWorkflow
from workflows.waking import WakingWorkflow
from workflows.webhooks import WORKFLOW_ID as WEBHOOKS
from workflows.webhooks import WebhooksWorkflow

COMPANY = SearchAttributeKey.for_keyword("DrumbeatCompany")
CAMPAIGN = SearchAttributeKey.for_keyword("DrumbeatCampaign")
ACCOUNT = SearchAttributeKey.for_keyword("DrumbeatAccount")
STATUS = SearchAttributeKey.for_keyword("DrumbeatStatus")
# A wait that a timer is good enough for.
SHORT = timedelta(seconds=1)


async def connect_temporal(
    address: str,
    *,
    namespace: str = "default",
    api_key: str | None = None,
    runtime: Runtime | None = None,
    is_traced: bool = False,
) -> Client:
    """A client for one event loop. The payloads' format and the trace headers are set here."""
    return await Client.connect(
        address,
        namespace=namespace,
        api_key=api_key,
        tls=api_key is not None,
        data_converter=DATA_CONVERTER,
        runtime=runtime,
        interceptors=[TracingInterceptor()] if is_traced else [],
    )


class TemporalConductor:
    """Starts and signals by ids that come from the rows, so that once and often are the same.

    `prefix` keeps deployments apart that share a namespace: `blue/` is served by `blue/` workers.
    """

    def __init__(self, temporal: Client, *, prefix: str = "") -> None:
        self._temporal = temporal
        self._recipients = f"{prefix}{Queue.RECIPIENT}"

    async def start(self, start: RecipientStart) -> None:
        await self._start(start)

    async def stop(self, recipient: RecipientRef, signal: StopSignal) -> None:
        await self._start(_look_now(recipient), signal_name="stop", signal=signal)

    async def wake(self, recipient: RecipientRef, signal: WakeSignal) -> None:
        await self._start(_look_now(recipient), signal_name="wake", signal=signal)

    async def wake_many(self, order: WakingOrder) -> None:
        """Tell everybody whom a change concerns. What is asked for meanwhile is told as well."""
        await self._temporal.start_workflow(
            WakingWorkflow.run,
            order,
            id=order.workflow_id,
            task_queue=queue_beside(self._recipients, Queue.OPS),
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal="ask",
            static_summary="tells recipients of a change that concerns many",
            search_attributes=TypedSearchAttributes(
                [SearchAttributePair(COMPANY, str(order.company_id))]
            ),
            priority=Priority(fairness_key=str(order.company_id)),
        )

    async def launch(self, order: LaunchOrder) -> None:
        await self._start_on_ops(
            LaunchWorkflow.run,
            [order],
            id=order.workflow_id,
            summary="starts the pending recipients of a campaign",
            attributes=_attributes(order.company_id, order.campaign_id),
            priority=Priority(fairness_key=str(order.company_id)),
        )

    async def start_import(self, order: ImportOrder) -> None:
        await self._start_on_ops(
            ImportWorkflow.run,
            [order],
            id=order.workflow_id,
            summary="takes in a file of leads",
            attributes=TypedSearchAttributes([SearchAttributePair(COMPANY, str(order.company_id))]),
            priority=Priority(fairness_key=str(order.company_id)),
        )

    async def rehearse(self, order: RehearsalOrder) -> None:
        await self._start_on_ops(
            RehearsalWorkflow.run,
            [order],
            id=order.workflow_id,
            summary="plays a campaign forward",
            attributes=TypedSearchAttributes([SearchAttributePair(COMPANY, str(order.company_id))]),
            priority=Priority(fairness_key=str(order.company_id)),
        )

    async def send_sample(self, order: SampleOrder) -> None:
        await self._start_on_ops(
            SampleWorkflow.run,
            [order],
            id=order.workflow_id,
            summary="sends a test mail",
            attributes=TypedSearchAttributes([SearchAttributePair(COMPANY, str(order.company_id))]),
        )

    async def look(self, order: MailboxOrder) -> None:
        """Read a mailbox at once. One that is being read is read once more."""
        await self._temporal.start_workflow(
            MailboxWorkflow.run,
            order,
            id=order.workflow_id,
            task_queue=queue_beside(self._recipients, Queue.OPS),
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal="ring",
            static_summary="reads a mailbox of which its provider has told",
            priority=Priority(fairness_key=str(order.company_id)),
        )

    async def keep_house(self, *, shards: int = 1) -> None:
        """Have mailboxes read, rows swept and events carried from now on, if nobody does yet."""
        for number in range(shards):
            shard = InboxShard(number=number, of=shards)
            words = f"reads mailboxes for answers, shard {number + 1} of {shards}"
            await self._start_on_ops(
                InboxWorkflow.run, [shard], id=shard.workflow_id, summary=words
            )
        await self._start_on_ops(
            SweepWorkflow.run, [], id=SWEEP, summary="sets going what a crash has left behind"
        )
        await self._start_on_ops(
            WebhooksWorkflow.run, [], id=WEBHOOKS, summary="carries events to webhooks"
        )

    def recipient(self, recipient: RecipientRef) -> WorkflowHandle[RecipientWorkflow, EndReason]:
        return self._temporal.get_workflow_handle_for(RecipientWorkflow.run, recipient.workflow_id)

    async def _start_on_ops(
        self,
        run: Callable[..., Awaitable[object]],
        orders: Sequence[object],
        *,
        id: str,  # noqa: A002 - the name is Temporal's
        summary: str,
        attributes: TypedSearchAttributes | None = None,
        priority: Priority = Priority.default,
    ) -> None:
        """Start it, unless it runs already."""
        with suppress(WorkflowAlreadyStartedError):
            await self._temporal.start_workflow(
                run,
                args=orders,
                id=id,
                task_queue=queue_beside(self._recipients, Queue.OPS),
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                static_summary=summary,
                search_attributes=attributes,
                priority=priority,
            )

    async def _start(
        self,
        start: RecipientStart,
        *,
        signal_name: str | None = None,
        signal: StopSignal | WakeSignal | None = None,
    ) -> None:
        """Start the recipient, with a signal or without.

        A signal goes with a start, because a plain one does not reach a workflow that is not
        there. One that has failed or was terminated starts anew; one that has ended stays ended.
        Raises Overloaded.
        """
        recipient = start.recipient
        # Until then it costs one event and no timer; a signal with a start rouses it all the same.
        delay = start.next.at - datetime.now(UTC)
        first = f"First: **{start.next.label}, at {start.next.at:%Y-%m-%d %H:%M:%S}Z**"
        with suppress(WorkflowAlreadyStartedError), _overload_named():
            await self._temporal.start_workflow(
                RecipientWorkflow.run,
                start,
                id=recipient.workflow_id,
                task_queue=self._recipients,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                start_signal=signal_name,
                start_signal_args=[signal] if signal else [],
                search_attributes=_attributes(
                    recipient.company_id, recipient.campaign_id, start.account_id
                ),
                static_summary=f"one lead's way through campaign {recipient.campaign_id}",
                static_details=first,
                start_delay=delay if delay > SHORT else None,
                priority=Priority(fairness_key=str(recipient.company_id)),
            )


@contextmanager
def _overload_named() -> Iterator[None]:
    """The client has asked for some seconds again and again by then."""
    try:
        yield
    except RPCError as error:
        if error.status is RPCStatusCode.RESOURCE_EXHAUSTED:
            raise Overloaded("Temporal has too much to do") from error
        raise


def _attributes(
    company_id: object, campaign_id: object, account_id: object = None
) -> TypedSearchAttributes:
    pairs = [
        SearchAttributePair(COMPANY, str(company_id)),
        SearchAttributePair(CAMPAIGN, str(campaign_id)),
        SearchAttributePair(STATUS, "active"),
    ]
    if account_id is not None:
        pairs.append(SearchAttributePair(ACCOUNT, str(account_id)))
    return TypedSearchAttributes(pairs)


def _look_now(recipient: RecipientRef) -> RecipientStart:
    plan = Planned(
        activity=ActivityName.RECIPIENT_PLAN,
        step_id=None,
        at=datetime.now(UTC),
        label="look at the rows",
    )
    return RecipientStart(recipient=recipient, next=plan)
