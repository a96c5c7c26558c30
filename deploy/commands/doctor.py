"""`drumbeat doctor`: what is there, what is missing, and how to mend it."""

import asyncio
import json
from dataclasses import asdict
from typing import Annotated

import typer

from deploy.local.checks import Check, folder_checks, machine_checks, settings_check
from deploy.local.server_checks import server_checks


def run(
    is_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Look at this machine and the settings; change nothing. Exit code 1 if something is missing.

    Example: drumbeat doctor
    """
    checks = asyncio.run(_checks())
    is_ok = all(check.is_ok for check in checks)
    if is_json:
        shown = [asdict(check) | {"name": check.name.strip()} for check in checks]
        typer.echo(json.dumps({"ok": is_ok, "checks": shown}))
    else:
        typer.echo("\n".join(_as_text(check) for check in checks))
    raise typer.Exit(0 if is_ok else 1)


async def _checks() -> list[Check]:
    settings, check = settings_check()
    if settings is None:
        return [*machine_checks(), check]
    return [*machine_checks(), check, *folder_checks(settings), *await server_checks(settings)]


def _as_text(check: Check) -> str:
    mark = "ok     " if check.is_ok else "MISSING"
    remedy = f"\n{'':9}-> {check.remedy}" if check.remedy else ""
    return f"{mark}  {check.name:<30} {check.found}{remedy}"
