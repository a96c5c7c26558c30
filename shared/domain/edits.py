"""What an edit of the steps means for those who are on their way. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from shared.domain.moves import Undecided, due_at, next_step
from shared.domain.recipient import Progress, Step

Steps = tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What becomes of one recipient. Several may hold at once; none: nothing changes for it.

    `new_text`: a step ahead says something else. `earlier`, `later`: when the next step is due.
    `skips`: a step that was ahead is not done. `ends`: none is left.
    """

    new_text: bool = False
    earlier: bool = False
    later: bool = False
    skips: bool = False
    ends: bool = False

    @property
    def is_any(self) -> bool:
        return self.new_text or self.earlier or self.later or self.skips or self.ends


def effect_of(
    before: Steps,
    after: Steps,
    progress: Progress,
    now: datetime,
    *,
    rewritten: frozenset[UUID] = frozenset(),
) -> Effect:
    """`rewritten`: steps whose words differ. Somebody who has ended is not affected."""
    if progress.ended:
        return Effect()
    old, new = next_step(before, progress, now), next_step(after, progress, now)
    if old is None:
        return Effect()
    ahead, still = ahead_of(before, progress, now), ahead_of(after, progress, now)
    was, will = _due(old, progress, now), _due(new, progress, now)
    return Effect(
        new_text=any(step_id in rewritten for step_id in still),
        earlier=bool(was and will and will < was),
        later=bool(was and will and will > was),
        skips=bool(set(ahead) - set(still)) and new is not None,
        ends=new is None,
    )


def ahead_of(steps: Steps, progress: Progress, now: datetime) -> tuple[UUID, ...]:
    """The steps that are not behind a recipient, whichever way it will go."""
    rest = tuple(replace(step, guards=()) for step in steps)
    first = next_step(rest, progress, now)
    if not isinstance(first, Step):
        return ()
    ids = [step.id for step in steps]
    return tuple(it for it in ids[ids.index(first.id) :] if it not in progress.done)


def replanned(before: Steps, after: Steps) -> frozenset[UUID]:
    """The steps for which some may be waiting whose plan is another one now.

    A plan hangs on its step, on the one before it, and, where there are decisions, on all before.
    """
    has_guards = any(step.guards for step in (*before, *after))
    old, new = _surroundings(before, has_guards), _surroundings(after, has_guards)
    return frozenset(step_id for step_id, what in old.items() if new.get(step_id) != what)


def _surroundings(steps: Steps, has_guards: bool) -> dict[UUID, object]:
    plain = [replace(step, position=0) for step in steps]
    found: dict[UUID, object] = {}
    for place, step in enumerate(plain):
        earlier: Sequence[Step] = plain[:place]
        before = tuple(earlier) if has_guards else tuple(it.id for it in earlier[-1:])
        found[step.id] = (step, before)
    return found


def _due(step: Step | Undecided | None, progress: Progress, now: datetime) -> datetime | None:
    match step:
        case Step():
            return due_at(step, progress, now)
        case Undecided(until=until):
            return until
        case None:
            return None
