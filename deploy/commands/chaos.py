"""`drumbeat chaos`: break everything that can break, and count what was sent twice or lost."""

import json
from collections.abc import Mapping
from typing import Annotated

import typer

from deploy.chaos.runs import ChaosReport, run_chaos
from deploy.local.progress import say
from deploy.local.running import run_until_stopped


def run(
    runs: Annotated[int, typer.Option(min=1, help="How many recipients live and suffer.")] = 200,
    seed: Annotated[int, typer.Option(help="What befalls whom, and when.")] = 7,
    only: Annotated[
        int | None, typer.Option(help="Only this run, with its whole story.", min=0)
    ] = None,
    is_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Prove by fault injection that nothing is done twice, lost, or done after a known stop.

    Each run is one recipient with up to four steps: mails by Gmail or SMTP, invitations and
    messages at LinkedIn, calls, to-dos. Faults are drawn from the seed: killed processes, lost
    answers, webhooks that never come, ended connections, replies and edits at any moment. One run
    in twenty lives in worker processes that are really killed, with Temporal and Postgres killed
    as well; the others are cut off inside this process, which is faster. Everything runs on this
    machine against providers of its own. 400 runs are enough to see every kind of fault. The
    exit code is 1 when a promise was broken.

    Example: drumbeat chaos --runs 200
    """
    chosen = range(runs) if only is None else (only,)

    async def play() -> int:
        report = await run_chaos(chosen, seed=seed, say=say)
        typer.echo(json.dumps(report.to_json()) if is_json else _as_text(report))
        return 0 if report.is_clean else 1

    raise typer.Exit(run_until_stopped(play()))


def _as_text(report: ChaosReport) -> str:
    figures = report.to_json()
    faults, phases = figures.pop("faults"), figures.pop("killed_in")
    channels, of_places = figures.pop("channels"), figures.pop("faults_of")
    lines = [f"{_words(name)}: {value}" for name, value in figures.items()]
    lines += ["workers killed in:", *_counts(phases), "faults:", *_counts(faults)]
    for place, counts in of_places.items():
        lines += [f"faults of {place}:", *_counts(counts)]
    for channel, counts in channels.items():
        lines += [f"{_words(channel)}:", *_counts(counts)]
    return "\n".join(lines)


def _counts(counts: Mapping[str, int]) -> list[str]:
    return [f"  {_words(name)}: {n}" for name, n in counts.items()]


def _words(name: str) -> str:
    return name.replace("_", " ")
