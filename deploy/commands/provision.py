"""`drumbeat provision`: make a Temporal server ready for our workflows."""

import asyncio

import typer
from temporalio.client import Client
from temporalio.service import RPCError

from deploy.local.reading import read_settings
from deploy.local.temporal_namespace import provision
from shared.config import Settings
from shared.errors import Misconfigured, Unavailable


def run() -> None:
    """Make the namespace and the search attributes on the server at TEMPORAL_ADDRESS.

    Whatever is there already stays; `drumbeat up` does the same for its own server.

    Example: TEMPORAL_ADDRESS=temporal:7233 drumbeat provision
    """
    settings = read_settings()
    if settings.temporal_address is None:
        raise Misconfigured(
            "TEMPORAL_ADDRESS is not set: name the server that shall be made ready. `drumbeat up` "
            "starts one of its own."
        )
    asyncio.run(_provision(settings, settings.temporal_address))
    typer.echo(f"The namespace {settings.temporal_namespace} is ready.")


async def _provision(settings: Settings, address: str) -> None:
    key, namespace = settings.temporal_api_key, settings.temporal_namespace
    secret = key.get_secret_value() if key else None
    try:
        client = await Client.connect(
            address, namespace=namespace, api_key=secret, tls=secret is not None
        )
        await provision(client, namespace)
        # The SDK can abort an interpreter that exits right after its last client.
        await asyncio.sleep(0.3)
    except (RPCError, RuntimeError, TimeoutError) as error:
        raise Unavailable(f"{address}, namespace {namespace}: {error or 'no answer'}") from None
