"""`drumbeat worker`: one more worker for servers that run already."""

from typing import Annotated

import typer

from deploy.local.joining import become
from shared.contracts.queues import Queue


def run(
    queues: Annotated[
        list[Queue] | None,
        typer.Option("--queue", help="A queue to serve; may be given several times. All if none."),
    ] = None,
) -> None:
    """Serve task queues of the Temporal server at TEMPORAL_ADDRESS.

    Example: drumbeat worker --queue recipient --queue gmail
    """
    become("workflows.worker", "--queues", ",".join(queues or ["all"]))
