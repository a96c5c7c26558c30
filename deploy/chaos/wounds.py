"""Who is to be killed where: files that survive every process, and that nobody can use twice.

The conductor of the runs writes them, and the worker processes read them at each attempt.
"""

import json
import os
import signal
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import UUID

from deploy.chaos.faults import Fault
from deploy.chaos.plans import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Wound:
    """A process that does this step dies where it waits for the `suspension`-th time."""

    id: str
    step_id: str
    suspension: int


class Wounds:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, recipient_id: UUID, plan: Plan, numbers: Mapping[UUID, int]) -> None:
        steps = {number: str(step_id) for step_id, number in numbers.items()}
        wounds = [
            asdict(Wound(id=wound_id, step_id=steps[injection.attempt], suspension=at))
            for wound_id, injection, at in (
                (f"{plan.run}-{n}", injection, injection.suspension)
                for n, injection in enumerate(plan.injections)
                if injection.fault is Fault.WORKER_KILLED
            )
        ]
        # Under its name only when it is whole: an attempt may read at any time.
        unfinished = self._folder / f"{recipient_id}.unfinished"
        unfinished.write_text(json.dumps(wounds))
        unfinished.rename(self._folder / f"{recipient_id}.json")

    def find(self, recipient_id: UUID, step_id: UUID | None) -> Wound | None:
        """The next one of this step that nobody has died of yet."""
        try:
            wounds = json.loads((self._folder / f"{recipient_id}.json").read_text())
        except FileNotFoundError:
            return None
        for wound in (Wound(**fields) for fields in wounds):
            if wound.step_id == str(step_id) and not self._mark(wound.id).exists():
                return wound
        return None

    def die(self, wound: Wound, phase: str) -> None:
        """End this very process, as a power cut would, unless another one has died of it."""
        try:
            mark = os.open(self._mark(wound.id), os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        except FileExistsError:
            return
        os.write(mark, phase.encode())
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("nobody survives SIGKILL")

    def settle(self, plans: Sequence[Plan]) -> Counter[str]:
        """Note on the plans who has really died; answers in which phases."""
        phases: Counter[str] = Counter()
        for plan in plans:
            for n, injection in enumerate(plan.injections):
                mark = self._mark(f"{plan.run}-{n}")
                if injection.fault is Fault.WORKER_KILLED and mark.exists():
                    injection.strike()
                    phases[mark.read_text()] += 1
        return phases

    def _mark(self, wound_id: str) -> Path:
        return self._folder / f"{wound_id}.struck"
