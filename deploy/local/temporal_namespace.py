"""The namespace and the search attributes that our workflows need, on any Temporal server."""

import asyncio
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    RegisterNamespaceRequest,
    UpdateNamespaceRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

SEARCH_ATTRIBUTES = ("DrumbeatCompany", "DrumbeatCampaign", "DrumbeatAccount", "DrumbeatStatus")
RETENTION = timedelta(days=30)
USABLE_SECONDS = 15.0


async def provision(client: Client, namespace: str) -> None:
    """Make what is missing; return when a workflow with our attributes would be accepted."""
    await _register(client, namespace)
    keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
    await client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(
            namespace=namespace, search_attributes=dict.fromkeys(SEARCH_ATTRIBUTES, keyword)
        )
    )
    await _until_usable(client)


async def missing_attributes(client: Client, namespace: str) -> list[str]:
    known = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=namespace)
    )
    return [name for name in SEARCH_ATTRIBUTES if name not in known.custom_attributes]


async def _register(client: Client, namespace: str) -> None:
    """Without asking first whether it is there: the server would remember a no for a second."""
    retention = Duration()
    retention.FromTimedelta(RETENTION)
    try:
        await client.workflow_service.register_namespace(
            RegisterNamespaceRequest(
                namespace=namespace, workflow_execution_retention_period=retention
            )
        )
    except RPCError as error:
        if error.status is not RPCStatusCode.ALREADY_EXISTS:
            raise
        await _keep_for_long(client, namespace, retention)


async def _keep_for_long(client: Client, namespace: str, retention: Duration) -> None:
    """The Temporal CLI makes the namespace by itself, with a day of retention."""
    found = await client.workflow_service.describe_namespace(
        DescribeNamespaceRequest(namespace=namespace)
    )
    if found.config.workflow_execution_retention_ttl.ToTimedelta() < RETENTION:
        await client.workflow_service.update_namespace(
            UpdateNamespaceRequest(
                namespace=namespace,
                config=NamespaceConfig(workflow_execution_retention_ttl=retention),
            )
        )


async def _until_usable(client: Client) -> None:
    """The server's cache of attributes is a moment behind."""
    query = " AND ".join(f"{name} = 'none'" for name in SEARCH_ATTRIBUTES)
    async with asyncio.timeout(USABLE_SECONDS):
        while True:
            try:
                await client.count_workflows(query)
                return
            except RPCError as error:
                if error.status is not RPCStatusCode.INVALID_ARGUMENT:
                    raise
            await asyncio.sleep(0.03)
