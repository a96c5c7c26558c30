"""`drumbeat bench`: how fast it is, as a ratio measured in one run against a baseline."""

from typing import Annotated

import typer

from deploy.bench.api import ApiSize, bench_api
from deploy.bench.imports import bench_imports
from deploy.bench.large import large, show
from deploy.bench.replies import ReplySize, bench_reply
from deploy.bench.sends import SendSize, bench_send
from deploy.bench.steps import Size, bench_steps
from deploy.local.progress import say

app = typer.Typer(
    help="Measure it against a baseline, in one run on this machine.",
    epilog="Example: drumbeat bench steps",
    no_args_is_help=True,
)


@app.callback()
def _keep_the_name() -> None:
    """Measure it against a baseline, in one run on this machine."""


@app.command()
def steps(
    recipients: Annotated[int, typer.Option(min=1, max=5_000, help="Workflows a round.")] = 150,
    rounds: Annotated[int, typer.Option(min=1, max=20, help="Turns of each of the two.")] = 2,
    is_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Steps a second: a bare workflow with an empty activity, and a recipient that sends a mail.

    Example: drumbeat bench steps --rounds 3
    """

    show(bench_steps(Size(recipients=recipients, rounds=rounds), say), is_json=is_json)


@app.command("api")
def measure_api(
    recipients: Annotated[
        int, typer.Option(min=10, max=1_000_000, help="Recipients of a large campaign.")
    ] = 100_000,
    large: Annotated[int, typer.Option(min=1, max=50, help="Large ones of 50 campaigns.")] = 5,
    rounds: Annotated[int, typer.Option(min=1, max=20, help="Turns of each route.")] = 3,
    is_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Requests a second: GET /api/campaigns with 50 campaigns, and a bare route.

    Both open a transaction and answer as many bytes. `p95_growth`: how much longer the list takes
    when campaigns have many recipients.

    Example: drumbeat bench api --recipients 100000
    """

    size = ApiSize(recipients=recipients, large=large, rounds=rounds)
    show(bench_api(size, say), is_json=is_json)


@app.command("import")
def imports(
    rows: Annotated[
        int, typer.Option(min=1_000, max=5_000_000, help="Rows of the file.")
    ] = 200_000,
    is_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Rows a second: a file of leads by a raw COPY as superuser, and by an import.

    Example: drumbeat bench import --rows 50000
    """

    show(bench_imports(rows, say), is_json=is_json)


@app.command()
def reply(
    recipients: Annotated[
        int, typer.Option(min=10, max=100_000, help="Workflows that sleep.")
    ] = 5_000,
    replies: Annotated[int, typer.Option(min=10, help="How many of them are answered.")] = 1_000,
    is_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Milliseconds from a stored reply to the end of its workflow, the median and p99.

    Against a bare signal to a bare workflow that sleeps beside it. A ratio above 1 is slower.

    Example: drumbeat bench reply --recipients 5000
    """

    size = ReplySize(recipients=recipients, replies=min(replies, recipients))
    show(bench_reply(size, say), is_json=is_json)


@app.command()
def send(
    recipients: Annotated[
        int, typer.Option(min=2, max=20_000, help="Recipients of each of the two.")
    ] = 2_000,
    rounds: Annotated[int, typer.Option(min=1, max=20, help="Turns of each of the two.")] = 2,
    is_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Mails a second: three each from two mailboxes of an emulated Google.

    Against a bare workflow whose one activity makes the same calls to the same emulator.
    Afterwards each of our mails is looked up: in its thread, from its mailbox.

    Example: drumbeat bench send --recipients 2000
    """

    show(bench_send(SendSize(recipients=recipients, rounds=rounds), say), is_json=is_json)


app.add_typer(large)
