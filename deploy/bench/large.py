"""The commands of the benchmarks about many recipients, and of all benchmarks together."""

import json
from collections.abc import Coroutine
from typing import Annotated, Any, NoReturn

import typer
import uvloop

from deploy.bench.big import BigSize, bench_big
from deploy.bench.everything import bench_all
from deploy.bench.kills import KillSize, bench_launch
from deploy.bench.openings import OpenSize, bench_open
from deploy.bench.result import BenchResult
from deploy.bench.starts import StartSize, bench_start
from deploy.bench.whole import WholeSize, bench_whole
from deploy.local.progress import say
from deploy.local.running import run_until_stopped

large = typer.Typer()

IsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def show(measured: Coroutine[Any, Any, BenchResult], *, is_json: bool) -> None:
    """Run it, print what came of it, and end the process."""

    async def run() -> int:
        result = await measured
        typer.echo(json.dumps(result.to_json()) if is_json else result.to_text())
        return 0

    _end_with(run())


def _end_with(work: Coroutine[Any, Any, int]) -> NoReturn:
    # Workers run in this process, so it has the loop that theirs have.
    raise typer.Exit(run_until_stopped(work, loop_factory=uvloop.new_event_loop))


@large.command()
def start(
    recipients: Annotated[int, typer.Option(min=50, max=100_000, help="A round.")] = 2_000,
    rounds: Annotated[int, typer.Option(min=1, max=20, help="Turns of each of the two.")] = 2,
    is_json: IsJson = False,
) -> None:
    """Starts a second: by a client alone, and by a campaign's launcher.

    `waiting_per_second`: of a campaign whose first mail is not due yet, which costs less.

    Example: drumbeat bench start --recipients 5000
    """
    show(bench_start(StartSize(recipients=recipients, rounds=rounds), say), is_json=is_json)


@large.command("open")
def measure_open(
    recipients: Annotated[
        int, typer.Option(min=200, max=200_000, help="Open ones, at the end.")
    ] = 100_000,
    few: Annotated[int, typer.Option(min=100, help="Open ones, for the baseline.")] = 1_000,
    is_json: IsJson = False,
) -> None:
    """Milliseconds of the gateway (p95) and of a reply, with many open recipients and with few.

    With the memory and the disk that one recipient takes. One in twenty has had its first mail.
    About a quarter of an hour for 100,000.

    Example: drumbeat bench open --recipients 10000
    """
    size = OpenSize(recipients=recipients, few=min(few, recipients // 2))
    show(bench_open(size, say), is_json=is_json)


@large.command()
def launch(
    recipients: Annotated[int, typer.Option(min=100, max=200_000, help="To launch.")] = 20_000,
    kills: Annotated[int, typer.Option(min=0, max=500, help="Of the launcher.")] = 50,
    seed: Annotated[int, typer.Option(help="Of the moments at which it is killed.")] = 1,
    is_json: IsJson = False,
) -> None:
    """Workflows beside recipients, when the launcher is killed again and again: exactly as many.

    Example: drumbeat bench launch --recipients 2000 --kills 5
    """
    size = KillSize(recipients=recipients, kills=kills, seed=seed)
    show(bench_launch(size, say), is_json=is_json)


@large.command()
def whole(
    recipients: Annotated[int, typer.Option(min=50, max=200_000, help="Of one step.")] = 20_000,
    is_json: IsJson = False,
) -> None:
    """Mails a second of a whole campaign, from its launch to its end, each sent once.

    Against bare workflows of one step, before and after it.

    Example: drumbeat bench whole --recipients 2000
    """
    show(bench_whole(WholeSize(recipients=recipients), say), is_json=is_json)


@large.command()
def big(
    recipients: Annotated[
        int, typer.Option(min=500, max=200_000, help="Leads; one in twenty is due.")
    ] = 100_000,
    is_json: IsJson = False,
) -> None:
    """Starts a second of a campaign that is activated, paused in the middle, edited and resumed.

    Over HTTP, with how long each of these took; everything is counted afterwards.

    Example: drumbeat bench big --recipients 10000
    """
    show(bench_big(BigSize(recipients=recipients), say), is_json=is_json)


@large.command("all")
def measure_all(is_json: IsJson = False) -> None:
    """All of them in a small size, one after the other: about a quarter of an hour.

    Example: drumbeat bench all --json
    """

    async def run() -> int:
        results = await bench_all(say)
        shown = [json.dumps(results)] if is_json else [json.dumps(result) for result in results]
        typer.echo("\n".join(shown))
        return 1 if any("error" in result for result in results) else 0

    _end_with(run())
