"""What people do to a recipient's next step: hurry it, skip it, settle what nobody knows."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from api.callers import Caller
from api.conducting import Conducting
from api.schemas.recipients import Resolution
from api.services.campaigns import get_campaign
from shared.contracts.recipient import RecipientRef
from shared.db.models import ActionStatus
from shared.db.models.campaigns import CampaignStatus
from shared.db.repositories.ledger import Settlement, after, write_move
from shared.db.repositories.situation_rows import lock_situation
from shared.db.repositories.situations import Action, Situation
from shared.db.repositories.steering import hurry_step, skip_step
from shared.db.repositories.versions import VersionShelf
from shared.db.session import Database
from shared.domain.moves import Undecided, due_at, next_move, next_step, question_of
from shared.domain.recipient import (
    ActivityName,
    EndReason,
    Finished,
    Outcome,
    Parked,
    Planned,
    Step,
)
from shared.domain.windows import whole_second
from shared.errors import Conflict, NotFound

POLL_SECONDS = 0.2

_CANDIDATES = text("""
select id from recipients
where campaign_id = :campaign_id and ended_at is null and paused_at is null
order by next_at nulls first, id limit :limit
""")
_OUTCOMES = text("""
select recipient_id, step_id, status from actions
where recipient_id = any (:recipient_ids) and step_id = any (:step_ids)
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hurried:
    """A step that somebody wants at once. `status` None: it is under way."""

    recipient_id: UUID
    step: Step
    status: ActionStatus | None = None


class SteeringService:
    def __init__(self, *, database: Database, conducting: Conducting) -> None:
        self._database = database
        self._conducting = conducting
        self._shelf = VersionShelf()

    async def send_now(self, caller: Caller, campaign_id: UUID, recipient_id: UUID) -> None:
        """Leave the wait out. Raises Conflict when something else is in the way."""
        ref = _ref(caller, campaign_id, recipient_id)
        await self._hurry(ref)
        await self._conducting.wake([ref])

    async def execute_next(
        self, caller: Caller, campaign_id: UUID, *, limit: int, wait_seconds: float
    ) -> Sequence[Hurried]:
        """Hurry each recipient's next step, and wait a little for what becomes of them.

        Those that are held, or whose mail is just going out, are left out.
        """
        async with self._database.company_session(caller.company_id) as session:
            campaign = await get_campaign(session, campaign_id)
            if campaign.status is not CampaignStatus.ACTIVE:
                raise Conflict(f"The campaign is {campaign.status}: activate it first")
            page = {"campaign_id": campaign_id, "limit": limit}
            ids = (await session.scalars(_CANDIDATES, page)).all()
        hurried = []
        for recipient_id in ids:
            try:
                step = await self._hurry(_ref(caller, campaign_id, recipient_id))
            except (Conflict, NotFound):
                continue
            hurried.append(Hurried(recipient_id=recipient_id, step=step))
        await self._conducting.wake(_ref(caller, campaign_id, one.recipient_id) for one in hurried)
        return await self._wait_for(caller.company_id, hurried, wait_seconds)

    async def skip(self, caller: Caller, campaign_id: UUID, recipient_id: UUID) -> None:
        """Settle the next step without doing it; the steps behind it keep their dates."""
        ref = _ref(caller, campaign_id, recipient_id)
        now = datetime.now(UTC)
        async with self._database.company_transaction(caller.company_id) as connection:
            situation = await self._lock(connection, ref)
            step = _next_step(situation, now)
            planned_at = due_at(step, situation.to_progress(now), now)
            settlement = await skip_step(connection, situation, step, planned_at=planned_at)
            skipped = _skipped(situation, step, settlement, planned_at)
            await _move_on(connection, skipped, settlement, now)
        await self._conducting.wake([ref])

    async def resolve(
        self,
        caller: Caller,
        campaign_id: UUID,
        recipient_id: UUID,
        action_id: UUID,
        resolution: Resolution,
    ) -> None:
        """Take a person's word for it. Repeated, it changes nothing. Raises NotFound, Conflict."""
        ref = _ref(caller, campaign_id, recipient_id)
        now = datetime.now(UTC)
        async with self._database.company_transaction(caller.company_id) as connection:
            situation = await self._lock(connection, ref)
            action = next((a for a in situation.actions.values() if a.id == action_id), None)
            if action is None:
                raise NotFound(f"Action {action_id} is not there")
            if _is_resolved(action, resolution):
                return
            if action.status is not ActionStatus.UNCONFIRMED:
                raise Conflict(f"The action is {action.status}, so there is nothing to resolve")
            is_sent = resolution is Resolution.SENT
            settlement = Settlement(
                action_id=action_id,
                status=ActionStatus.SENT if is_sent else ActionStatus.ABANDONED,
                position=_position(situation, action),
                is_first_contact=is_sent and situation.last_sent is None,
            )
            await _move_on(connection, after(situation, settlement, now), settlement, now)
        await self._conducting.wake([ref])

    async def _hurry(self, ref: RecipientRef) -> Step:
        now = whole_second(datetime.now(UTC).replace(microsecond=0))
        async with self._database.company_transaction(ref.company_id) as connection:
            situation = await self._lock(connection, ref)
            step = _next_step(situation, now)
            # Nor is it kept to its slot: whether the account may is asked when it is due.
            waiting = replace(situation.to_progress(now), slot=None)
            progress = replace(waiting, hurried_step_id=step.id, hurried_at=now)
            move = next_move(situation.steps, progress, now)
            if progress.held or isinstance(move, Parked):
                held = move.reason if isinstance(move, Parked) else progress.held
                raise Conflict(f"It cannot be sent now: {held}")
            await hurry_step(connection, ref.recipient_id, step.id, now=now)
            await write_move(connection, situation, move, now=now)
        return step

    async def _lock(self, connection: AsyncConnection, ref: RecipientRef) -> Situation:
        """Raises NotFound, also for one that was removed, or is in another campaign."""
        situation = await lock_situation(connection, ref.company_id, ref.recipient_id, self._shelf)
        row = situation.recipient
        is_hidden = situation.rest.deleted_at or row.end_reason == EndReason.REMOVED
        if is_hidden or row.campaign_id != ref.campaign_id:
            raise NotFound(f"Recipient {ref.recipient_id} is not there")
        return situation

    async def _wait_for(
        self, company_id: UUID, hurried: Sequence[Hurried], seconds: float
    ) -> Sequence[Hurried]:
        """Ask the ledger until every step is settled, or the time is over."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while True:
            known = await self._outcomes(company_id, hurried)
            if loop.time() >= until or all(one.status for one in known):
                return known
            await asyncio.sleep(POLL_SECONDS)

    async def _outcomes(self, company_id: UUID, hurried: Sequence[Hurried]) -> list[Hurried]:
        values = {
            "recipient_ids": [one.recipient_id for one in hurried],
            "step_ids": list({one.step.id for one in hurried}),
        }
        async with self._database.company_transaction(company_id) as connection:
            rows = await connection.execute(_OUTCOMES, values)
            statuses = {(row.recipient_id, row.step_id): row.status for row in rows}
        known = [(one, statuses.get((one.recipient_id, one.step.id))) for one in hurried]
        return [
            replace(one, status=None if status in {None, "reserved"} else ActionStatus(status))
            for one, status in known
        ]


def _ref(caller: Caller, campaign_id: UUID, recipient_id: UUID) -> RecipientRef:
    return RecipientRef(
        company_id=caller.company_id, campaign_id=campaign_id, recipient_id=recipient_id
    )


def _next_step(situation: Situation, now: datetime) -> Step:
    """The step that is next. Raises Conflict when there is none, or it is under way already."""
    progress = situation.to_progress(now)
    if progress.ended:
        raise Conflict(f"The recipient has ended: {progress.ended}")
    step = next_step(situation.steps, progress, now)
    if step is None:
        raise Conflict("The recipient has no step left: activate the campaign, or add a step")
    if isinstance(step, Undecided):
        raise Conflict(
            f"Which step is next is not decided yet ({question_of(step, situation.steps)})"
        )
    if begun := situation.open_action:
        if begun.status is ActionStatus.UNCONFIRMED:
            raise Conflict(f"Nobody knows whether the last mail was sent: resolve {begun.id} first")
        if begun.activity is ActivityName.TASK_OPEN:
            raise Conflict("A person has this step to do: say at /api/todos what came of it")
        raise Conflict(f"Step {step.position} is being done at this moment")
    return step


def _skipped(
    situation: Situation, step: Step, settlement: Settlement, planned_at: datetime
) -> Situation:
    """The situation with the step settled, without reading again."""
    assert situation.version is not None  # noqa: S101 - a step comes from a version
    now = datetime.now(UTC)
    action = Action(
        id=settlement.action_id,
        step_id=step.id,
        account_id=None,
        version_id=situation.version.id,
        status=ActionStatus.SKIPPED,
        round=1,
        planned_at=planned_at,
        attempted_at=now,
        settled_at=now,
    )
    return replace(situation, actions=situation.actions | {step.id: action})


async def _move_on(
    connection: AsyncConnection, situation: Situation, settlement: Settlement, now: datetime
) -> None:
    """Write what comes next. An end is left to the workflow, which has to end as well."""
    move: Outcome = next_move(situation.steps, situation.to_progress(now), now)
    if isinstance(move, Finished):
        move = Planned(
            activity=ActivityName.RECIPIENT_PLAN, step_id=None, at=now, label="look at the rows"
        )
    await write_move(connection, situation, move, now=now, settlement=settlement)


def _is_resolved(action: Action, resolution: Resolution) -> bool:
    if resolution is Resolution.SENT:
        return action.status is ActionStatus.SENT
    is_again = action.round > 1 and action.status is not ActionStatus.UNCONFIRMED
    return action.status is ActionStatus.ABANDONED or is_again


def _position(situation: Situation, action: Action) -> int:
    steps = situation.versions[action.version_id].steps
    return next((step.position for step in steps if step.id == action.step_id), 0)
