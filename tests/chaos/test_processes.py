"""Worker processes that are really killed in the middle of a mail, and the servers under them."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from deploy.chaos.faults import Fault, Injection
from deploy.chaos.plans import SERVER_KILLS, Plan, draw_process_plan, is_in_processes
from deploy.chaos.processes import play_in_processes
from deploy.chaos.runs import ChaosReport
from deploy.chaos.wounds import Wounds
from shared.domain.channels import Channel

# Where an attempt is in its calls, by how often it has waited.
EARLY, IN_THE_CALLS, NEVER_REACHED = 2, 25, 10_000


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="drumbeat-chaos-") as path:
        yield Path(path)


def quiet(_: str) -> None:
    """Nobody watches."""


async def test_a_worker_killed_in_the_middle_of_a_mail_sends_it_once(folder: Path) -> None:
    plans = [
        _plan(19, _kill(EARLY)),
        _plan(39, _kill(IN_THE_CALLS), _kill(EARLY)),
        _plan(59, _kill(NEVER_REACHED)),
    ]
    report = ChaosReport(seed=0)

    killed_in = await play_in_processes(plans, folder, judged=report.add, say=quiet)

    assert [(f.run, f.remarks, f.story) for f in report.failures] == []
    assert report.is_clean
    assert report.sent == len(plans)
    assert report.faults[Fault.WORKER_KILLED] == killed_in.total() == 4
    # It had recorded everything, and its retry sends nothing.
    assert killed_in["answer"] >= 1


async def test_a_worker_that_does_not_look_before_a_retry_is_caught(folder: Path) -> None:
    lost = Injection(
        fault=Fault.SEND_ANSWER_LOST,
        attempt=1,
        suspension=1,
        operation="drafts.send",
        is_after=True,
    )
    report = ChaosReport(seed=0)

    await play_in_processes(
        [_plan(19, lost)],
        folder,
        judged=report.add,
        say=quiet,
        parts_of="tests.chaos.broken:forgetful_parts",
    )

    assert report.duplicates > 0
    assert report.failures[0].story


def test_enough_workers_are_killed_and_both_servers_too() -> None:
    plans = [draw_process_plan(7, run) for run in range(10_000) if is_in_processes(run)]
    faults = [injection.fault for plan in plans for injection in plan.injections]

    assert len(plans) == 500
    assert faults.count(Fault.WORKER_KILLED) >= 500
    assert all(faults.count(fault) == 10 for fault in SERVER_KILLS.values())
    few = [draw_process_plan(7, run) for run in range(200) if is_in_processes(run)]
    assert {Fault.WORKER_KILLED, *SERVER_KILLS.values()} <= {
        injection.fault for plan in few for injection in plan.injections
    }


def test_a_process_dies_of_a_wound_once(folder: Path) -> None:
    recipient_id, step_id = uuid4(), uuid4()
    Wounds(folder).write(recipient_id, _plan(19, _kill(EARLY)), {step_id: 1})

    codes = [_run_python(_DIE, folder, recipient_id, step_id) for _ in range(2)]

    assert codes == [-signal.SIGKILL, os.EX_OK]


_DIE = """
import sys
from pathlib import Path
from uuid import UUID
from deploy.chaos.wounds import Wounds
from shared.domain.channels import Channel
wounds = Wounds(Path(sys.argv[1]))
wound = wounds.find(UUID(sys.argv[2]), UUID(sys.argv[3]))
if wound:
    wounds.die(wound, "call")
"""


def _run_python(*words: object) -> int:
    command = [sys.executable, "-c", *map(str, words)]
    return subprocess.run(command, check=False, cwd=Path(__file__).parents[2]).returncode  # noqa: S603 - our own words


def _plan(run: int, *injections: Injection) -> Plan:
    return Plan(run=run, channels=(Channel.EMAIL,), injections=injections)


def _kill(suspension: int) -> Injection:
    return Injection(fault=Fault.WORKER_KILLED, attempt=1, suspension=suspension)
