"""What `drumbeat campaign` does with files: look, compare, apply, export."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from api.campaign_files import FileError, NotACampaign, ReadCampaign, read_campaign
from api.services.linting import template_problems, window_in
from deploy.gateway_door import Door, Refusal
from shared.domain.circumstances import Circumstances, find_problems_around
from shared.domain.linting import Severity, find_structure_problems
from shared.errors import Conflict, Misconfigured


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One problem of a file, at its line."""

    at: FileError
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What became of one file. `campaign_id` None: the campaign is not there yet."""

    file: str
    name: str
    campaign_id: str | None
    is_new: bool = False
    changes: list[str] = field(default_factory=list)
    problems: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_changed(self) -> bool:
        return self.is_new or bool(self.changes)


def read_file(path: Path) -> str:
    """Raises Misconfigured."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{path} cannot be read: {error}") from None


def look_at(text: str) -> list[Found]:
    """Everything that is wrong as far as the file alone tells."""
    try:
        read = read_campaign(text)
    except NotACampaign as error:
        return [Found(at=it) for it in error.errors]
    nodes = read.nodes
    problems = [
        *find_structure_problems(nodes),
        *template_problems(nodes),
        *find_problems_around(nodes, _around(read)),
    ]
    found = [Found(at=read.locate(it), severity=it.severity) for it in problems]
    return sorted(found, key=lambda it: (it.at.line, it.at.column))


def compare(door: Door, path: Path, *, campaign_id: str | None) -> Deed:
    """What applying the file would do."""
    text = read_file(path)
    read = _readable(path, text)
    known = campaign_id or find_campaign(door, read.body.name)
    if known is None:
        steps = [f"step {step.name} is added as step {step.position}" for step in read.steps]
        return Deed(
            file=str(path), name=read.body.name, campaign_id=None, is_new=True, changes=steps
        )
    return _put(door, path, text, known, is_dry=True)


def apply(door: Door, path: Path, *, campaign_id: str | None) -> Deed:
    """Make the campaign what the file says; it is found by its id, else by its name."""
    text = read_file(path)
    read = _readable(path, text)
    known = campaign_id or find_campaign(door, read.body.name)
    if known is not None:
        return _put(door, path, text, known)
    body = {"name": read.body.name, "type": read.body.type.value}
    made = door.ask("POST", "/api/campaigns", json=body).json()["id"]
    try:
        return _put(door, path, text, made, is_new=True)
    except Refusal:
        # Nothing half made stays behind.
        door.ask("DELETE", f"/api/campaigns/{made}")
        raise


def export(door: Door, campaign: str) -> str:
    """The file of the campaign with this id or name."""
    known = find_campaign(door, campaign)
    if known is None:
        raise Conflict(f"No campaign is called {campaign}")
    return door.ask("GET", f"/api/campaigns/{known}/file").text


def find_campaign(door: Door, name: str) -> str | None:
    """Its id. Raises Conflict when several have the name."""
    found = [
        campaign
        for campaign in door.ask("GET", "/api/campaigns").json()
        if name in (campaign["name"], campaign["id"]) and not campaign["archived_at"]
    ]
    if len(found) > 1:
        ids = ", ".join(campaign["id"] for campaign in found)
        raise Conflict(f"Several campaigns are called {name}: choose one with --campaign ({ids})")
    return str(found[0]["id"]) if found else None


def _put(
    door: Door,
    path: Path,
    text: str,
    campaign_id: str,
    *,
    is_dry: bool = False,
    is_new: bool = False,
) -> Deed:
    answer = door.ask(
        "PUT",
        f"/api/campaigns/{campaign_id}/file",
        params={"dry_run": "true"} if is_dry else {},
        content=text,
        headers={"Content-Type": "application/yaml"},
    ).json()
    return Deed(
        file=str(path),
        name=read_campaign(text).body.name,
        campaign_id=campaign_id,
        is_new=is_new,
        changes=answer["changes"],
        problems=answer["problems"],
    )


def _readable(path: Path, text: str) -> ReadCampaign:
    try:
        return read_campaign(text)
    except NotACampaign as error:
        raise Conflict("\n".join(_lines(path, error))) from None


def _lines(path: Path, error: NotACampaign) -> Iterator[str]:
    yield f"{path} is no campaign:"
    for it in error.errors:
        yield f"  {path}:{it.line}:{it.column}: {it.field or 'file'}: {it.message}"


def _around(read: ReadCampaign) -> Circumstances:
    body, now = read.body, datetime.now(UTC)
    zone = ZoneInfo(body.time_zone or "UTC")
    window = body.window.model_dump() if body.window else None
    tracked = {"track_opens": body.track_opens, "track_clicks": body.track_clicks}
    return Circumstances(
        today=now.astimezone(zone).date(),
        window=window_in(window, zone, now),
        tracked=frozenset(name for name, is_on in tracked.items() if is_on),
    )
