"""Every benchmark after the other, each in a process and on servers of its own."""

import asyncio
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

# So small that all of them are done in about a quarter of an hour.
BENCHES = (
    ("steps", "--recipients", "150", "--rounds", "2"),
    ("start", "--recipients", "1500", "--rounds", "2"),
    ("open", "--recipients", "6000"),
    ("reply", "--recipients", "1000", "--replies", "200"),
    ("send", "--recipients", "150", "--rounds", "1"),
    ("api", "--recipients", "20000", "--large", "2", "--rounds", "2"),
    ("import", "--rows", "100000"),
    ("launch", "--recipients", "2000", "--kills", "5"),
    ("whole", "--recipients", "2000"),
    ("big", "--recipients", "6000"),
)
LONGEST_SECONDS = 480


async def bench_all(say: Callable[[str], None]) -> list[dict[str, Any]]:
    """What each has printed; one that failed or took too long is an `error` instead."""
    results = []
    for number, (name, *options) in enumerate(BENCHES, start=1):
        say(f"{name}: {number} of {len(BENCHES)}")
        results.append(await _run(name, options))
    return results


async def _run(name: str, options: list[str]) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "deploy",
        "bench",
        name,
        "--json",
        *options,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            output, _ = await process.communicate()
    except TimeoutError:
        return {"name": name, "error": f"it took more than {LONGEST_SECONDS} s"}
    finally:
        with suppress(ProcessLookupError):
            # It stops its servers on the way out.
            process.terminate()
        await process.wait()
    if process.returncode or not output:
        return {"name": name, "error": f"it ended with {process.returncode}: see standard error"}
    result: dict[str, Any] = json.loads(output.splitlines()[-1])
    return result
