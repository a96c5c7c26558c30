"""Prism (npm, pinned): a server that nobody here wrote answers by a spec, and says what breaks it.

A request that does not fit is answered with the header `sl-violations`.
"""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from filelock import FileLock

from deploy.local.ports import free_port
from deploy.sandbox.node import Node, find_node
from shared.config import Settings

PACKAGE, VERSION = "@stoplight/prism-cli", "5.16.0"
VIOLATIONS = "sl-violations"


def install(node: Node) -> Path:
    """The program's file. Blocking."""
    cache = Settings().cache_dir.expanduser()
    folder = cache / f"prism-{VERSION}"
    program = folder / "node_modules" / ".bin" / "prism"
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / "prism.lock"):
        if not program.exists():
            folder.mkdir(exist_ok=True)
            command = [str(node.executable), str(node.npm), "install", "--ignore-scripts"]
            command += ["--no-audit", "--no-fund", "--prefix", str(folder), f"{PACKAGE}@{VERSION}"]
            subprocess.run(  # noqa: S603 - our own words
                command,
                check=True,
                capture_output=True,
                timeout=300,
                env={**os.environ, **node.environment()},
            )
    return program


@asynccontextmanager
async def prism_server(spec: Path) -> AsyncIterator[str]:
    """Its base URL."""
    node = await asyncio.to_thread(find_node)
    program = await asyncio.to_thread(install, node)
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(str(node.executable), str(program), "mock", "-h", "127.0.0.1", "-p", str(port)),
        str(spec),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with httpx.AsyncClient() as http, asyncio.timeout(120):
            while not await _answers(http, port):  # noqa: ASYNC110 - nothing else tells
                await asyncio.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        await process.wait()


async def _answers(http: httpx.AsyncClient, port: int) -> bool:
    try:
        await http.get(f"http://127.0.0.1:{port}/")
    except httpx.TransportError:
        return False
    return True
