"""`drumbeat rehearse`: a campaign's file played forward, without a database or Temporal."""

import json
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from api.campaign_files import NotACampaign, read_campaign
from api.schemas.rehearsing import PeopleBehaviour
from deploy.file_scenes import Means, make_leads, make_scene, read_leads
from deploy.rehearsal_text import as_text
from shared.domain.pacing import COLD_MAILS_A_DAY
from shared.domain.rehearsal import rehearse
from shared.domain.rehearsal_report import report_of
from shared.errors import Misconfigured

WRONG_USAGE = 2


def run(
    file: Annotated[Path, typer.Argument(help="A campaign's file, as in examples/.", exists=True)],
    *,
    seed: Annotated[int, typer.Option(help="Who answers what, and when.")] = 0,
    leads: Annotated[int, typer.Option(min=1, help="How many leads are made up.")] = 100,
    leads_file: Annotated[
        Path | None, typer.Option(help="Leads from a CSV file instead.", exists=True)
    ] = None,
    behaviour: Annotated[
        str, typer.Option(help='As in the API: {"reply_rate": 0.1}, or a file of it.')
    ] = "{}",
    start: Annotated[
        datetime | None, typer.Option(help="When it begins, in UTC; else at midnight.")
    ] = None,
    mailboxes: Annotated[int, typer.Option(min=1, help="If the file names none.")] = 1,
    daily_limit: Annotated[
        int, typer.Option(min=0, help="Mails a day of each mailbox; 0: no limit.")
    ] = COLD_MAILS_A_DAY,
    zone: Annotated[str, typer.Option(help="Time zone of leads that say none.")] = "UTC",
    is_whole: Annotated[bool, typer.Option("--whole", help="Print every line of it.")] = False,
    is_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Play a whole campaign forward: who gets what on which day, what holds it, when it ends.

    The decisions are those that the workers make, for people who reply, are away, bounce or
    answer calls by a seed. The same seed, file and start give the same bytes.

    Example: drumbeat rehearse examples/all-channels.yaml --seed 7
    """
    try:
        campaign = read_campaign(file.read_text(encoding="utf-8"))
    except NotACampaign as refusal:
        for error in refusal.errors:
            typer.echo(f"{file}: {error}", err=True)
        raise typer.Exit(WRONG_USAGE) from None
    if not campaign.steps:
        raise Misconfigured(f"{file} has no steps, so there is nothing to rehearse")
    limit = daily_limit or None
    scene = make_scene(
        campaign,
        read_leads(leads_file) if leads_file else make_leads(leads),
        behaviour=_read_behaviour(behaviour).to_behaviour(),
        means=Means(daily_limit=limit, mailboxes=mailboxes, zone=zone),
        begins_at=_begin(start),
        seed=seed,
    )
    report = report_of(rehearse(scene))
    typer.echo(json.dumps(report) if is_json else as_text(report, is_whole=is_whole))


def _begin(start: datetime | None) -> datetime:
    """Midnight, so that two rehearsals of one day say the same."""
    if start is not None:
        return start.replace(tzinfo=start.tzinfo or UTC, microsecond=0)
    return datetime.combine(datetime.now(UTC).date() + timedelta(days=1), time(), tzinfo=UTC)


def _read_behaviour(words: str) -> PeopleBehaviour:
    text = words if words.lstrip().startswith("{") else Path(words).read_text(encoding="utf-8")
    try:
        found: Any = json.loads(text)
        return PeopleBehaviour.model_validate(found)
    except (ValidationError, ValueError) as error:
        raise Misconfigured(f"--behaviour cannot be read: {error}") from None
