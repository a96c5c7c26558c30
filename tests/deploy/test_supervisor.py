"""Children come up in order, come back when they die, and never outlive us."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from deploy.local.process import Child, DidNotStart, Program
from deploy.local.records import ChildRecords
from deploy.local.supervisor import Supervisor
from tests.deploy.holder import holding
from tests.deploy.waiting import is_alive, until

# Writes its pid, and its name when it is asked to stop.
CHILD = """
import os, pathlib, signal, sys, time
name, folder = sys.argv[1], pathlib.Path(sys.argv[2])
def stop(*_):
    with open(folder / "stopped", "a") as out:
        out.write(name + " ")
    sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if "stubborn" in sys.argv else stop)
(folder / name).write_text(str(os.getpid()))
while True:
    time.sleep(0.1)
"""

# Supervises one such child, and tells its pid.
PARENT = """
import asyncio, pathlib, sys
from tests.deploy.test_supervisor import make_program
from deploy.local.supervisor import Supervisor
async def main():
    folder = pathlib.Path(sys.argv[1])
    async with Supervisor(records=folder / "run") as supervisor:
        await supervisor.start(make_program("child", folder, "stubborn"))
        print(supervisor.pid("child"), flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


def make_program(name: str, folder: Path, *arguments: str, stop_seconds: float = 5) -> Program:
    async def is_ready() -> bool:
        return (folder / name).exists() and bool((folder / name).read_text())

    return Program(
        name=name,
        command=(sys.executable, "-c", CHILD, name, str(folder), *arguments),
        log=folder / "logs" / f"{name}.log",
        is_ready=is_ready,
        before_start=lambda: (folder / name).unlink(missing_ok=True),
        stop_seconds=stop_seconds,
        ready_seconds=60,
    )


def broken(folder: Path, code: str, *, ready_seconds: float = 60) -> Program:
    async def is_ready() -> bool:
        return False

    return Program(
        name="broken",
        command=(sys.executable, "-c", code),
        log=folder / "broken.log",
        is_ready=is_ready,
        ready_seconds=ready_seconds,
    )


@pytest.fixture
def supervisor(folder: Path, said: list[str]) -> Supervisor:
    return Supervisor(records=folder / "run", say=said.append)


async def test_a_killed_child_comes_back(
    supervisor: Supervisor, folder: Path, said: list[str]
) -> None:
    async with supervisor:
        await supervisor.start(make_program("one", folder))
        first = supervisor.pid("one")
        os.kill(first, signal.SIGKILL)
        await until(lambda: "one is back" in said)
        assert supervisor.pid("one") != first
        assert is_alive(supervisor.pid("one"))
    assert said[0] == "one was ended by SIGKILL; starting it again in 0.2 s"


async def test_children_stop_in_reverse_order(supervisor: Supervisor, folder: Path) -> None:
    async with supervisor:
        for name in ("database", "server", "worker"):
            await supervisor.start(make_program(name, folder))
    assert (folder / "stopped").read_text() == "worker server database "
    assert list((folder / "run").iterdir()) == []


async def test_a_child_that_does_not_listen_is_killed_in_the_end(
    supervisor: Supervisor, folder: Path
) -> None:
    async with supervisor:
        await supervisor.start(make_program("deaf", folder, "stubborn", stop_seconds=0.2))
        pid = supervisor.pid("deaf")
    assert not is_alive(pid)


async def test_being_told_twice_does_not_wait(supervisor: Supervisor, folder: Path) -> None:
    await supervisor.start(make_program("deaf", folder, "stubborn", stop_seconds=60))
    stopping = asyncio.create_task(supervisor.stop())
    await asyncio.sleep(0.1)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    await until(lambda: not is_alive(int((folder / "deaf").read_text())))


async def test_a_child_that_ends_at_once_shows_its_last_words(
    supervisor: Supervisor, folder: Path
) -> None:
    program = broken(folder, "raise SystemExit('no such table: sheep')")
    async with supervisor:
        with pytest.raises(
            DidNotStart, match=r"broken ended with code 1[\s\S]*no such table: sheep"
        ):
            await supervisor.start(program)


async def test_a_child_that_never_answers_is_given_up(supervisor: Supervisor, folder: Path) -> None:
    program = broken(folder, "import time; time.sleep(60)", ready_seconds=0.5)
    async with supervisor:
        with pytest.raises(DidNotStart, match="was not ready after"):
            await supervisor.start(program)
        pid = supervisor.pid("broken")
    assert not is_alive(pid)


async def test_ctrl_c_in_a_terminal_reaches_us_alone(supervisor: Supervisor, folder: Path) -> None:
    async with supervisor:
        await supervisor.start(make_program("one", folder))
        assert os.getpgid(supervisor.pid("one")) != os.getpgid(0)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start ends the leftovers")
async def test_nobody_survives_a_killed_supervisor(folder: Path) -> None:
    with holding(PARENT, folder) as parent:
        child = int(parent.line())
        assert is_alive(child)
    await until(lambda: not is_alive(child))


async def test_a_child_of_a_killed_run_is_ended_by_the_next(
    supervisor: Supervisor, folder: Path, said: list[str]
) -> None:
    left = await Child.spawn(make_program("one", folder))
    ChildRecords(folder / "run").remember(left)
    async with supervisor:
        await supervisor.start(make_program("one", folder))
        assert supervisor.pid("one") != left.pid
    assert not is_alive(left.pid)
    assert said == [f"one of an earlier run is still there (pid {left.pid}): ending it"]


async def test_a_stranger_with_the_same_pid_is_left_alone(
    supervisor: Supervisor, folder: Path, said: list[str]
) -> None:
    stranger = await Child.spawn(make_program("stranger", folder))
    started = psutil.Process(stranger.pid).create_time() - 100
    (folder / "run").mkdir()
    (folder / "run" / "one.json").write_text(f'{{"pid": {stranger.pid}, "started": {started}}}')
    async with supervisor:
        await supervisor.start(make_program("one", folder))
        assert is_alive(stranger.pid)
    assert said == []
    await stranger.stop()
