"""What an earlier attempt has begun: whether anybody wants it still, and who may end it."""

from datetime import datetime

from activities.clock import now
from activities.results import Postponed, Reserved
from shared.contracts.recipient import ActionOrder
from shared.db.models import ActionStatus
from shared.db.repositories.situations import Action, Situation
from shared.domain.recipient import ActivityName, Finished, Outcome, Planned
from shared.domain.windows import whole_second

_GIVE_UP = "give up what was begun"


def is_given_up(outcome: Outcome, begun: Action) -> bool:
    """Nobody wants the action that was begun: it has ended, or another step comes next."""
    if isinstance(outcome, Finished):
        return True
    return isinstance(outcome, Planned) and outcome.step_id != begun.step_id


def is_another(begun: Action, order: ActionOrder) -> bool:
    """What one activity has begun another one cannot end: it would ask the wrong provider."""
    collects = (ActivityName.BLAND_CALL, ActivityName.BLAND_COLLECT)
    return (
        begun.activity not in {None, order.activity}
        and (begun.activity, order.activity) != collects
    )


def ending_of(begun: Action) -> Planned:
    """Has its own activity end it, at once."""
    return _ending(begun, now().replace(microsecond=0), label=_GIVE_UP)


def later(begun: Action, move: Outcome, postponed: Postponed) -> Outcome:
    """What to do about an action that can only be ended later, and is not wanted any more.

    Whatever comes next would find it open, and be sent back to it, again and again.
    """
    if isinstance(move, Finished):
        return move
    return _ending(begun, postponed.until, label=f"{_GIVE_UP}: {postponed.reason}")


def _ending(begun: Action, at: datetime, *, label: str) -> Planned:
    activity = begun.activity or ActivityName.GMAIL_SEND
    if begun.status is ActionStatus.PLACED:
        activity = ActivityName.BLAND_COLLECT
    return Planned(activity=activity, step_id=begun.step_id, at=whole_second(at), label=label)


def taken_up(situation: Situation, begun: Action, *, is_wanted: bool) -> Reserved:
    """The action for another attempt at it, or at its end."""
    version = situation.versions[begun.version_id]
    position = next((s.position for s in version.steps if s.id == begun.step_id), 0)
    return Reserved(situation=situation, action=begun, step_position=position, is_wanted=is_wanted)
