"""Turn this process into a part of an installation whose servers run elsewhere."""

import os
import sys
from typing import NoReturn

from deploy.local.reading import read_settings
from shared.errors import Misconfigured


def become(module: str, *arguments: str) -> NoReturn:
    """Replace the process, so that its signals and its exit code are the part's own."""
    settings = read_settings()
    for name, value in (
        ("DATABASE_URL", settings.database_url),
        ("TEMPORAL_ADDRESS", settings.temporal_address),
    ):
        if value is None:
            raise Misconfigured(
                f"{name} is not set: this joins servers that run already. `drumbeat up` starts "
                "everything on one machine, workers and gateway included."
            )
    command = [sys.executable, "-P", "-m", module, *arguments]
    os.execv(sys.executable, command)  # noqa: S606  # there is no shell on purpose
