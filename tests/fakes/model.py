"""A model that answers as its fixtures say (npm, pinned), installed once into the user's cache."""

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from filelock import FileLock

from deploy.local.ports import free_port
from deploy.sandbox.node import Node, find_node
from shared.config import Settings

PACKAGE, VERSION = "@copilotkit/aimock", "1.43.0"


def install(node: Node) -> Path:
    """The program's folder. Blocking."""
    cache = Settings().cache_dir.expanduser()
    folder = cache / f"aimock-{VERSION}"
    program = folder / "node_modules" / ".bin" / "llmock"
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / "aimock.lock"):
        if not program.exists():
            folder.mkdir(exist_ok=True)
            command = [str(node.executable), str(node.npm), "install", "--ignore-scripts"]
            command += ["--no-audit", "--no-fund", "--prefix", str(folder), f"{PACKAGE}@{VERSION}"]
            subprocess.run(  # noqa: S603 - our own words
                command,
                check=True,
                capture_output=True,
                timeout=100,
                env={**os.environ, **node.environment()},
            )
    return program


@asynccontextmanager
async def answering_model(folder: Path, fixtures: Sequence[Any]) -> AsyncIterator[str]:
    """Its base URL. What no fixture matches is answered 503."""
    node = await asyncio.to_thread(find_node)
    program = await asyncio.to_thread(install, node)
    (folder / "fixtures.json").write_text(json.dumps({"fixtures": list(fixtures)}))
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        str(node.executable),
        str(program),
        "-p",
        str(port),
        "-f",
        str(folder),
        "--strict",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with httpx.AsyncClient() as http, asyncio.timeout(60):
            while not await _answers(http, port):  # noqa: ASYNC110 - nothing else tells
                await asyncio.sleep(0.05)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.kill()
        await process.wait()


async def _answers(http: httpx.AsyncClient, port: int) -> bool:
    try:
        await http.get(f"http://127.0.0.1:{port}/v1/models")
    except httpx.TransportError:
        return False
    return True
