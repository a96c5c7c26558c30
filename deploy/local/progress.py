"""What happens, for the people who watch: on standard error, so that output stays output."""

import sys


def say(text: str) -> None:
    print(f"drumbeat: {text}", file=sys.stderr, flush=True)  # noqa: T201  # this is the one place
