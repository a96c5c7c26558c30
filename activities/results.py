"""What a provider's call is about, and what can come of it."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from shared.content import MissingVariable
from shared.db.models.recipients import ActionStatus
from shared.db.repositories.ledger import Settlement
from shared.db.repositories.situations import SETTLED, Action, Situation
from shared.domain.branches import StepOutcome
from shared.errors import AccountRefused, AuthExpired, Misdefined, RateLimited, Refused
from shared.tokens import AccountRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """A step that is ours to do, or (`is_wanted` False) one that an earlier attempt began.

    `step_position` numbers it from 1. `action` carries what an earlier attempt left behind.
    """

    situation: Situation
    action: Action
    step_position: int
    is_wanted: bool = True

    @property
    def account(self) -> AccountRef:
        """The one that the action was reserved for. A step done by a person has none."""
        account = self.situation.account_with(self.action.account_id)
        return AccountRef(
            company_id=self.situation.recipient.company_id,
            account_id=account.id,
            user_id=account.user_id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """It is done. `outcomes`: what came of it already, and when."""

    provider_id: str
    thread_id: str = ""
    outcomes: Mapping[StepOutcome, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """It was handed over, and is not over. `check_at` None: a person says when it is."""

    provider_id: str
    check_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """It was not done, for a reason that people read, and the steps behind it go on."""

    reason: str
    outcomes: Mapping[StepOutcome, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Postponed:
    """Nothing is known yet, or it is no time for it: try again then. The action stays as it is."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Abandoned:
    """It was not sent and never will be, because nobody wants it any more.

    `draft_id`: the kept draft that is deleted; without one none may have been kept.
    """

    draft_id: str | None = None


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """Nobody can say whether it was sent."""


# A refusal is a result and not an error.
Done = Sent | Placed | Skipped | Postponed | Abandoned | Unconfirmed
Result = (
    Sent
    | Placed
    | Skipped
    | Postponed
    | Abandoned
    | Unconfirmed
    | MissingVariable
    | Misdefined
    | Refused
    | AuthExpired
    | AccountRefused
    | RateLimited
)
Call = Callable[[Reserved], Awaitable[Done]]


def hash_of(situation: Situation, step_id: UUID) -> bytes:
    """What stands for the words of a step: they differ when an edit changed them."""
    assert situation.version is not None  # noqa: S101 - a step comes from a version
    content = situation.version.contents[step_id]
    words = f"{content.subject}\0{content.message_template}"
    if content.options:
        words += f"\0{json.dumps(content.options, sort_keys=True)}"
    return hashlib.sha256(words.encode()).digest()


def settlement_of(reserved: Reserved, result: Result, situation: Situation) -> Settlement | None:
    """What is written about the action; None when it stays as it is."""
    if not _may_say(reserved, result, situation):
        return None
    action_id, position = reserved.action.id, reserved.step_position
    match result:
        case Sent():
            return Settlement(
                action_id=action_id,
                status=ActionStatus.SENT,
                position=position,
                provider_id=result.provider_id,
                thread_id=result.thread_id or None,
                is_first_contact=_is_first_contact(reserved, situation),
                outcomes=result.outcomes,
            )
        case Placed():
            return Settlement(
                action_id=action_id,
                status=ActionStatus.PLACED,
                position=position,
                provider_id=result.provider_id,
                is_first_contact=situation.last_sent is None and result.check_at is not None,
                check_at=result.check_at,
            )
        case Skipped():
            return Settlement(
                action_id=action_id,
                status=ActionStatus.SKIPPED,
                position=position,
                refusal=result.reason,
                outcomes=result.outcomes,
            )
        case Refused():
            return Settlement(
                action_id=action_id,
                status=ActionStatus.REFUSED,
                position=position,
                refusal=str(result),
            )
        case MissingVariable() | Misdefined():
            return Settlement(
                action_id=action_id,
                status=ActionStatus.ABANDONED,
                position=position,
                refusal=str(result),
            )
        case Abandoned():
            return Settlement(action_id=action_id, status=ActionStatus.ABANDONED, position=position)
        case Unconfirmed():
            return Settlement(
                action_id=action_id, status=ActionStatus.UNCONFIRMED, position=position
            )
        case _:
            return None


def _is_first_contact(reserved: Reserved, situation: Situation) -> bool:
    """What was placed was a contact then, and what came of it says more about the lead."""
    is_new = reserved.action.status is not ActionStatus.PLACED
    return is_new and situation.last_sent is None and not situation.is_dry_run


def _may_say(reserved: Reserved, result: Result, situation: Situation) -> bool:
    """Whether this attempt still speaks for the action: another one may have gone further.

    What is settled stays settled, and nothing is abandoned while somebody's draft of it is alive.
    """
    current = situation.actions[reserved.action.step_id]
    if current.status is ActionStatus.SENT:
        return False
    if isinstance(result, Sent):
        return True
    if current.status in SETTLED or current.round != reserved.action.round:
        return False
    match result:
        case Abandoned(draft_id=draft_id):
            return current.draft_id in {None, draft_id}
        case MissingVariable() | Misdefined():
            return current.draft_id is None
        case Unconfirmed():
            # Somebody else has deleted its draft, and has said so.
            return current.draft_id is not None and current.status is not ActionStatus.ABANDONED
        case _:
            return True
