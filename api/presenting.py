"""A recipient in the words that people read."""

from api.schemas.campaigns import Executed
from api.schemas.recipients import ActionShown, ExplanationAnswer, NextMove, RecipientAnswer
from api.services.actions import SHOWN
from api.services.recipients import KnownRecipient
from api.services.statuses import status_of
from api.services.steering import Hurried
from shared.db.models import RecipientRow
from shared.db.models.campaigns import CampaignStatus
from shared.domain.explanation import Explanation
from shared.domain.recipient import HoldReason, Planned, RecipientStatus, Step

LEAD_FIELDS = ("email", "first_name", "last_name", "name", "company_name")


def recipient_answer(known: KnownRecipient) -> RecipientAnswer:
    row, status = known.row, status_of(known.row)
    is_open = row.end_reason is None
    return RecipientAnswer(
        id=row.id,
        campaign_id=row.campaign_id,
        contact_id=row.lead_id,
        status=status,
        detail=_detail(row, status),
        why=_why(known),
        reply_class=row.reply_class,
        current_step=row.current_step,
        next_action_at=row.next_at if is_open and row.parked_at is None else None,
        last_action_at=row.last_action_at,
        completed_at=row.ended_at if status is RecipientStatus.COMPLETED else None,
        ended_at=row.ended_at,
        created_at=row.created_at,
        **{name: getattr(known.lead, name) for name in LEAD_FIELDS},
    )


def explanation_answer(explanation: Explanation, steps: tuple[Step, ...]) -> ExplanationAnswer:
    move = explanation.move
    following = None
    if isinstance(move, Planned):
        numbers = {step.id: step.position for step in steps}
        step = numbers.get(move.step_id) if move.step_id else None
        following = NextMove(activity=move.activity, step=step, at=move.at)
    return ExplanationAnswer(
        state=move.kind,
        next=following,
        because=list(explanation.because),
        blocked_by=list(explanation.blocked_by),
    )


def executed_answer(hurried: Hurried) -> Executed:
    status = SHOWN[hurried.status] if hurried.status else ActionShown.SCHEDULED
    return Executed(recipient_id=hurried.recipient_id, step=hurried.step.position, status=status)


def _detail(row: RecipientRow, status: RecipientStatus) -> str:
    if row.end_reason:
        return row.end_reason
    if row.hold_reason is HoldReason.UNCONFIRMED:
        return "unconfirmed"
    if row.paused_at:
        return "paused"
    return "parked" if row.parked_at else status


def _why(known: KnownRecipient) -> str:
    """From the row alone: a list cannot ask the deciding function for each. `explain` does."""
    row = known.row
    if row.end_reason:
        return f"it has ended: {row.end_reason}"
    if row.paused_at:
        return HoldReason.RECIPIENT_PAUSED
    match known.campaign_status:
        case CampaignStatus.DRAFT:
            return HoldReason.CAMPAIGN_DRAFT
        case CampaignStatus.PAUSED:
            return HoldReason.CAMPAIGN_PAUSED
    if row.parked_at and row.hold_reason:
        return row.hold_reason
    if row.next_at is None:
        return "the campaign's launcher has not started it yet"
    return f"{row.next_activity} is due at {row.next_at:%Y-%m-%d %H:%M:%S}Z"
