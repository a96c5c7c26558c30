"""When each step of a campaign would be done for one lead, and on which ways it stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from shared.db.models import StepRow
from shared.db.repositories.letter_sources import LetterSource
from shared.db.repositories.places import calendar_of, window_of
from shared.db.repositories.versions import ACTIVITY_OF, wait_of
from shared.domain.branches import LeadIs, OutcomeIs, fits
from shared.domain.guard_json import guard_from_json
from shared.domain.labels import side_of
from shared.domain.moves import planned_at
from shared.domain.recipient import Progress, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """`at`: when the step was done, or would be at the earliest; None: it never comes to it.

    `when`: the decisions above it, in words. `is_taken`: whether the lead comes there at all;
    None: that depends on what comes of other steps.
    """

    at: datetime | None
    when: Sequence[str] = ()
    is_taken: bool | None = True


def ways_of(source: LetterSource, rows: Sequence[StepRow], now: datetime) -> dict[UUID, Way]:
    """Limits of accounts are not looked at."""
    done = {one.step_id: one.settled_at for one in source.done if one.settled_at}
    steps = tuple(map(_to_step, rows))
    dates: dict[UUID, datetime] = {}
    ways: dict[UUID, Way] = {}
    for step in steps:
        taken = _is_taken(step, source.row.lead)
        if taken is not False:
            due = _due(source, step, since=_since(step, steps, dates), now=now)
            dates[step.id] = done.get(step.id) or due
        words = [side_of(guard, steps) for guard in step.guards]
        ways[step.id] = Way(at=dates.get(step.id), when=words, is_taken=taken)
    return ways


def _due(source: LetterSource, step: Step, *, since: datetime | None, now: datetime) -> datetime:
    row = source.row
    progress = Progress(
        started_at=max(row.started_at or now, row.start_at or now),
        anchor_at=since,
        calendar=calendar_of(row, now),
        window=window_of(row, now),
        seed=str(source.recipient_id),
    )
    # As if all had been decided by then.
    return planned_at(replace(step, guards=()), progress, since or now)


def _since(step: Step, steps: Sequence[Step], dates: Mapping[UUID, datetime]) -> datetime | None:
    """What its wait counts from: the last step on its way, and the deadlines that end without."""
    sides = {guard.decision_id: guard.is_met for guard in step.guards}
    before = [
        dates[other.id]
        for other in steps[: steps.index(step)]
        if other.id in dates
        and all(sides.get(guard.decision_id) is guard.is_met for guard in other.guards)
    ]
    deadlines = [
        dates[condition.step_id] + timedelta(seconds=condition.within_seconds or 0)
        for guard in step.guards
        if isinstance(condition := guard.condition, OutcomeIs)
        and not guard.is_met
        and condition.step_id in dates
    ]
    return max([*before[-1:], *deadlines], default=None)


def _is_taken(step: Step, lead: Mapping[str, object]) -> bool | None:
    asked = [guard for guard in step.guards if isinstance(guard.condition, LeadIs)]
    for guard in asked:
        if isinstance(guard.condition, LeadIs) and fits(guard.condition, lead) is not guard.is_met:
            return False
    return True if len(asked) == len(step.guards) else None


def _to_step(row: StepRow) -> Step:
    return Step(
        id=row.id,
        position=row.position,
        activity=ACTIVITY_OF[row.channel],
        channel=row.channel,
        wait_seconds=int(wait_of(row).total_seconds()),
        wait_business_days=row.delay_business_days,
        on_date=row.on_date,
        guards=tuple(map(guard_from_json, row.guards)),
        name=row.name,
    )
