"""`drumbeat campaign`: campaigns as files, for people who keep them in git."""

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from api.campaign_files import campaign_schema
from deploy.campaign_deeds import Deed, Found, apply, compare, export, look_at, read_file
from deploy.gateway_door import Caller, Door, open_door
from shared.domain.linting import Severity

DIFFERENT = 3

app = typer.Typer(
    help="Campaigns as YAML files. Exit codes: 0 done, 1 refused, 2 wrong usage, 3 they differ.",
    epilog="Example: drumbeat campaign apply examples/three-mails.yaml",
    no_args_is_help=True,
)
Files = Annotated[list[Path], typer.Argument(help="Campaign files (YAML).")]
IsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Url = Annotated[
    str | None,
    typer.Option(help="A gateway elsewhere; without it the one that runs here.", metavar="URL"),
]
ApiKey = Annotated[
    str | None,
    typer.Option(envvar="DRUMBEAT_API_KEY", help="Its key, scope write.", show_envvar=True),
]
User = Annotated[str | None, typer.Option(help="Whom you act as here, if users are several.")]
Company = Annotated[UUID | None, typer.Option(help="In which company, if they are several.")]
Campaign = Annotated[
    str | None, typer.Option(help="Its id; without it the campaign of the file's name.")
]


@app.command()
def validate(files: Files, is_json: IsJson = False) -> None:
    """Look at files without any gateway: shape, templates, conditions, waits.

    Example: drumbeat campaign validate examples/*.yaml
    """
    found = {str(path): look_at(read_file(path)) for path in files}
    is_ok = not any(it.severity is Severity.ERROR for each in found.values() for it in each)
    if is_json:
        shown = {file: [_as_json(it) for it in each] for file, each in found.items()}
        typer.echo(json.dumps({"ok": is_ok, "files": shown}))
    else:
        for file, each in found.items():
            typer.echo("\n".join(_line(file, it) for it in each) or f"{file}: good")
    raise typer.Exit(0 if is_ok else 1)


@app.command()
def diff(
    *,
    files: Files,
    url: Url = None,
    api_key: ApiKey = None,
    user: User = None,
    company: Company = None,
    campaign: Campaign = None,
    is_json: IsJson = False,
) -> None:
    """What applying the files would change. Exit code 3 when it would change something.

    Example: drumbeat campaign diff examples/three-mails.yaml
    """
    with _door(url, api_key, user, company) as door:
        deeds = [compare(door, path, campaign_id=campaign) for path in files]
    _show(deeds, is_json=is_json, made="would be made", same="is what its file says")
    raise typer.Exit(DIFFERENT if any(deed.is_changed for deed in deeds) else 0)


@app.command("apply")
def apply_files(
    *,
    files: Files,
    url: Url = None,
    api_key: ApiKey = None,
    user: User = None,
    company: Company = None,
    campaign: Campaign = None,
    is_json: IsJson = False,
) -> None:
    """Make campaigns what their files say. Applied again, nothing changes. Starts nobody.

    A campaign that runs is published at once, unless it has draft_edits.

    Example: drumbeat campaign apply examples/three-mails.yaml --url https://gateway.example.com
    """
    with _door(url, api_key, user, company) as door:
        deeds = [apply(door, path, campaign_id=campaign) for path in files]
    _show(deeds, is_json=is_json, made="is made, as a draft", same="nothing changes")


@app.command("export")
def export_file(
    *,
    campaign: Annotated[str, typer.Argument(help="Its name or its id.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where to.")] = None,
    url: Url = None,
    api_key: ApiKey = None,
    user: User = None,
    company: Company = None,
) -> None:
    """Print a campaign as a file.

    Example: drumbeat campaign export "Spring introduction" -o spring.yaml
    """
    with _door(url, api_key, user, company) as door:
        text = export(door, campaign)
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")


@app.command()
def schema() -> None:
    """Print the JSON Schema of the files, for editors.

    Example: drumbeat campaign schema > campaign.schema.json
    """
    typer.echo(json.dumps(campaign_schema(), indent=2))


def _door(
    url: str | None, api_key: str | None, user: str | None, company: UUID | None
) -> AbstractContextManager[Door]:
    return open_door(Caller(url=url, api_key=api_key, user=user, company=company))


def _show(deeds: Sequence[Deed], *, is_json: bool, made: str, same: str) -> None:
    if is_json:
        shown = [_deed(deed) for deed in deeds]
        typer.echo(json.dumps({"changed": any(it["changed"] for it in shown), "files": shown}))
        return
    for deed in deeds:
        what = made if deed.is_new else "" if deed.changes else same
        typer.echo(f"{deed.name} ({deed.campaign_id or 'new'}): {what}".rstrip(": "))
        for change in deed.changes:
            typer.echo(f"  {change}")
        for problem in deed.problems:
            typer.echo(f"  {problem['severity']}: {problem['place']}: {problem['text']}")


def _deed(deed: Deed) -> dict[str, Any]:
    return {
        "file": deed.file,
        "campaign_id": deed.campaign_id,
        "new": deed.is_new,
        "changed": deed.is_changed,
        "changes": deed.changes,
        "problems": deed.problems,
    }


def _line(file: str, found: Found) -> str:
    at = found.at
    return f"{file}:{at.line}:{at.column}: {found.severity}: {at.field or 'file'}: {at.message}"


def _as_json(found: Found) -> dict[str, Any]:
    at = found.at
    return {
        "severity": found.severity,
        "line": at.line,
        "column": at.column,
        "field": at.field,
        "message": at.message,
    }
