"""Build the Temporal server and its UI with Go, once, into the cache folder.

For machines that reach package registries and nothing else. The modules come from Go's own proxy.
"""

import asyncio
import contextlib
import os
import platform
import re
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.lock import FileLock, InUse
from deploy.local.process import leashed
from shared.errors import DrumbeatError

SAY_SECONDS = 5.0
SWITCHING_GO = (1, 21)  # from here on Go fetches a newer Go by itself


class CannotBuild(DrumbeatError):
    """Says why, for the list of what was tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoProgram:
    name: str
    package: str
    version: str
    go: tuple[int, ...]
    usual: str

    def path(self, cache: Path) -> Path:
        """Where it is once it was built; half a build is never found there."""
        system = f"{platform.system()}-{platform.machine()}".lower()
        return cache / f"{self.name}-{self.version}-{system}"


SERVER = GoProgram(
    name="temporal-server",
    package="go.temporal.io/server/cmd/server",
    version="1.32.0",
    go=(1, 26, 8),
    usual="3 to 5 minutes",
)
UI = GoProgram(
    name="temporal-ui",
    package="github.com/temporalio/ui-server/v2/cmd/server",
    version="2.54.1",
    go=(1, 26, 5),
    usual="half a minute",
)


async def built(program: GoProgram, cache: Path, *, say: Callable[[str], None]) -> Path:
    """The program, built now if it is not there yet. Raises CannotBuild."""
    path = program.path(cache)
    if path.exists():
        return path
    go = find_go(program)
    async with _alone(path, say=say):
        if not path.exists():
            await _build(program, go, path, say=say)
    return path


def find_go(program: GoProgram) -> str:
    """The go command. Raises CannotBuild when there is none that can build this."""
    go = shutil.which("go")
    if go is None:
        raise CannotBuild("there is no go on the PATH")
    words = subprocess.run(  # noqa: S603  # the path is what the shell would run
        [go, "env", "GOVERSION", "GOTOOLCHAIN"], capture_output=True, text=True, check=False
    ).stdout.split()
    found = tuple(int(part) for part in re.findall(r"\d+", words[0])) if words else ()
    may_switch = found >= SWITCHING_GO and words[1:] != ["local"]
    if found < program.go and not may_switch:
        needed = ".".join(map(str, program.go))
        raise CannotBuild(f"{go} is {words[0] if words else 'broken'}, and {needed} is needed")
    return go


async def _build(program: GoProgram, go: str, path: Path, *, say: Callable[[str], None]) -> None:
    """Into a folder of its own first: two of the programs are both called `server`."""
    unfinished = path.with_name(path.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)  # of a build that was killed
    unfinished.mkdir(parents=True)
    say(f"building {program.name} {program.version} with Go (once; takes {program.usual})")
    module = f"{program.package}@v{program.version}"
    command = (go, "install", "-trimpath", "-ldflags=-s -w", module)
    code, output = await _run(command, unfinished, name=program.name, say=say, usual=program.usual)
    if code != 0:
        shutil.rmtree(unfinished)
        said = [line for line in output.splitlines() if not line.startswith("go: downloading")]
        raise CannotBuild(f"go install {module} ended with code {code}: {' / '.join(said[-4:])}")
    (unfinished / "server").rename(path)
    shutil.rmtree(unfinished)


async def _run(
    command: tuple[str, ...], folder: Path, *, name: str, say: Callable[[str], None], usual: str
) -> tuple[int, str]:
    environment = os.environ | {"GOBIN": str(folder), "GO111MODULE": "on", "GOWORK": "off"}
    for other_system in ("GOOS", "GOARCH"):
        environment.pop(other_system, None)
    process = await asyncio.create_subprocess_exec(
        *leashed(command),
        env=environment,
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    ticking = asyncio.create_task(_say_elapsed(name, usual, say))
    try:
        output, _ = await process.communicate()
    finally:
        ticking.cancel()
        with contextlib.suppress(ProcessLookupError):  # it ended by itself
            os.killpg(process.pid, signal.SIGKILL)
    return await process.wait(), output.decode(errors="replace")


async def _say_elapsed(name: str, usual: str, say: Callable[[str], None]) -> None:
    started_at = time.monotonic()
    while True:
        await asyncio.sleep(SAY_SECONDS)
        say(f"building {name}: {time.monotonic() - started_at:.0f} s of usually {usual}")


@asynccontextmanager
async def _alone(path: Path, *, say: Callable[[str], None]) -> AsyncIterator[None]:
    """Wait until nobody else builds this."""
    lock = FileLock(path.with_name(path.name + ".lock"))
    while True:
        try:
            lock.acquire()
            break
        except InUse as error:
            say(f"waiting for process {error.pid}, which builds {path.name}")
            await asyncio.sleep(SAY_SECONDS)
    try:
        yield
    finally:
        lock.release()
