"""What a person's word on a to-do does to its step, and to the recipient that waits for it."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.recipient import RecipientRef
from shared.db.models import ActionStatus, TodoRow, TodoStatus
from shared.db.repositories.ledger import Settlement, after, write_move
from shared.db.repositories.outcomes import note_outcome
from shared.db.repositories.situations import SETTLED, Action, Situation
from shared.domain.branches import ENDINGS, StepOutcome
from shared.domain.moves import next_move
from shared.domain.recipient import ActivityName, Outcome, Parked, Planned

# A step that failed is over like one that was sent: the next channel may reach the lead.
_STATUSES = {
    TodoStatus.DONE: ActionStatus.SENT,
    TodoStatus.SKIPPED: ActionStatus.SKIPPED,
    TodoStatus.FAILED: ActionStatus.REFUSED,
}
_ENDINGS = {
    TodoStatus.DONE: StepOutcome.DONE,
    TodoStatus.SKIPPED: StepOutcome.SKIPPED,
    TodoStatus.FAILED: StepOutcome.FAILED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a person says. `outcome`: what came of it beside `status`."""

    status: TodoStatus
    note: str | None = None
    outcome: StepOutcome | None = None

    def outcomes(self, at: datetime) -> dict[StepOutcome, datetime]:
        """A step ends in one way only: a call that was answered is not `done` besides."""
        found = {self.outcome} if self.outcome else set[StepOutcome]()
        if not found & ENDINGS:
            found.add(_ENDINGS[self.status])
        return dict.fromkeys(found, at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Whom to tell, and what the rows say comes next."""

    recipient: RecipientRef
    next: Planned


async def settle_step(
    connection: AsyncConnection, situation: Situation, todo: TodoRow, report: Report, now: datetime
) -> Moved | None:
    """Settle the to-do's action under its recipient's lock, and write the move that follows.

    None: nothing has changed for the recipient. A word that was said before only adds an outcome.
    """
    action = next((a for a in situation.actions.values() if a.id == todo.action_id), None)
    if action is None or action.round != todo.round or situation.recipient.ended_at:
        return None
    if action.status in SETTLED:
        return await _add_outcome(connection, situation, action, report, now)
    is_done = report.status is TodoStatus.DONE
    settlement = Settlement(
        action_id=action.id,
        status=_STATUSES[report.status],
        position=_position(situation, action),
        refusal=None if is_done else report.note,
        outcomes=report.outcomes(now),
        is_first_contact=is_done and situation.last_sent is None,
    )
    settled = after(situation, settlement, now)
    return await _move_on(connection, settled, settlement, now)


async def _add_outcome(
    connection: AsyncConnection, situation: Situation, action: Action, report: Report, now: datetime
) -> Moved | None:
    """What was heard later, such as that an invitation was accepted."""
    if report.outcome is None or report.outcome in action.outcomes:
        return None
    await note_outcome(connection, action.id, report.outcome, at=now)
    known = replace(action, outcomes={report.outcome: now, **action.outcomes})
    told = replace(situation, actions=situation.actions | {action.step_id: known})
    return await _move_on(connection, told, None, now)


async def _move_on(
    connection: AsyncConnection, situation: Situation, settlement: Settlement | None, now: datetime
) -> Moved:
    """Write what comes next. An end is left to the workflow, which has to end as well."""
    move: Outcome = next_move(situation.steps, situation.to_progress(now), now)
    if not isinstance(move, Planned | Parked):
        move = _look(now)
    await write_move(connection, situation, move, now=now, settlement=settlement)
    recipient = situation.recipient
    ref = RecipientRef(
        company_id=recipient.company_id,
        campaign_id=recipient.campaign_id,
        recipient_id=recipient.id,
    )
    return Moved(recipient=ref, next=move if isinstance(move, Planned) else _look(now))


def _look(now: datetime) -> Planned:
    return Planned(
        activity=ActivityName.RECIPIENT_PLAN, step_id=None, at=now, label="look at the rows"
    )


def _position(situation: Situation, action: Action) -> int:
    steps = situation.versions[action.version_id].steps
    return next((step.position for step in steps if step.id == action.step_id), 0)
