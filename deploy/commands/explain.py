"""`drumbeat explain`: why nothing is being sent."""

import json
from typing import Annotated, Any
from uuid import UUID

import typer

from deploy.gateway_door import Caller, open_door
from shared.errors import NotFound


def run(
    what: Annotated[
        str,
        typer.Argument(
            help="Id of a recipient, campaign or account; a lead's or an"
            " account's e-mail address; a campaign's name."
        ),
    ],
    *,
    url: Annotated[
        str | None,
        typer.Option(help="A gateway elsewhere; without it the one that runs here.", metavar="URL"),
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(envvar="DRUMBEAT_API_KEY", help="Its key, scope read.", show_envvar=True),
    ] = None,
    user: Annotated[
        str | None, typer.Option(help="Whom you act as here, if users are several.")
    ] = None,
    company: Annotated[
        UUID | None, typer.Option(help="In which company, if they are several.")
    ] = None,
    is_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what comes next, when, and what holds it, from the function that decides.

    Example: drumbeat explain ada@example.com
    """
    with open_door(Caller(url=url, api_key=api_key, user=user, company=company)) as door:
        found = door.ask("GET", "/api/explain", params={"of": what}).json()
    if not found["explained"]:
        raise NotFound(
            f"Nothing is called {what}: name a recipient, a campaign or an account by its id, a"
            " lead or an account by its address, or a campaign by its name"
        )
    typer.echo(json.dumps(found) if is_json else _as_text(found))


def _as_text(found: dict[str, Any]) -> str:
    lines = []
    for one in found["explained"]:
        lines.append(f"{one['kind']} {one['name']} ({one['id']}): {one['state']}")
        if following := one["next"]:
            step = f" of step {following['step']}" if following.get("step") else ""
            lead = f" for {following['lead']}" if following.get("lead") else ""
            lines.append(f"  next: {following['activity']}{step}{lead} at {following['at']}")
            lines += [f"    {reason}" for reason in following.get("because", ())]
        lines += [f"  because {reason}" for reason in one["because"]]
        lines += [f"  blocked by: {reason}" for reason in one["blocked_by"]]
    return "\n".join(lines)
