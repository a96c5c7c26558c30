"""The one door from the rest of the product to Temporal."""

from contextlib import suppress
from datetime import UTC, datetime

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
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.runtime import Runtime

from shared.contracts.imports import ImportOrder
from shared.contracts.operations import InboxShard, LaunchOrder
from shared.contracts.queues import Queue, queue_beside
from shared.contracts.recipient import RecipientRef, RecipientStart, StopSignal, WakeSignal
from shared.domain.recipient import ActivityName, EndReason, Planned
from workflows.importing import ImportWorkflow
from workflows.inbox import InboxWorkflow
from workflows.launch import LaunchWorkflow
from workflows.recipient import RecipientWorkflow
from workflows.sweep import WORKFLOW_ID as SWEEP
from workflows.sweep import SweepWorkflow
from workflows.webhooks import WORKFLOW_ID as WEBHOOKS
from workflows.webhooks import WebhooksWorkflow

COMPANY = SearchAttributeKey.for_keyword("DrumbeatCompany")
CAMPAIGN = SearchAttributeKey.for_keyword("DrumbeatCampaign")
ACCOUNT = SearchAttributeKey.for_keyword("DrumbeatAccount")
STATUS = SearchAttributeKey.for_keyword("DrumbeatStatus")


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
        data_converter=pydantic_data_converter,
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

    async def launch(self, order: LaunchOrder) -> None:
        with suppress(WorkflowAlreadyStartedError):
            await self._temporal.start_workflow(
                LaunchWorkflow.run,
                order,
                id=order.workflow_id,
                task_queue=self._ops,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                static_summary="starts the pending recipients of a campaign",
                search_attributes=_attributes(order.company_id, order.campaign_id),
            )

    async def start_import(self, order: ImportOrder) -> None:
        await self._temporal.start_workflow(
            ImportWorkflow.run,
            order,
            id=order.workflow_id,
            task_queue=self._ops,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary="takes in a file of leads",
            search_attributes=TypedSearchAttributes(
                [SearchAttributePair(COMPANY, str(order.company_id))]
            ),
            priority=Priority(fairness_key=str(order.company_id)),
        )

    async def keep_house(self, *, shards: int = 1) -> None:
        """Have mailboxes read, rows swept and events carried from now on, if nobody does yet."""
        for number in range(shards):
            shard = InboxShard(number=number, of=shards)
            with suppress(WorkflowAlreadyStartedError):
                await self._temporal.start_workflow(
                    InboxWorkflow.run,
                    shard,
                    id=shard.workflow_id,
                    task_queue=self._ops,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                    static_summary=f"reads mailboxes for answers, shard {number + 1} of {shards}",
                )
        with suppress(WorkflowAlreadyStartedError):
            await self._temporal.start_workflow(
                SweepWorkflow.run,
                id=SWEEP,
                task_queue=self._ops,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                static_summary="sets going what a crash has left behind",
            )
        with suppress(WorkflowAlreadyStartedError):
            await self._temporal.start_workflow(
                WebhooksWorkflow.run,
                id=WEBHOOKS,
                task_queue=self._ops,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                static_summary="carries events to webhooks",
            )

    def recipient(self, recipient: RecipientRef) -> WorkflowHandle[RecipientWorkflow, EndReason]:
        return self._temporal.get_workflow_handle_for(RecipientWorkflow.run, recipient.workflow_id)

    @property
    def _ops(self) -> str:
        return queue_beside(self._recipients, Queue.OPS)

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
        """
        recipient = start.recipient
        with suppress(WorkflowAlreadyStartedError):
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
                priority=Priority(fairness_key=str(recipient.company_id)),
            )


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
