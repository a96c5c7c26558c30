"""`drumbeat up`: the whole product on this machine, until it is told to stop."""

import asyncio
import json
from typing import Annotated

import typer

from deploy.local.reading import read_settings
from deploy.local.running import run_until_stopped
from deploy.local.stack import LocalStack


def run(
    is_json: Annotated[
        bool, typer.Option("--json", help="Print one line of JSON when everything answers.")
    ] = False,
    has_ui: Annotated[bool, typer.Option("--ui/--no-ui", help="With Temporal's web UI.")] = True,
) -> None:
    """Start the database, Temporal, a worker and the gateway; keep them running until stopped.

    Data stays in DRUMBEAT_DATA_DIR (.drumbeat). With DATABASE_URL or TEMPORAL_ADDRESS set, that
    server is used and none is started.

    Example: drumbeat up --json
    """
    raise typer.Exit(run_until_stopped(_up(is_json=is_json, has_ui=has_ui)))


async def _up(*, is_json: bool, has_ui: bool) -> int:
    async with LocalStack(read_settings(), ui=has_ui) as stack:
        typer.echo(_as_json(stack) if is_json else _as_text(stack))
        await asyncio.Event().wait()
    return 0


def _as_json(stack: LocalStack) -> str:
    return json.dumps(
        {
            "ready": True,
            "gateway": stack.gateway_url,
            "temporal": stack.temporal_address,
            "temporal_ui": stack.temporal_ui_url,
            "database": stack.database_url,
        }
    )


def _as_text(stack: LocalStack) -> str:
    lines = {
        "Drumbeat": stack.gateway_url,
        "API": f"{stack.gateway_url}/docs",
        "Temporal": stack.temporal_address,
        "Temporal UI": stack.temporal_ui_url or "-",
        "Data and logs": str(stack.data_dir),
    }
    shown = "\n".join(f"  {name:<14} {value}" for name, value in lines.items())
    return f"Everything answers. Ctrl-C stops it.\n\n{shown}\n"
