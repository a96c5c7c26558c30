"""Where a Temporal server comes from: the first of these that works.

1. `temporal`, the Temporal CLI, on the PATH
2. the same program, downloaded once by Temporal's Python SDK
3. the server, built once with Go

What is there already goes before what would have to be fetched.
"""

import asyncio
import platform
import re
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import httpx

from deploy.local import temporal_build
from deploy.local.temporal_build import CannotBuild
from shared.errors import DrumbeatError, Misconfigured

LEAST = (1, 32)  # time skipping per workflow, fairness
DOWNLOAD = "https://temporal.download/cli/default"  # where the SDK asks
PROBE_SECONDS = 3.0
STALLED_SECONDS = 60.0
SYSTEMS = {"Linux": "linux", "Darwin": "darwin"}
MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}

Say = Callable[[str], None]


class NotHere(DrumbeatError):
    """This source has no server; the message says why."""


class Kind(StrEnum):
    CLI = "cli"  # with the UI inside
    SERVER = "server"  # its UI is a program of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerBinary:
    kind: Kind
    path: Path
    version: str
    origin: str


@dataclass(frozen=True, slots=True)
class Source:
    """`find` looks and changes nothing, `fetch` may take minutes, `check` says if it could work.

    All of them raise NotHere.
    """

    name: str
    find: Callable[[Path], Awaitable[ServerBinary]]
    check: Callable[[], Awaitable[None]] | None = None
    fetch: Callable[[Path, Say], Awaitable[ServerBinary]] | None = None


async def find_server(cache: Path, *, say: Say) -> ServerBinary:
    """The first server that is there or can be had. Raises Misconfigured with what was tried."""
    tried: dict[str, str] = {}
    for source in SOURCES:
        try:
            return await source.find(cache)
        except NotHere as reason:
            tried[source.name] = str(reason)
    for source in SOURCES:
        try:
            if source.fetch is not None:
                return await source.fetch(cache, say)
        except NotHere as reason:
            tried[source.name] = str(reason)
    reasons = "".join(f"\n  - {name}: {reason}" for name, reason in tried.items())
    raise Misconfigured(
        f"there is no Temporal server to start. Tried:{reasons}\n"
        "Do one of these: install the Temporal CLI (1.9 or later) so that `temporal` is on the "
        "PATH; install Go; or set TEMPORAL_ADDRESS to the host:port of a server."
    )


async def cli_version(path: Path) -> tuple[int, ...]:
    """The version of the server inside a Temporal CLI. Raises NotHere."""
    try:
        process = await asyncio.create_subprocess_exec(
            str(path),
            "--version",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
    except OSError as error:
        raise NotHere(f"{path} cannot be run: {error.strerror}") from error
    output, _ = await process.communicate()
    found = re.search(rb"Server (\d+)\.(\d+)\.(\d+)", output)
    if found is None:
        said = output.decode(errors="replace").strip()[:200]
        raise NotHere(f"`{path} --version` names no server version: {said!r}")
    return tuple(int(part) for part in found.groups())


async def _cli(path: Path, origin: str) -> ServerBinary:
    version = await cli_version(path)
    shown = ".".join(map(str, version))
    if version < LEAST:
        least = ".".join(map(str, LEAST))
        raise NotHere(f"{path} holds server {shown}, and {least} is the oldest that will do")
    return ServerBinary(kind=Kind.CLI, path=path, version=shown, origin=origin)


async def _on_path(_cache: Path) -> ServerBinary:
    return await _cli(_which("temporal"), "temporal on the PATH")


def _which(name: str) -> Path:
    path = shutil.which(name)
    if path is None:
        raise NotHere(f"there is no {name} on the PATH")
    return Path(path).absolute()


async def _downloaded(cache: Path) -> ServerBinary:
    files = sorted(_downloads(cache).glob("temporal-*"), key=lambda file: file.stat().st_mtime)
    whole = [file for file in files if file.suffix != ".downloading"]
    if not whole:
        raise NotHere("nothing was downloaded yet")
    return await _cli(whole[-1], "downloaded by Temporal's SDK")


async def _download(cache: Path, say: Say) -> ServerBinary:
    await _check_reachable()
    folder = _downloads(cache)
    folder.mkdir(parents=True, exist_ok=True)
    say("downloading the Temporal CLI (once; usually half a minute)")
    task = asyncio.create_task(_start_once(folder))
    size, seen_at = -1, 0.0
    loop = asyncio.get_running_loop()
    while not task.done():
        grown = sum(file.stat().st_size for file in folder.iterdir())
        if grown != size:
            size, seen_at = grown, loop.time()
        if loop.time() - seen_at > STALLED_SECONDS:
            task.cancel()
            raise NotHere(f"the download stood still for {STALLED_SECONDS:.0f} s")
        await asyncio.wait({task}, timeout=1)
    if (error := task.exception()) is not None:
        raise NotHere(f"the download failed: {error}")
    return await _downloaded(cache)


async def _check_reachable() -> None:
    """The question with which the SDK begins: a refusal shows at once, not after a minute."""
    system, machine = SYSTEMS.get(platform.system()), MACHINES.get(platform.machine().lower())
    if system is None or machine is None:
        raise NotHere(f"there is no download for {platform.system()} on {platform.machine()}")
    query = {"platform": system, "arch": machine, "format": "tar.gz"}
    try:
        async with asyncio.timeout(PROBE_SECONDS), httpx.AsyncClient() as client:
            answer = await client.get(DOWNLOAD, params=query)
    except TimeoutError:
        raise NotHere(f"temporal.download did not answer within {PROBE_SECONDS:.0f} s") from None
    except httpx.HTTPError as error:
        raise NotHere(f"temporal.download cannot be reached ({error})") from error
    if not answer.is_success:
        raise NotHere(f"temporal.download answers {answer.status_code}")


async def _start_once(folder: Path) -> None:
    """The SDK downloads only on its way to a server, so one is started and stopped."""
    from temporalio.testing import WorkflowEnvironment  # noqa: PLC0415  # 0.5 s, and rarely needed

    environment = await WorkflowEnvironment.start_local(download_dest_dir=str(folder))
    await environment.shutdown()


def _downloads(cache: Path) -> Path:
    return cache / "temporal-cli"


async def _built(cache: Path) -> ServerBinary:
    path = temporal_build.SERVER.path(cache)
    if not path.exists():
        raise NotHere("it was not built yet")
    return _server(path)


async def _build(cache: Path, say: Say) -> ServerBinary:
    try:
        return _server(await temporal_build.built(temporal_build.SERVER, cache, say=say))
    except CannotBuild as error:
        raise NotHere(str(error)) from error


async def _check_go() -> None:
    try:
        temporal_build.find_go(temporal_build.SERVER)
    except CannotBuild as error:
        raise NotHere(str(error)) from error


def _server(path: Path) -> ServerBinary:
    version = temporal_build.SERVER.version
    return ServerBinary(kind=Kind.SERVER, path=path, version=version, origin="built with Go")


SOURCES = (
    Source("Temporal CLI on the PATH", find=_on_path),
    Source("download by Temporal's SDK", find=_downloaded, check=_check_reachable, fetch=_download),
    Source("build with Go", find=_built, check=_check_go, fetch=_build),
)
