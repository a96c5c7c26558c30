"""What was done to reach a recipient, and what will be done next."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.callers import Caller
from api.schemas.recipients import ActionAnswer, ActionShown
from api.services.campaigns import get_campaign
from api.services.statuses import IS_LISTED
from shared.db.models import ActionRow, ActionStatus, RecipientRow, StepRow
from shared.db.models.recipients import DRY_RUN
from shared.db.session import Database
from shared.errors import NotFound

SHOWN = {
    ActionStatus.RESERVED: ActionShown.SCHEDULED,
    ActionStatus.UNCONFIRMED: ActionShown.SCHEDULED,
    # A call under way, or a to-do with a person.
    ActionStatus.PLACED: ActionShown.SCHEDULED,
    ActionStatus.SENT: ActionShown.SENT,
    ActionStatus.REFUSED: ActionShown.FAILED,
    ActionStatus.ABANDONED: ActionShown.FAILED,
    # The contract has no word for it: `detail` says skipped, and that nothing was sent is true.
    ActionStatus.SKIPPED: ActionShown.FAILED,
}
NEVER_SENT = {
    ActionStatus.ABANDONED: "it was not sent: the recipient ended before",
    ActionStatus.SKIPPED: "it was not sent: somebody skipped the step",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionService:
    database: Database

    async def get_action(
        self, caller: Caller, campaign_id: UUID, recipient_id: UUID, action_id: UUID
    ) -> ActionAnswer:
        for action in await self.list_actions(caller, campaign_id, recipient_id):
            if action.id == action_id:
                return action
        raise NotFound(f"Action {action_id} is not there")

    async def list_actions(
        self, caller: Caller, campaign_id: UUID, recipient_id: UUID
    ) -> Sequence[ActionAnswer]:
        """In the order of doing; the next one comes last, from its plan."""
        async with self.database.company_session(caller.company_id) as session:
            await get_campaign(session, campaign_id)
            recipient = await _get_recipient(session, campaign_id, recipient_id)
            rows = await session.scalars(
                select(ActionRow)
                .where(ActionRow.recipient_id == recipient_id)
                .order_by(ActionRow.attempted_at)
            )
            numbers = {
                row.id: row.position
                for row in await session.execute(
                    select(StepRow.id, StepRow.position).where(StepRow.campaign_id == campaign_id)
                )
            }
            actions = rows.all()
        answers = [action_answer(action, numbers.get(action.step_id)) for action in actions]
        is_known = recipient.next_step_id in {action.step_id for action in actions}
        if not is_known and (following := _next(recipient, numbers)):
            answers.append(following)
        return answers


async def _get_recipient(
    session: AsyncSession, campaign_id: UUID, recipient_id: UUID
) -> RecipientRow:
    recipient = await session.scalar(
        select(RecipientRow).where(
            RecipientRow.id == recipient_id, RecipientRow.campaign_id == campaign_id, IS_LISTED
        )
    )
    if recipient is None:
        raise NotFound(f"Recipient {recipient_id} is not there")
    return recipient


def action_answer(action: ActionRow, step_number: int | None) -> ActionAnswer:
    status = ActionShown.RESPONDED if action.responded_at else SHOWN[action.status]
    return ActionAnswer(
        id=action.id,
        recipient_id=action.recipient_id,
        sequence_id=action.step_id,
        step_number=step_number,
        status=status,
        detail=DRY_RUN if action.provider_id == DRY_RUN else action.status,
        scheduled_for=action.planned_at,
        executed_at=action.settled_at,
        confirmed_at=action.confirmed_at,
        response_received_at=action.responded_at,
        error_message=action.refusal or NEVER_SENT.get(action.status),
        provider_id=action.provider_id,
        thread_id=action.thread_id,
        created_at=action.attempted_at,
    )


def _next(recipient: RecipientRow, numbers: dict[UUID, int]) -> ActionAnswer | None:
    step_id, at = recipient.next_step_id, recipient.next_at
    if recipient.end_reason or step_id is None or at is None:
        return None
    return ActionAnswer(
        # The id that its row will have.
        id=uuid5(recipient.id, str(step_id)),
        recipient_id=recipient.id,
        sequence_id=step_id,
        step_number=numbers.get(step_id),
        status=ActionShown.SCHEDULED,
        detail="planned",
        scheduled_for=at,
        executed_at=None,
        confirmed_at=None,
        response_received_at=None,
        error_message=None,
        provider_id=None,
        thread_id=None,
        created_at=None,
    )
